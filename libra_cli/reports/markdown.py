"""Reports in GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from libra_cli.reports.layout import Table
from libra_cli.reports.parts import parts
from libra_cli.stream.console import printable

# Characters that could begin or end markup inside a line or a table cell.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~$&#])")


def render(reports: Mapping[str, Any]) -> str:
    """Renders the parts of `parts` as headings, lists and tables."""
    texts = []
    for part in parts(reports):
        blocks = [f"## {_text(part.title)}"]
        if part.facts:
            blocks.append("\n".join(f"- {_text(name)}: {_text(value)}" for name, value in part.facts))
        blocks += map(_text, part.findings)
        blocks += [f"### {_text(table.title)}\n\n{_table(table)}" for table in part.tables]
        blocks += [_text(note) for note in part.notes]
        texts.append("\n\n".join(blocks) + "\n")
    return "\n".join(texts)


def _table(table: Table) -> str:
    rows = [
        [_text(column.name) for column in table.columns],
        ["--:" if column.is_number else ":--" for column in table.columns],
    ]
    for line in table.lines:
        bold = "**" if line.stands_out else ""
        rows.append([f"{bold}{_text(cell)}{bold}" for cell in line.cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", printable(text).strip())
