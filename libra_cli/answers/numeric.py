"""The values of formulas: exact where they are rational, else to many digits, at several points where they vary.

Two formulas whose values differ at one point are unequal, which needs no algebra to be certain. Two are equal where
what is between their values at every point vanishes as digits are added. What lies between is left to computer
algebra. Every step is bounded, so that no formula takes long: what is too large has no value here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath

from libra_cli.answers import formula
from libra_cli.answers.formula import CONSTANT, NUMBER, SYMBOL, Tree

DIGITS, MORE_DIGITS = 30, 90
CLEAR = 1e-10
"""A relative difference that 30 digits show for certain, unless as many were lost on the way."""
NOISE = 1e-78
"""What rounding leaves of a difference to 90 digits, relative to the largest value on the way."""
LARGE = 1e70
"""Constants beyond it may be integers that differ in a digit which is not computed."""
POINTS, TRIES = 4, 16
"""Points at which two formulas must agree, and those tried to find so many where both have a value."""
PIECES_POINTS, PIECES_TRIES = 8, 48
"""The same for formulas in pieces, such as |x-3|; these must agree at every point tried where both have a value."""
SCALES = (1, 16, Fraction(1, 8), 3, 1000, 40)
IN_PIECES = frozenset(("abs", "floor", "ceil", "min", "max", "mod", "gcd", "lcm", "sqrt", "root", "ln", "log", "arcsin",
                       "arccos", "arctan", "arccot", "arcsec", "arccsc"))  # fmt: skip
"""What may be one formula here and another one there: which is seen at points of all sizes and signs only."""
MAX_BITS = 1 << 16
MAX_FACTORIAL = 1000
MAX_MAGNITUDE = 1 << 20
"""Binary digits before the point that a value may have."""


class NoValue(Exception):
    """There is none: a division by zero, a root of a negative number, or something too large."""


def same(reference: str, answer: str, places: int | None = None) -> bool | None:
    """Whether two normalised texts are formulas of equal value; None where that is not certain.

    One with two readings (`1/2x`) equals what either of them does. `places`: one of them is a decimal of so many, which
    stands for the other where it is off by less than one unit in the last place.
    """
    verdicts = [
        same_trees(there, here, places) for there in formula.readings(reference) for here in formula.readings(answer)
    ]
    if True in verdicts:
        return True
    return False if verdicts and None not in verdicts else None


def same_trees(reference: Tree, answer: Tree, places: int | None = None) -> bool | None:
    """Whether two formulas have the same values; None where that is not certain."""
    names = sorted(formula.symbols(reference) | formula.symbols(answer))
    if not names:
        return _same_constants(reference, answer, places)
    pieces = any(map(is_in_pieces, (reference, answer)))
    agreed, enough = 0, PIECES_POINTS if pieces else POINTS
    for at in points(names, pieces):
        verdict = _same_at(reference, answer, at)
        if verdict is False:
            return False
        agreed += verdict is True
        if agreed == enough and not pieces:
            break
    return True if agreed >= enough else None


def points(names: Sequence[str], pieces: bool = False) -> Iterator[dict[str, Fraction]]:
    """Values for the variables to try, the same for the same names; of all sizes and signs for formulas in pieces."""
    for point in range(PIECES_TRIES if pieces else TRIES):
        at = {name: sample(name, number, point) for number, name in enumerate(names)}
        yield {name: _spread(value, point) for name, value in at.items()} if pieces else at


def _spread(value: Fraction, point: int) -> Fraction:
    """`value` at another scale; every third one is an integer or half of one, where roundings meet."""
    value *= SCALES[point % len(SCALES)]
    return Fraction(round(2 * value), 2) if point % 9 in (1, 3, 8) else value


@lru_cache(1 << 10)
def is_in_pieces(tree: Tree) -> bool:
    """Whether a formula takes a variable to a function of IN_PIECES, or to a power that is no integer."""
    if tree[0] in (NUMBER, SYMBOL, CONSTANT):
        return False
    if tree[0] in IN_PIECES and formula.symbols(tree):
        return True
    if tree[0] == "^" and formula.symbols(tree[1]) and not _is_integer(tree[2]):
        return True
    return any(map(is_in_pieces, tree[1:]))


def _is_integer(tree: Tree) -> bool:
    try:
        return _exact(tree).denominator == 1
    except NoValue:
        return False


def _same_constants(reference: Tree, answer: Tree, places: int | None) -> bool | None:
    try:
        return _exact(reference) == _exact(answer)
    except NoValue:
        pass  # irrational, or too large for exact arithmetic
    verdict = _same_at(reference, answer, {})
    if verdict is None:
        verdict = _same_at(reference, answer, {}, real=False)
    if verdict is False and places is not None:
        there, here = _value(reference, {}, True, _coarse), _value(answer, {}, True, _coarse)
        return bool(there and here and abs(there[0] - here[0]) < _coarse.mp.mpf(10) ** -places)
    return verdict


def _same_at(reference: Tree, answer: Tree, at: Mapping[str, Fraction], real: bool = True) -> bool | None:
    """Whether both have the same value at a point; None where one has none, or it cannot be said."""
    there, here = (_value(tree, at, real, _coarse) for tree in (reference, answer))
    if there is None or here is None:
        return None
    off, scale = abs(there[0] - here[0]), max(abs(there[0]), abs(here[0]))
    if off > CLEAR * scale and scale > CLEAR * max(there[1], here[1]):
        return False
    there, here = (_value(tree, at, real, _fine) for tree in (reference, answer))
    if there is None or here is None:
        return None
    largest = max(there[1], here[1])
    return None if not at and largest > LARGE else bool(abs(there[0] - here[0]) <= NOISE * largest)


Value = tuple[Any, Any]
"""A value, and the largest one that was added to another on the way: digits are lost where that one is larger."""


def value_of(tree: Tree, at: Mapping[str, Fraction]) -> Any:
    """The real value where the variables have the values `at`; None where there is none."""
    found = _value(tree, at, True, _coarse)
    return None if found is None else found[0]


def rational(tree: Tree) -> Fraction | None:
    """The value of a constant: exact where it is rational, else to 30 digits; None where there is none."""
    if formula.symbols(tree):
        return None
    try:
        return _exact(tree)
    except NoValue:
        found = value_of(tree, {})
    if not isinstance(found, _coarse.mp.mpf) or not _coarse.mp.isfinite(found):
        return None
    mantissa, exponent = found.man_exp  # without its sign
    value = Fraction(mantissa) * Fraction(2) ** exponent if abs(exponent) < MAX_BITS else None
    return -value if value is not None and found < 0 else value


def _value(tree: Tree, at: Mapping[str, Fraction], real: bool, arithmetic: _Arithmetic) -> Value | None:
    evaluation = _Evaluation(at, real and not _has_imaginary(tree), arithmetic)
    try:
        value = evaluation.of(tree)
    except (NoValue, ZeroDivisionError, OverflowError, ValueError, TypeError, mpmath.libmp.NoConvergence):
        return None
    return (value, max(evaluation.largest, abs(value))) if arithmetic.mp.isfinite(value) else None


@lru_cache(1 << 10)
def _has_imaginary(tree: Tree) -> bool:
    if tree[0] in (NUMBER, SYMBOL):
        return False
    if tree[0] == CONSTANT:
        return bool(tree[1] == "i")
    if tree[0] == "cis":
        return True
    return any(map(_has_imaginary, tree[1:]))


def sample(name: str, number: int, point: int) -> Fraction:
    """A value for variable `number`, from its name and the point: positive first, then with every pair of signs."""
    digest = hashlib.sha256(f"{name}/{point}".encode()).digest()
    value = Fraction(int.from_bytes(digest[:4], "big"), 2**31) + Fraction(1, 7)
    return -value if point >= 2 and (point & (1, 2, 3)[number % 3]).bit_count() % 2 else value


# -- exact values -----------------------------------------------------------------------------------------------------


def _exact(tree: Tree) -> Fraction:
    """The rational value; raises NoValue where there is none, or it is too large."""
    kind = tree[0]
    if kind == NUMBER:
        return tree[1]  # type: ignore[no-any-return]
    make = _RATIONAL.get(kind)
    if make is None:
        raise NoValue(kind)
    try:
        value = make(*map(_exact, tree[1:]))
    except ZeroDivisionError:
        raise NoValue("division by zero") from None
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise NoValue("too large")
    return value


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise NoValue("a root")
    size = max(base.numerator.bit_length(), base.denominator.bit_length(), 1)
    if abs(exponent) * size > MAX_BITS and base not in (0, 1, -1):
        raise NoValue("too large")
    return base ** int(exponent)


def _exact_factorial(value: Fraction) -> Fraction:
    return Fraction(math.factorial(_natural(value, MAX_FACTORIAL)))


def _exact_double_factorial(value: Fraction) -> Fraction:
    return Fraction(math.prod(range(_natural(value, MAX_FACTORIAL), 0, -2)))


def _exact_binomial(top: Fraction, bottom: Fraction) -> Fraction:
    return Fraction(math.comb(_natural(top, MAX_FACTORIAL), _natural(bottom, MAX_FACTORIAL)))


def _natural(value: Any, limit: int) -> int:
    if value != int(value) or not 0 <= value <= limit:
        raise NoValue("no natural number, or too large")
    return int(value)


def _exact_modulo(value: Fraction, modulus: Fraction) -> Fraction:
    return value % modulus


_RATIONAL: dict[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "-": lambda a: -a, "^": _exact_power,
    "!": _exact_factorial, "!!": _exact_double_factorial,
    "binom": _exact_binomial, "abs": abs, "mod": _exact_modulo, "min": min, "max": max,
    "floor": lambda a: Fraction(math.floor(a)), "ceil": lambda a: Fraction(math.ceil(a)),
    "gcd": lambda *all_of: Fraction(math.gcd(*map(_whole, all_of))),
    "lcm": lambda *all_of: Fraction(math.lcm(*map(_whole, all_of))),
}  # fmt: skip


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise NoValue("no integer")
    return int(value)


# -- values to many digits --------------------------------------------------------------------------------------------


_PERIODIC_OR_STEEP = ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")


class _Arithmetic:
    """Operations and functions to so many digits."""

    def __init__(self, digits: int):
        mp = self.mp = mpmath.MPContext()
        mp.dps = digits
        self.constants = {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}

        def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda value: function(_bounded(value))

        self.functions: dict[str, Callable[..., Any]] = {
            "+": lambda a, b: a + b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "-": lambda a: -a,
            "sqrt": mp.sqrt, "abs": abs, "min": min, "max": max, "floor": mp.floor, "ceil": mp.ceil,
            "mod": lambda a, b: a - b * mp.floor(a / b), "degrees": lambda a: a * mp.pi / 180,
            "!": lambda a: mp.factorial(_natural(a, MAX_FACTORIAL)),
            "!!": lambda a: mp.mpf(math.prod(range(_natural(a, MAX_FACTORIAL), 0, -2))),
            "binom": lambda a, b: mp.binomial(_natural(a, MAX_FACTORIAL), _natural(b, MAX_FACTORIAL)),
            "cis": bounded(lambda a: mp.cos(a) + mp.mpc(0, 1) * mp.sin(a)),
            "ln": mp.ln, "log": lambda a, base=10: mp.ln(a) / mp.ln(base), "exp": bounded(mp.exp),
            "arcsin": mp.asin, "arccos": mp.acos, "arctan": mp.atan, "arccot": lambda a: mp.pi / 2 - mp.atan(a),
            "arcsec": mp.asec, "arccsc": mp.acsc,
            **{name: bounded(getattr(mp, name)) for name in _PERIODIC_OR_STEEP},
        }  # fmt: skip


_coarse, _fine = _Arithmetic(DIGITS), _Arithmetic(MORE_DIGITS)


class _Evaluation:
    """The value of one tree at one point; `real` where roots and logarithms of negative numbers have none."""

    def __init__(self, at: Mapping[str, Fraction], real: bool, arithmetic: _Arithmetic):
        self._at, self._real, self._arithmetic, self._mp = at, real, arithmetic, arithmetic.mp
        self.largest = self._mp.mpf(0)

    def of(self, tree: Tree) -> Any:
        kind = tree[0]
        if kind in (NUMBER, SYMBOL):
            value = tree[1] if kind == NUMBER else self._at[tree[1]]
            return self._mp.mpf(value.numerator) / value.denominator
        if kind == CONSTANT:
            return self._arithmetic.constants[tree[1]]
        values = [self.of(part) for part in tree[1:]]
        value = self._applied(kind, values, tree)
        size = self._mp.mag(value) if value else 0
        if not isinstance(size, int) or abs(size) > MAX_MAGNITUDE:
            raise NoValue("too large")
        if kind == "+":
            self.largest = max(self.largest, *map(abs, values))
        return value

    def _applied(self, kind: str, values: list[Any], tree: Tree) -> Any:
        if kind == "^":
            return self._power(values[0], values[1], tree[2])
        if kind == "root":
            return self._root(*values)
        function = self._arithmetic.functions.get(kind)
        if function is None or (self._real and kind in _DOMAIN and not _DOMAIN[kind](*values)):
            raise NoValue(f"no {kind} of this")
        return function(*values)

    def _power(self, value: Any, power: Any, exponent: Tree) -> Any:
        size = abs(self._mp.mag(value)) if value else 0
        if abs(power) * max(size, 2) > MAX_MAGNITUDE:
            raise NoValue("too large")
        if self._real and value < 0 and power != int(power):
            return self._root_of_negative(value, exponent)
        return value**power

    def _root_of_negative(self, value: Any, exponent: Tree) -> Any:
        """(-8)^{1/3} is -2, as it is taught; with an even denominator there is no real value."""
        ratio = _exact(exponent)
        if ratio.denominator % 2 == 0:
            raise NoValue("an even root of a negative number")
        root = (-value) ** (self._mp.mpf(abs(ratio.numerator)) / ratio.denominator)
        root = -root if ratio.numerator % 2 else root
        return root if ratio > 0 else 1 / root

    def _root(self, value: Any, index: Any) -> Any:
        if index == 0:
            raise NoValue("the zeroth root")
        if not self._real or value >= 0:
            return value ** (1 / index)
        if index != int(index) or int(index) % 2 == 0:
            raise NoValue("an even root of a negative number")
        return -((-value) ** (1 / index))


_DOMAIN: dict[str, Callable[..., bool]] = {
    "sqrt": lambda value: value >= 0,
    "ln": lambda value: value > 0,
    "log": lambda value, base=10: value > 0 and base > 0 and base != 1,
    "arcsin": lambda value: abs(value) <= 1,
    "arccos": lambda value: abs(value) <= 1,
    "arcsec": lambda value: abs(value) >= 1,
    "arccsc": lambda value: abs(value) >= 1,
}


def _bounded(value: Any) -> Any:
    """The argument of a function whose cost grows with it."""
    if abs(value) > MAX_MAGNITUDE:
        raise NoValue("too large")
    return value
