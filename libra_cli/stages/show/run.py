"""Rows in, text for people out."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.show import pager
from libra_cli.stages.show.drawing import Drawing
from libra_cli.stages.show.row_view import view_of
from libra_cli.stages.show.selection import BETWEEN_JUDGES, RowSelection, Tally
from libra_cli.stream.console import printable, write_message

PIPED_WIDTH = 80
"""Width of text that does not go to a terminal, unless $COLUMNS is set."""
NARROWEST, WIDEST = 20, 1000


def show(paths: Sequence[str], selection: RowSelection, *, width: int | None, whole: bool, paged: bool) -> Exit:
    """Writes the chosen rows and, on stderr, one line for each line that is no row. Returns the exit status.

    Raises Fatal(2) if no row has an id that was asked for.
    """
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    styled = on_terminal and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    drawing = Drawing(_width(width, on_terminal), styled, whole)
    tally, shown = Tally(), 0

    def lines() -> Iterator[str]:
        nonlocal shown
        for place, rows in selection.shown(paths, tally):
            shown += 1
            yield from drawing.lines(view_of(place, rows))

    pager.write(lines(), paged and on_terminal)
    for line in tally.bad:
        _say(f"{line.place}: {line.error}")
    if selection.ids and not shown:
        raise Fatal(Exit.USAGE, f"no row with --id {', '.join(selection.ids)} among {tally.rows:,} rows; check the id")
    if selection.diff is not None:
        what = "judged by several judges" if selection.diff == BETWEEN_JUDGES else "with a verdict and a label"
        which = "judges differ on" if selection.diff == BETWEEN_JUDGES else "the verdict is wrong on"
        _say(f"{tally.responses:,} responses {what}; {which} {tally.differing:,}")
    elif not shown:
        unknown = f"; --where is unknown for {tally.unknown:,}: is each field there?" if tally.unknown else ""
        _say(f"no row to show among {tally.rows:,}{unknown}")
    return Exit.SOME_ERRORS if tally.bad else Exit.DONE


def _say(text: str) -> None:
    write_message(f"libra show: {printable(text)}\n")


def _width(given: int | None, on_terminal: bool) -> int:
    if given is not None:
        return given
    columns = os.environ.get("COLUMNS", "")
    width = int(columns[:9]) if columns.isascii() and columns.isdigit() else 0
    if on_terminal:
        width = shutil.get_terminal_size().columns
    return min(max(width or PIPED_WIDTH, NARROWEST), WIDEST)
