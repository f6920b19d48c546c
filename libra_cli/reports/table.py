"""Reports as text tables for a terminal, a log or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE, Box
from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from libra_cli.reports.layout import ReportPart, Table
from libra_cli.stream.console import printable
from libra_cli.stream.text_table import broken, fitting, name_room, stacked

PLAIN = Box("    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True)
"""The counterpart of SIMPLE for a pipe or a file: ASCII only."""


def render(parts: Sequence[ReportPart], console: Console) -> None:
    """Prints the parts of reports in the width of `console`.

    A terminal gets rules and bold text, never a colour; anything else gets plain text.
    """
    for number, part in enumerate(parts):
        if number:
            console.line()
        _print(_text(part.title, "bold"), console)
        if part.facts:
            grid = Grid.grid(padding=(0, 2, 0, 0))
            grid.add_column(overflow="fold", max_width=18)
            grid.add_column(overflow="fold")
            for name, value in part.facts:
                grid.add_row(_text(name, "dim"), _text(value))
            _print(grid, console)
        for finding in part.findings:
            _print(_text(finding), console)
        for table in part.tables:
            console.line()
            _print_table(table, console)
        for note in part.notes:
            console.line()
            _print(_text(note, "dim"), console)


def _print_table(table: Table, console: Console) -> None:
    """Prints the columns that have room, and names the others; without room for those it needs, stacks every line."""
    kept = fitting(table.columns, [line.cells for line in table.lines], console.width)
    if not kept:
        lines = [(line.cells, "bold" if line.stands_out else "") for line in table.lines]
        _print(stacked(table.columns, lines), console)
        return
    box = SIMPLE if console.is_terminal else PLAIN
    grid = Grid(box=box, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for at in kept:
        name = _text(table.columns[at].name)
        if table.columns[at].is_number:
            grid.add_column(name, justify="right", no_wrap=True)
        else:
            grid.add_column(name, justify="left", overflow="fold")
    columns, cells = [table.columns[at] for at in kept], [[line.cells[at] for at in kept] for line in table.lines]
    room = name_room(columns, cells, console.width)
    for line, texts in zip(table.lines, cells, strict=True):
        style = "bold" if line.stands_out else ""
        grid.add_row(*(Text(broken(printable(text), room), style=style) for text in texts))
    _print(grid, console)
    dropped = [column.name for at, column in enumerate(table.columns) if at not in kept]
    if dropped:
        _print(_text(f"No room for: {', '.join(dropped)}.", "dim"), console)


def _text(text: str, style: str = "") -> Text:
    """Literal text: nothing in it is markup or controls a terminal."""
    return Text(printable(text), style=style)


def _print(drawn: RenderableType, console: Console) -> None:
    """Prints to a terminal as is, elsewhere without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(drawn)
        return
    with console.capture() as capture:
        console.print(drawn)
    console.out("\n".join(line.rstrip() for line in capture.get().splitlines()), highlight=False)
