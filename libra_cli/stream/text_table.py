"""Text tables that never crop: columns that can be spared go whole, and lines that still do not fit are stacked."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from libra_cli.stream.console import printable
from libra_cli.stream.text_width import text_width

if TYPE_CHECKING:
    from rich.console import RenderableType

FOLDED = 16
"""Cells that a column of text keeps before another column gives way to it."""
Cells = Sequence[str]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    is_number: bool = True
    """Right-aligned and never broken."""
    spare: int = 0
    """If there is no room, columns of the highest level are dropped first; level 0 never is."""


def fitting(columns: Sequence[Column], lines: Sequence[Cells], width: int, gap: int = 2) -> list[int]:
    """The numbers of the columns that fit side by side in `width`, `gap` apart; none if level 0 alone is too wide."""
    from rich.cells import cell_len

    needs = []
    for at, column in enumerate(columns):
        widest = max(cell_len(printable(text)) for text in (column.name, *(line[at] for line in lines)))
        needs.append(widest if column.is_number else min(widest, FOLDED))
    for level in sorted({column.spare for column in columns}, reverse=True):
        kept = [at for at, column in enumerate(columns) if column.spare <= level]
        if sum(needs[at] + gap for at in kept) - gap <= width:
            return kept
    return []


def name_room(columns: Sequence[Column], lines: Sequence[Cells], width: int, gap: int = 2) -> int:
    """The cells that the only column of text has in a table as wide as `width`; `width` if there are several."""
    from rich.cells import cell_len

    numbers = [at for at, column in enumerate(columns) if column.is_number]
    if len(numbers) < len(columns) - 1:
        return width
    texts = ((columns[at].name, *(line[at] for line in lines)) for at in numbers)
    return max(width - sum(max(cell_len(printable(text)) for text in column) + gap for column in texts), 1)


def broken(name: str, room: int) -> str:
    """A printable name in lines of at most `room` cells, behind / - _ or a blank if possible, the later indented."""
    from libra_cli.stream.wrapping import fitting as part_that_fits

    lines, margin = [], len(name) - len(name.lstrip(" "))
    indent = min(margin + 2, room // 2)
    while (end := part_that_fits(name, 0, room)) < len(name):
        mark = max(name.rfind(each, indent + 1, end) + 1 for each in "/-_ ")
        end = mark if mark > room // 3 else end
        lines.append(name[:end].rstrip())
        name = " " * indent + name[end:].lstrip()
    return "\n".join([*lines, name])


def stacked(columns: Sequence[Column], lines: Iterable[tuple[Cells, str]]) -> RenderableType:
    """Every cell in a line of its own beside the name of its column; `lines` have their style."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold", max_width=18)
    grid.add_column(overflow="fold")
    for number, (line, style) in enumerate(lines):
        if number:
            grid.add_row()
        for column, cell in zip(columns, line, strict=True):
            grid.add_row(Text(printable(column.name), style="dim"), Text(printable(cell), style=style))
    return grid


def render_table(
    header: Cells, lines: Iterable[Cells | None], width: int | None = None, texts: Sequence[int] = (0,)
) -> str:
    """Renders lines under a header in at most `width` columns (default: those of stderr); None draws a rule.

    The columns numbered in `texts` are left-aligned and wrap; the others hold numbers.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = width or text_width(2)
    columns = [Column(name, is_number=at not in texts) for at, name in enumerate(header)]
    all_lines = list(lines)
    full = [line for line in all_lines if line is not None]
    drawn: RenderableType
    if fitting(columns, full, width, gap=3):
        room = name_room(columns, full, width, gap=3)
        drawn = table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
        for column in columns:
            if column.is_number:
                table.add_column(Text(column.name), justify="right", no_wrap=True)
            else:
                table.add_column(Text(column.name), overflow="fold")
        for line in all_lines:
            if line is None:
                table.add_section()
            else:
                table.add_row(*(Text(broken(printable(cell), room)) for cell in line))
    else:
        drawn = stacked(columns, [(line, "") for line in full])
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(drawn)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
