"""Tells formulas apart by their values in floating point, each with a bound of its error.

Most formulas that are not equal differ in their first digits. `numeric` compares the others to many digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from libra_cli.answers.text.formula import CONSTANT, NUMBER, SYMBOL, Tree

CLEAR = 1e-9
"""A relative difference that shows at any number of digits."""
CLOSE = 1e-11
"""One that thirty digits take for none."""
ROUNDING = 2.0**-51
"""Relative error of an operation or a function: several times that of rounding."""
SMALLEST = 1e-290
"""Error that each value has at least, for numbers near the smallest one lose digits."""
LARGEST_POWER = 64
_CONSTANTS = {"pi": math.pi, "e": math.e}


class _OpenError(Exception):
    """Raised on a function, or a place of it, whose error has no bound here."""


class Estimate(NamedTuple):
    """A value, the bound of its error, and the largest term of a sum on the way to it."""

    value: float
    error: float
    largest: float


def same(one: Tree, other: Tree, point: Mapping[str, Fraction]) -> bool | None:
    """Whether two formulas have real values at `point` that agree to eleven digits; None if that is not certain.

    False says that they differ for certain in the first nine.
    """
    try:
        first, second = _estimate(one, point), _estimate(other, point)
    except (_OpenError, ArithmeticError, ValueError):
        return None
    scale = max(abs(first.value), abs(second.value))
    off, error = abs(first.value - second.value), first.error + second.error
    if off - error > CLEAR * scale and scale > CLEAR * max(first.largest, second.largest):
        return False
    return True if off + error < CLOSE * scale else None


def are_apart(one: Tree, other: Tree, least: float) -> bool:
    """Whether two constants certainly have values that differ by `least` at least."""
    try:
        first, second = _estimate(one, {}), _estimate(other, {})
    except (_OpenError, ArithmeticError, ValueError):
        return False
    return abs(first.value - second.value) - first.error - second.error > least


def _estimate(tree: Tree, point: Mapping[str, Fraction]) -> Estimate:
    kind = tree[0]
    if kind in (NUMBER, SYMBOL):
        return _rounded(float(tree[1] if kind == NUMBER else point[tree[1]]), 0, 0)
    if kind == CONSTANT:
        if tree[1] not in _CONSTANTS:
            raise _OpenError
        return _rounded(_CONSTANTS[tree[1]], 0, 0)
    parts = [_estimate(part, point) for part in tree[1:]]
    largest, (a, error, _) = max(part.largest for part in parts), parts[0]
    if kind == "-":
        return Estimate(-a, error, largest)
    if kind == "abs":
        return Estimate(abs(a), error, largest)
    if kind == "sqrt":
        return _power(parts[0], Estimate(0.5, 0, 0), largest)
    if kind in ("sin", "cos") and abs(a) < 1 / CLEAR:
        return _rounded(math.sin(a) if kind == "sin" else math.cos(a), error + ROUNDING, largest)
    if kind == "ln" and a > 2 * error:
        return _rounded(math.log(a), error / (a - error) + ROUNDING, largest)
    if len(parts) != 2:
        raise _OpenError
    b, other_error, _ = parts[1]
    if kind == "+":
        return _rounded(a + b, error + other_error, max(largest, abs(a), abs(b)))
    if kind == "*":
        return _rounded(a * b, abs(a) * other_error + abs(b) * error + error * other_error, largest)
    if kind == "/" and abs(b) > 2 * other_error:
        quotient = a / b
        return _rounded(quotient, (error + abs(quotient) * other_error) / (abs(b) - other_error), largest)
    if kind == "^":
        is_whole = tree[2][0] == NUMBER and tree[2][1].denominator == 1
        return _power(parts[0], parts[1], largest, is_whole)
    raise _OpenError


def _power(base: Estimate, exponent: Estimate, largest: float, is_whole: bool = False) -> Estimate:
    """A power of a positive number, or a whole one of any number but zero."""
    size = abs(base.value)
    if size <= 4 * base.error or abs(exponent.value) > LARGEST_POWER or not (base.value > 0 or is_whole):
        raise _OpenError
    relative = abs(exponent.value) * base.error / (size - base.error) + abs(math.log(size)) * exponent.error
    if relative > CLEAR:
        raise _OpenError
    value = base.value**exponent.value
    return _rounded(value, 2 * relative * abs(value), largest)


def _rounded(value: float, error: float, largest: float) -> Estimate:
    return Estimate(value, error + abs(value) * ROUNDING + SMALLEST, largest)
