"""Rows in, text for people out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.short_ids import how_to_name
from libra_cli.stages.show import pager
from libra_cli.stages.show.drawing import Drawing
from libra_cli.stages.show.row_view import view_of
from libra_cli.stages.show.selection import BETWEEN_JUDGES, RowSelection, Tally
from libra_cli.stream.console import printable, write_message
from libra_cli.stream.line_source import no_rows
from libra_cli.stream.text_width import text_width
from libra_cli.stream.where import no_row_has

NARROWEST = 20
"""Columns of the narrowest text."""


def show(paths: Sequence[str], selection: RowSelection, *, width: int | None, whole: bool, paged: bool) -> Exit:
    """Writes the chosen rows and, on stderr, one line for each line that is no row. Returns the exit status.

    Raises Fatal(2) if no row has the number, an id or, where no row is shown, a field that was asked for.
    """
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    styled = on_terminal and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    drawing = Drawing(width or text_width(1, NARROWEST), styled, whole)
    tally, shown = Tally(), 0

    def lines() -> Iterator[str]:
        nonlocal shown
        for place, rows in selection.shown(paths, tally):
            shown += 1
            yield from drawing.lines(view_of(place, rows))

    pager.write(lines(), paged and on_terminal)
    for line in tally.bad:
        _say(f"{line.place}: {line.error}")
    if 0 < tally.lines < selection.first:
        raise Fatal(Exit.USAGE, f"there is no row {selection.first:,}; the last one is {tally.lines:,}")
    if tally.missing_ids:
        raise Fatal(
            Exit.USAGE,
            f"no row with --id {', '.join(tally.missing_ids)} among {counted(tally.rows, 'row')}; "
            f"{how_to_name(min(tally.missing_ids, key=len))}",
        )
    if selection.diff is not None:
        what = "judged by several judges" if selection.diff == BETWEEN_JUDGES else "with a verdict and a label"
        which = "judges differ on" if selection.diff == BETWEEN_JUDGES else "the verdict is wrong on"
        where = "" if tally.is_whole else f" of the first {counted(tally.rows, 'row')}, read until the pager closed"
        _say(f"{counted(tally.responses, 'response')} {what}; {which} {tally.differing:,}{where}")
    elif not shown:
        _say(f"no row to show among {tally.rows:,}" if tally.rows else no_rows(paths))
    absent = sorted({name for where in selection.wheres for name in where.names} - tally.names.keys())
    if tally.unknown and absent:
        why = "; ".join(no_row_has(name, tally.names) for name in absent)
        if not shown:
            raise Fatal(Exit.USAGE, f"--where: {why}")
        _say(f"--where: {why}")
    elif tally.unknown:
        _say(f"--where is unknown for {tally.unknown:,}: a field is not there, or of another type")
    return Exit.SOME_ERRORS if tally.bad else Exit.DONE


def _say(text: str) -> None:
    write_message(f"libra show: {printable(text)}\n")
