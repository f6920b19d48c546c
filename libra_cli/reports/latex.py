"""The reports of `libra score` as LaTeX tables in the manner of the booktabs package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.reports.layout import Line, ReportPart, Table, parts
from libra_cli.stream.console import printable

_MEANING = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "[": "{[}", "]": "{]}",
    **{character: f"\\{character}" for character in "{}$&#_%"},
}  # fmt: skip
"""What LaTeX would act on, and how it is written; a bracket after a line's end would be that line's option."""
_ESCAPES = str.maketrans(_MEANING)


def render(reports: Mapping[str, Any]) -> str:
    r"""{"reports", "comparisons", "published"?, "correlation"?}, each table an environment to \input.

    What is no table is said in comments.
    """
    return "% Needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}.\n" + "\n".join(map(_part, parts(reports)))


def _part(part: ReportPart) -> str:
    comments = [part.title, *(f"{name}: {value}" for name, value in part.facts), *part.notes]
    said = "".join(f"% {printable(comment)}\n" for comment in comments)
    return said + "".join(_table(part.title, table) for table in part.tables)


def _table(title: str, table: Table) -> str:
    shape = "".join("r" if column.is_number else "l" for column in table.columns)
    rows = [_line(line) for line in table.lines]
    if len(rows) > 1 and table.lines[-1].stands_out:
        rows.insert(-1, "\\midrule\n")
    head = _row([_text(column.name) for column in table.columns])
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{_text(title)}. {_text(table.title)}}}\n\\begin{{tabular}}{{{shape}}}\n\\toprule\n"
        f"{head}\\midrule\n{''.join(rows)}\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def _line(line: Line) -> str:
    texts = [_text(cell) for cell in line.cells]
    return _row([f"\\textbf{{{text}}}" for text in texts] if line.stands_out else texts)


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + " \\\\\n"


def _text(text: str) -> str:
    return printable(text).translate(_ESCAPES)
