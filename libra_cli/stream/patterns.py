"""Regular expressions from users, on any text: the time of a search is limited."""

from __future__ import annotations

from typing import Any

import regex

from libra_cli.stream.rows import RowError

SECONDS = 1.0
"""A sensible pattern takes microseconds; one with a repeat inside a repeat may take exponential time."""


def compiled(text: str) -> regex.Pattern[str]:
    """Compiles a regular expression; raises ValueError saying what is wrong with it."""
    try:
        return regex.compile(text)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None


def search(pattern: regex.Pattern[str], value: Any) -> bool | None:
    """Whether `pattern` matches somewhere in `value`; None if that is no text. Raises RowError (`slow_pattern`).

    The `regex` library checks the limit as it backtracks, so it holds in any thread and needs no signal.
    """
    if not isinstance(value, str):
        return None
    try:
        return pattern.search(value, timeout=SECONDS) is not None
    except TimeoutError:
        hint = "avoid a repeat inside a repeat, such as (a+)+"
        reason = f"--where: {pattern.pattern!r} takes more than {SECONDS:g} s on this row; {hint}"
        raise RowError("slow_pattern", reason) from None
