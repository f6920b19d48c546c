"""Reports as LaTeX tables with the booktabs package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.reports.layout import Table
from libra_cli.reports.parts import parts
from libra_cli.stream.console import printable

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "[": "{[}",  # after the end of a line a bracket would begin an option
        "]": "{]}",
        **{character: f"\\{character}" for character in "{}$&#_%"},
    }
)
"""Characters with a meaning in LaTeX, and how they are written."""


def render(reports: Mapping[str, Any]) -> str:
    r"""Renders the parts of `parts` as tables to \input; notes become comments."""
    lines = ["% Needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}."]
    for part in parts(reports):
        comments = [part.title, *(f"{name}: {value}" for name, value in part.facts)]
        comments += [*part.findings, *part.notes]
        lines += [f"% {printable(comment)}" for comment in comments]
        for table in part.tables:
            lines += _table(part.title, table)
        lines.append("")
    return "\n".join(lines if len(lines) > 1 else [*lines, ""])


def _table(title: str, table: Table) -> list[str]:
    shape = "".join("r" if column.is_number else "l" for column in table.columns)
    rows = []
    for line in table.lines:
        cells = [_text(cell) for cell in line.cells]
        rows.append(_row([f"\\textbf{{{cell}}}" for cell in cells] if line.stands_out else cells))
    if len(rows) > 1 and table.lines[-1].stands_out:
        rows.insert(-1, "\\midrule")
    return [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_text(title)}. {_text(table.title)}}}",
        f"\\begin{{tabular}}{{{shape}}}",
        "\\toprule",
        _row([_text(column.name) for column in table.columns]),
        "\\midrule",
        *rows,
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _text(text: str) -> str:
    return printable(text).translate(_ESCAPES)
