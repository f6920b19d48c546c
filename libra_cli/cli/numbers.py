"""The one type of all options that take a number."""

from __future__ import annotations

import operator
from math import isfinite
from typing import Any

import click

LARGEST = 2**63 - 1
"""Largest whole number of any option: seeds, sizes and counts are 64-bit integers in the libraries below."""
LONGEST_WAIT = 2_000_000
"""Longest time limit in seconds, 23 days: poll() takes milliseconds in 32 bits."""
MOST_WORKERS = 1024
"""Most processes or threads of one command."""
MOST_CHARS = 64
"""Longest text of a number."""


class NumberType(click.ParamType):
    """A number of `kind` int or float, finite, between `low` and `high`; an open end is not part of the range.

    Text is read as Python reads it, but in ASCII only; true and false are no numbers. A whole number is between
    -LARGEST and LARGEST in any case, and a text other than zero is never rounded to zero.
    """

    def __init__(
        self,
        kind: type[int] | type[float],
        low: float | None = None,
        high: float | None = None,
        *,
        low_open: bool = False,
        high_open: bool = False,
    ):
        self.kind, self.low, self.high, self.low_open, self.high_open = kind, low, high, low_open, high_open
        self.name = "integer" if kind is int else "number"

    @property
    def range(self) -> str:
        """The range as help shows it (`0<x<=1`), empty without ends."""
        low = "" if self.low is None else f"x{'>' if self.low_open else '>='}{self.low}"
        if self.high is None:
            return low
        high = f"x{'<' if self.high_open else '<='}{self.high}"
        return high if self.low is None else f"{self.low}{'<' if self.low_open else '<='}{high}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; fails with a usage error that says what is wrong with `value`."""
        number = self._read(value, param, ctx)
        too_low = self.low is not None and (operator.le if self.low_open else operator.lt)(number, self.low)
        too_high = self.high is not None and (operator.ge if self.high_open else operator.gt)(number, self.high)
        if too_low or too_high:
            self.fail(f"{value} is not in the range {self.range}", param, ctx)
        if self.kind is int and not -LARGEST <= number <= LARGEST:
            self.fail(f"{value} is not in the range {-LARGEST}<=x<={LARGEST}", param, ctx)
        return number

    def _read(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        what = "a whole number" if self.kind is int else "a number"
        shown = repr(value) if len(str(value)[: MOST_CHARS + 1]) <= MOST_CHARS else f"{str(value)[:MOST_CHARS]!r}..."
        is_text = isinstance(value, str) and value.isascii() and len(value) <= MOST_CHARS
        if not is_text and type(value) not in (int, self.kind):
            self.fail(f"{shown} is not {what}", param, ctx)
        try:
            number = self.kind(value)
        except (ValueError, OverflowError):
            self.fail(f"{shown} is not {what}", param, ctx)
        if not isfinite(number):
            self.fail(f"{shown} is not a finite number", param, ctx)
        if number == 0 and is_text and any(digit in "123456789" for digit in value.lower().partition("e")[0]):
            self.fail(f"{shown} is too close to zero", param, ctx)
        return number


def seconds(*, zero: bool = False) -> NumberType:
    """The type of a time limit in seconds; `zero` says whether it may be 0."""
    return NumberType(float, 0, LONGEST_WAIT, low_open=not zero)
