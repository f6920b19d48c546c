"""Compares an amount of time in units with one on a clock: 55 minutes and 0:55:00."""

from __future__ import annotations

from fractions import Fraction

from libra_cli.answers.values import conversions, normalize, notation, quantities, structure
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_CLOCK = lazy_pattern(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?")


def same(reference: str, answer: str) -> bool | None:
    """Whether two amounts of time, one of them with named hours or in units, are equal; None for others."""
    named = notation.same_durations(normalize.normalized(reference), normalize.normalized(answer))
    if named is not None:
        return named
    clocks = [_CLOCK.fullmatch(normalize.normalized(text)) for text in (reference, answer)]
    if (clocks[0] is None) == (clocks[1] is None):
        return None
    clock, other = (clocks[0], answer) if clocks[0] else (clocks[1], reference)
    seconds = _seconds(other)
    if seconds is None or clock is None:
        return None
    first, second, third = int(clock[1]), int(clock[2]), clock[3]
    if third:
        return seconds == 3600 * first + 60 * second + int(third)
    return seconds in (3600 * first + 60 * second, 60 * first + second)


def _seconds(text: str) -> Fraction | None:
    """The seconds of 55 minutes or 2 h 5 min; None for anything but an amount of time."""
    measured = structure.parse(quantities.measured(text) or text)
    if not isinstance(measured, Leaf) or measured.number is None or not measured.unit:
        return None
    found = conversions.between(measured.unit, "s") or ()
    values = {measured.number.value * one.factor for one in found if one.pi == one.plus == 0 and one.factor}
    return values.pop() if len(values) == 1 else None
