"""How wide text for people may be: one rule for tables, reports and rows."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

WIDTH = 120
"""Columns of what goes to no terminal."""
NARROWEST, WIDEST = 40, 1000
"""Widths of tables; a narrower one holds no word, a wider one nobody reads."""


def text_width(descriptor: int | None, narrowest: int = NARROWEST, default: int = WIDTH) -> int:
    """Columns of a text that is written to `descriptor`, or to a file if that is None.

    They are $COLUMNS, if that is a number above 0, or else those of the terminal on which it is read: `descriptor`, or,
    if that is a pipe (to `head`, `less`, `grep`), the terminal of stderr, stdout or stdin. A file and a pipe far from
    any terminal have `default`.
    """
    given = os.environ.get("COLUMNS", "")
    width = int(given[:9]) if given.isascii() and given.isdigit() else 0
    for terminal in () if width else _terminals(descriptor):
        try:
            width = os.get_terminal_size(terminal).columns
        except OSError:  # no terminal
            continue
        if width:
            break
    return min(max(width or default, narrowest), WIDEST)


def _terminals(descriptor: int | None) -> Sequence[int]:
    """The descriptors that may lead to the terminal on which a text is read, the likeliest first."""
    if descriptor is None:
        return ()
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:  # closed
        return ()
    return (descriptor, 2, 1, 0) if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else (descriptor,)
