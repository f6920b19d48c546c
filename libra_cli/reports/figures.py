"""Figures as text, the same in every table, chart and page; an undefined one is a dash, never 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import Any, NamedTuple

NOTHING = "-"
"""Text for an undefined figure."""


def percent(share: float | None) -> str:
    """A share in percent, to one decimal, without the sign."""
    return NOTHING if share is None or isnan(share) else f"{100 * share:.1f}"


class Axis(NamedTuple):
    """How numbers on an axis are written and drawn: shares in percent, anything else unchanged."""

    factor: int
    sign: str

    def shown(self, value: float) -> str:
        """A value on the axis, without the percent sign."""
        return percent(value) if self.sign else number(value)

    def named(self, name: str, between: str = ", ") -> str:
        """The label of the axis."""
        return f"{name}{between}{self.sign}" if self.sign else name


def axis_of(values: Iterable[float]) -> Axis:
    """Percent if all values can be shares."""
    return Axis(100, "%") if all(0 <= value <= 1 for value in values) else Axis(1, "")


def points(difference: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    return NOTHING if difference is None or isnan(difference) else f"{100 * difference:+.1f}"


def decimals(value: float | None) -> str:
    """A figure that is not in percent, to three decimals."""
    return NOTHING if value is None or isnan(value) else f"{value:.3f}"


def interval(ends: Sequence[float | None] | None) -> str:
    """An interval with both ends in percent."""
    return bracketed(ends, percent).strip() or NOTHING


NONE = "none"
"""Text for an interval that the bootstrap does not give; a note of the report says why."""


def interval_of(figure: Mapping[str, Any], value: float | None, report: Mapping[str, Any]) -> str:
    """The interval of `value` in percent, or that it has none though the report has intervals."""
    ends = figure.get("interval")
    return NONE if ends is None and value is not None and report.get("bootstrap") else interval(ends)


def bracketed(ends: Sequence[float | None] | None, shown: Callable[[float | None], str]) -> str:
    """An interval to append to its figure, after a space; empty without one."""
    return "" if ends is None or None in ends else f" [{shown(ends[0])}, {shown(ends[1])}]"


def p_value(p: float | None) -> str:
    """A p-value to three decimals; <0.001 for a very small one."""
    return "<0.001" if p is not None and p < 0.001 else decimals(p)


def count(n: int | None) -> str:
    """A count with thousands separators."""
    return NOTHING if n is None else f"{n:,}"


def number(value: Any) -> str:
    """A number in its shortest form."""
    return NOTHING if value is None else f"{value:g}"
