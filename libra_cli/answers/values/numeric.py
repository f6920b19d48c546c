"""Compares formulas by their values: exact if they are rational, else to many digits, at several points if they vary.

Two formulas with different values at one point are certainly unequal, without any algebra; floating point shows most
of these (`estimates`). They are equal if the
difference of their values at every point vanishes as the precision grows. Computer algebra decides the other pairs.
Every step is bounded so that no formula takes long: a value that is too large counts as no value.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from libra_cli.answers.text import formula, number
from libra_cli.answers.text.formula import CONSTANT, NUMBER, SYMBOL, Tree
from libra_cli.answers.text.number import Number
from libra_cli.answers.values import estimates

DIGITS, MORE_DIGITS = 30, 90
CLEAR = 1e-10
"""A relative difference that 30 digits prove, unless cancellation lost as many."""
NOISE = 1e-78
"""Rounding error of a difference to 90 digits, relative to the largest intermediate value."""
LARGE = 1e70
"""Larger constants may be integers that differ in a digit that is not computed."""
POINTS, TRIES = 4, 16
"""Number of points at which two formulas must agree, and of those to try, because some have no value."""
PIECES_POINTS, PIECES_TRIES = 8, 48
"""The same for piecewise formulas such as |x-3|, which must agree at every point that gives both a value."""
SCALES = (1, 16, Fraction(1, 8), 3, 1000, 40)
_PIECEWISE = "abs floor ceil min max mod gcd lcm sqrt root ln log arcsin arccos arctan arccot arcsec arccsc"
IN_PIECES = frozenset(_PIECEWISE.split())
"""Functions that may be piecewise; only points of all sizes and signs reveal the pieces."""
MAX_BITS = 1 << 16
MAX_FACTORIAL = 1000
MAX_LOWER = 20
MAX_MAGNITUDE = 1 << 20
"""Maximum number of binary digits before the point."""
Value = tuple[Any, Any]
"""A value, and the largest term of a sum on the way to it; cancellation loses digits if that term is larger."""
_PERIODIC_OR_STEEP = ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")
_DOMAIN: dict[str, Callable[..., bool]] = {
    "sqrt": lambda value: value >= 0,
    "ln": lambda value: value > 0,
    "log": lambda value, base=10: value > 0 and base > 0 and base != 1,
    "arcsin": lambda value: abs(value) <= 1,
    "arccos": lambda value: abs(value) <= 1,
    "arcsec": lambda value: abs(value) >= 1,
    "arccsc": lambda value: abs(value) >= 1,
}


class NoValue(Exception):
    """Raised on a division by zero, a root of a negative number, or too large a value."""


def same(reference: str, answer: str, places: int | None = None) -> bool | None:
    """Whether two normalized texts are formulas of equal value; None if that is not certain.

    A formula with two readings (`1/2x`) is equal if either of them is. If `places` is given, one of the texts is a
    decimal with that many places; it may be off by less than one unit in the last place.
    """
    verdicts = [
        same_trees(tree, other, places) for tree in formula.readings(reference) for other in formula.readings(answer)
    ]
    if True in verdicts:
        return True
    return False if verdicts and None not in verdicts else None


def rounds(text: str, decimal: Number) -> bool:
    """Whether a formula without variables has a value that rounds to `decimal`, as `number.rounds` says."""
    values = [rational(tree) for tree in formula.readings(text)]
    return any(value is not None and number.rounds(value, decimal) for value in values)


def same_trees(reference: Tree, answer: Tree, places: int | None = None) -> bool | None:
    """Whether two formulas have the same values; None if that is not certain."""
    names = sorted(formula.symbols(reference) | formula.symbols(answer))
    if not names:
        try:
            return _exact(reference) == _exact(answer)
        except NoValue:
            pass  # irrational, or too large for exact arithmetic
        verdict = _same_at(reference, answer, {})
        if verdict is None:
            verdict = _same_at(reference, answer, {}, real=False)
        if verdict is False and places is not None and not estimates.are_apart(reference, answer, 2 * 10.0**-places):
            coarse = _arithmetic(DIGITS)
            wanted, given = (_value(tree, {}, True, coarse) for tree in (reference, answer))
            return bool(wanted and given and abs(wanted[0] - given[0]) < coarse.mp.mpf(10) ** -places)
        return verdict
    pieces = any(map(is_in_pieces, (reference, answer)))
    agreed, enough = 0, PIECES_POINTS if pieces else POINTS
    for point in points(names, pieces):
        verdict = _same_at(reference, answer, point)
        if verdict is False:
            return False
        agreed += verdict is True
        if agreed == enough and not pieces:
            break
    return True if agreed >= enough else None


def points(names: Sequence[str], pieces: bool = False) -> Iterator[dict[str, Fraction]]:
    """Values to try for the variables, reproducible from the names; of all sizes and signs for piecewise formulas."""
    for index in range(PIECES_TRIES if pieces else TRIES):
        point = {name: sample(name, number, index) for number, name in enumerate(names)}
        if pieces:
            point = {name: value * SCALES[index % len(SCALES)] for name, value in point.items()}
            if index % 9 in (1, 3, 8):  # integers and half-integers, at which roundings jump
                point = {name: Fraction(round(2 * value), 2) for name, value in point.items()}
        yield point


@lru_cache(1 << 10)
def is_in_pieces(tree: Tree) -> bool:
    """Whether a formula applies a function of IN_PIECES or a non-integer power to a variable."""
    if tree[0] in (NUMBER, SYMBOL, CONSTANT):
        return False
    if tree[0] in IN_PIECES and formula.symbols(tree):
        return True
    if tree[0] == "^" and formula.symbols(tree[1]):
        try:
            if _exact(tree[2]).denominator != 1:
                return True
        except NoValue:
            return True
    return any(map(is_in_pieces, tree[1:]))


def _same_at(reference: Tree, answer: Tree, point: Mapping[str, Fraction], real: bool = True) -> bool | None:
    """Whether both have the same value at a point; None if one has no value, or if it is uncertain."""
    estimated = estimates.same(reference, answer, point) if real else None
    if estimated is False:
        return False
    if estimated is None:
        wanted, given = (_value(tree, point, real, _arithmetic(DIGITS)) for tree in (reference, answer))
        if wanted is None or given is None:
            return None
        off, scale = abs(wanted[0] - given[0]), max(abs(wanted[0]), abs(given[0]))
        if off > CLEAR * scale and scale > CLEAR * max(wanted[1], given[1]):
            return False
    wanted, given = (_value(tree, point, real, _arithmetic(MORE_DIGITS)) for tree in (reference, answer))
    if wanted is None or given is None:
        return None
    largest = max(wanted[1], given[1])
    return None if not point and largest > LARGE else bool(abs(wanted[0] - given[0]) <= NOISE * largest)


def value_of(tree: Tree, point: Mapping[str, Fraction]) -> Any:
    """Real value of `tree` at `point`, which maps variables to values; None if it has none."""
    value = _value(tree, point, True, _arithmetic(DIGITS))
    return None if value is None else value[0]


def rational(tree: Tree) -> Fraction | None:
    """Value of a constant: exact if it is rational, else to 30 digits; None if it has none."""
    if formula.symbols(tree):
        return None
    try:
        return _exact(tree)
    except NoValue:
        decimal = value_of(tree, {})
    mp = _arithmetic(DIGITS).mp
    if not isinstance(decimal, mp.mpf) or not mp.isfinite(decimal):
        return None
    mantissa, exponent = decimal.man_exp  # unsigned
    value = Fraction(mantissa) * Fraction(2) ** exponent if abs(exponent) < MAX_BITS else None
    return -value if value is not None and decimal < 0 else value


def exact(tree: Tree) -> Fraction | None:
    """Value of a constant if it is rational; None if it is not, or too large."""
    try:
        return None if formula.symbols(tree) else _exact(tree)
    except NoValue:
        return None


def _value(tree: Tree, point: Mapping[str, Fraction], real: bool, arithmetic: _Arithmetic) -> Value | None:
    evaluation = _Evaluation(point, real and not _has_imaginary(tree), arithmetic)
    try:
        value = evaluation.of(tree)
    except (NoValue, ZeroDivisionError, OverflowError, ValueError, TypeError, arithmetic.no_convergence):
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


def sample(name: str, number: int, index: int) -> Fraction:
    """Value of variable `number` at point `index`; positive at first, then with every combination of signs."""
    digest = hashlib.sha256(f"{name}/{index}".encode()).digest()
    value = Fraction(int.from_bytes(digest[:4], "big"), 2**31) + Fraction(1, 7)
    return -value if index >= 2 and (index & (1, 2, 3)[number % 3]).bit_count() % 2 else value


# -- exact values -----------------------------------------------------------------------------------------------------


def _exact(tree: Tree) -> Fraction:
    """Rational value of a constant; raises NoValue if it has none or if it is too large."""
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


def _natural(value: Any) -> int:
    """Argument of a factorial or binomial, whose cost grows with it."""
    if value != int(value) or not 0 <= value <= MAX_FACTORIAL:
        raise NoValue("no natural number, or too large")
    return int(value)


def _small(value: Any) -> int:
    """Lower argument of a binomial whose upper one is any number."""
    if not 0 <= value <= MAX_LOWER:
        raise NoValue("too large")
    return _natural(value)


def _integer(value: Fraction) -> int:
    if value.denominator != 1:
        raise NoValue("no integer")
    return int(value)


_RATIONAL: dict[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "-": lambda a: -a,
    "^": _exact_power,
    "!": lambda n: Fraction(math.factorial(_natural(n))),
    "!!": lambda n: Fraction(math.prod(range(_natural(n), 0, -2))),
    "binom": lambda n, k: Fraction(math.comb(_natural(n), _natural(k))),
    "abs": abs,
    "mod": lambda a, b: a % b,
    "min": min,
    "max": max,
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "gcd": lambda *values: Fraction(math.gcd(*map(_integer, values))),
    "lcm": lambda *values: Fraction(math.lcm(*map(_integer, values))),
}


# -- values to many digits --------------------------------------------------------------------------------------------


class _Arithmetic:
    """Operations and functions with `digits` decimal digits."""

    def __init__(self, digits: int):
        import mpmath  # which takes longer to load than a thousand responses to label

        self.no_convergence = mpmath.libmp.NoConvergence
        mp = self.mp = mpmath.MPContext()
        mp.dps = digits
        self.constants = {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}

        def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
            """Limit the argument of a function whose cost grows with it."""

            def call(value: Any) -> Any:
                if abs(value) > MAX_MAGNITUDE:
                    raise NoValue("too large")
                return function(value)

            return call

        self.functions: dict[str, Callable[..., Any]] = {
            "+": lambda a, b: a + b,
            "*": lambda a, b: a * b,
            "/": lambda a, b: a / b,
            "-": lambda a: -a,
            "sqrt": mp.sqrt,
            "abs": abs,
            "min": min,
            "max": max,
            "floor": mp.floor,
            "ceil": mp.ceil,
            "mod": lambda a, b: a - b * mp.floor(a / b),
            "degrees": lambda a: a * mp.pi / 180,
            "!": lambda n: mp.factorial(_natural(n)),
            "!!": lambda n: mp.mpf(math.prod(range(_natural(n), 0, -2))),
            "binom": lambda n, k: mp.binomial(n, _small(k)) if n != int(n) else mp.binomial(_natural(n), _natural(k)),
            "cis": bounded(lambda a: mp.cos(a) + mp.mpc(0, 1) * mp.sin(a)),
            "zeta": bounded(mp.zeta),
            "gamma": lambda a: mp.gamma(a) if abs(a) <= MAX_FACTORIAL else mp.mpf("inf"),
            "ln": mp.ln,
            "log": lambda a, base=10: mp.ln(a) / mp.ln(base),
            "exp": bounded(mp.exp),
            "arcsin": mp.asin,
            "arccos": mp.acos,
            "arctan": mp.atan,
            "arccot": lambda a: mp.pi / 2 - mp.atan(a),
            "arcsec": mp.asec,
            "arccsc": mp.acsc,
            **{name: bounded(getattr(mp, name)) for name in _PERIODIC_OR_STEEP},
        }


@lru_cache
def _arithmetic(digits: int) -> _Arithmetic:
    return _Arithmetic(digits)


class _Evaluation:
    """Evaluates a tree at one point; if `real`, roots and logarithms of negative numbers have no value."""

    def __init__(self, point: Mapping[str, Fraction], real: bool, arithmetic: _Arithmetic):
        self._point, self._real, self._arithmetic, self._mp = point, real, arithmetic, arithmetic.mp
        self.largest = self._mp.mpf(0)

    def of(self, tree: Tree) -> Any:
        kind = tree[0]
        if kind in (NUMBER, SYMBOL):
            value = tree[1] if kind == NUMBER else self._point[tree[1]]
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
        """(-8)^{1/3} is -2, as schools teach; an exponent with an even denominator has no real value."""
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
