"""The reports of `libra score` as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from libra_cli.reports.layout import Line, ReportPart, Table, parts
from libra_cli.stream.console import printable

# What could begin or end markup inside a line, or a cell of a table.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~$&#])")


def render(reports: Mapping[str, Any]) -> str:
    """{"reports", "comparisons", "published"?, "correlation"?} as headings, lists and tables."""
    return "\n".join(_part(part) for part in parts(reports))


def _part(part: ReportPart) -> str:
    blocks = [f"## {_text(part.title)}"]
    if part.facts:
        blocks.append("\n".join(f"- {_text(name)}: {_text(value)}" for name, value in part.facts))
    blocks += [f"### {_text(table.title)}\n\n{_table(table)}" for table in part.tables]
    blocks += [_text(note) for note in part.notes]
    return "\n\n".join(blocks) + "\n"


def _table(table: Table) -> str:
    head = _row([_text(column.name) for column in table.columns])
    rule = _row(["--:" if column.is_number else ":--" for column in table.columns])
    return "\n".join([head, rule, *(_line(line) for line in table.lines)])


def _line(line: Line) -> str:
    around = "**" if line.stands_out else ""
    return _row([f"{around}{_text(cell)}{around}" for cell in line.cells])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", printable(text).strip())
