"""Regular expressions on text that nobody has checked: a search that may not take for ever."""

from __future__ import annotations

from typing import Any

import regex

from libra_cli.stream.rows import RowError

SECONDS = 1.0
"""A sensible pattern takes microseconds; one with a repeat inside a repeat may take longer than the universe is old."""


def compiled(text: str) -> regex.Pattern[str]:
    """The regular expression that `text` is; raises ValueError saying what is wrong with it."""
    try:
        return regex.compile(text)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None


def search(pattern: regex.Pattern[str], value: Any) -> bool | None:
    """Whether `pattern` is found in `value`; None where that is no text. Raises RowError (`slow_pattern`).

    The limit is kept by the `regex` library as it backtracks, in any thread and whatever signals are blocked.
    """
    if not isinstance(value, str):
        return None
    try:
        return pattern.search(value, timeout=SECONDS) is not None
    except TimeoutError:
        cure = "avoid a repeat inside a repeat, such as (a+)+"
        reason = f"--where: {pattern.pattern!r} takes more than {SECONDS:g} s on this row; {cure}"
        raise RowError("slow_pattern", reason) from None
