"""Rows that are too long to learn from: how many a limit leaves out, and which limit would keep nearly all."""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

from libra_cli.plural import counted

KEPT = 95
"""Per cent of the rows that a limit should keep: fewer are worth a warning."""


class LeftOut(NamedTuple):
    """What a limit leaves out."""

    rows: int
    of: int
    sufficient: int
    """The least limit that keeps KEPT per cent."""

    def share(self) -> str:
        """The rows in words: `64 of 68 rows (94 %)`."""
        return f"{self.rows:,} of {counted(self.of, 'row')} ({100 * self.rows / self.of:.0f} %)"


class RowLengths:
    """The tokens of each row that could be learned from, whether it is left out or not."""

    def __init__(self) -> None:
        self._lengths = array("q")

    def add(self, tokens: int) -> None:
        """Notes one more row."""
        self._lengths.append(tokens)

    def beyond(self, limit: int) -> LeftOut | None:
        """What `limit` leaves out; None where it keeps at least KEPT per cent of the rows."""
        too_long, n = sum(length > limit for length in self._lengths), len(self._lengths)
        if 100 * (n - too_long) >= KEPT * n:
            return None
        return LeftOut(too_long, n, sorted(self._lengths)[math.ceil(KEPT * n / 100) - 1])
