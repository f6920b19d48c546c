"""Computer algebra on two answers: only ever called in a worker process, which may be killed at any moment."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any

import sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, NormalizationConfig, latex2sympy
from math_verify.grader import should_treat_as_complex, verify

from libra_cli.answers.comparison import one_form, parts
from libra_cli.answers.comparison.equal import OTHER_UNIT, compare_plainly
from libra_cli.answers.text.number import Number, is_approximation
from libra_cli.answers.values import numeric, structure
from libra_cli.answers.values.quantities import units_may_agree
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

PARSED = 512
POINTS = 4
DIGITS = 30
UNEQUAL, EQUAL = 1e-12, 1e-22
"""Relative differences of values computed to 30 digits: above the first they differ, below the second they agree."""
NOTHING, LARGE = 1e-100, 1e20
"""Below the first a value is what rounding leaves of zero; above the second 30 digits do not tell integers apart."""

_NORMALIZATION = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none")
_CONVERSION = ConversionConfig(lowercase_symbols=False)
_PRIME = lazy_pattern(r"([A-Za-z])'")
_NO_NAME = lazy_pattern(r"[-+*/=() ]|\d[A-Za-z]")
_IMAGINARY = lazy_pattern(r"(?<![A-Za-z\\_])i(?![A-Za-z_])")


class Comparison:
    """One pair of answers, and why no verdict was found where none is."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def decide(self, reference: str, answer: str) -> bool | None:
        """Whether both are equal; None with a `reason` where that cannot be said."""
        reference, answer = one_form.in_one_form(reference, answer)
        return parts.same(structure.parse(reference), structure.parse(answer), self._compare)

    def _compare(self, reference: Leaf, answer: Leaf) -> bool | None:
        plainly = compare_plainly(reference, answer)
        if plainly is not None:
            return plainly
        if units_may_agree(reference, answer):
            self.reason = OTHER_UNIT
            return None
        there, here = _in_radians(reference, answer), _in_radians(answer, reference)
        if there is None or here is None:
            self.reason = "unparsable_reference" if there is None else "unparsable_answer"
            return None
        if isinstance(there, sympy.Expr) and isinstance(here, sympy.Expr):
            numeric = _compare_values(there, here, reference.number or answer.number)
            if numeric is not None:
                return numeric
        equal = bool(verify(there, here, timeout_seconds=None, allow_set_relation_comp=True, raise_on_error=True))
        if equal and isinstance(there, sympy.Eq) and there.lhs.free_symbols and isinstance(here, sympy.Expr):
            self.reason = "equation_or_value"  # x + y = 5 may be a line or say what x + y is
            return None
        return equal


def _in_radians(leaf: Leaf, other: Leaf) -> Any:
    """The expression of `leaf`; degrees become radians where the other one, without a unit, has a pi."""
    parsed = _expression(leaf.text)
    if leaf.unit == "degree" and other.unit is None and "\\pi" in other.text and isinstance(parsed, sympy.Expr):
        return parsed * sympy.pi / 180
    return parsed


@lru_cache(PARSED)
def _expression(text: str) -> Any:
    """What the grammar reads in `text`; None where it reads nothing."""
    text = _PRIME.sub(r"\1_{prime}", text)
    if "'" in text:  # it would be dropped, and f' be f
        return None
    try:
        parsed = latex2sympy(
            text, is_real=not should_treat_as_complex(text), convert_degrees="\\circ" in text,
            normalization_config=_NORMALIZATION, conversion_config=_CONVERSION,
        )  # fmt: skip
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 -- the parser raises plain Exception for a syntax error
        return None
    if isinstance(parsed, sympy.Basic) and any(_NO_NAME.search(symbol.name) for symbol in parsed.free_symbols):
        return None  # \\overline{3+4i} as if it were a letter
    if isinstance(parsed, sympy.Expr) and _IMAGINARY.search(text):
        return parsed.subs({symbol: sympy.I for symbol in parsed.free_symbols if symbol.name == "i"})
    return parsed


def _compare_values(there: sympy.Expr, here: sympy.Expr, decimal: Number | None) -> bool | None:
    """Compares the values at seeded points: unequal ones refute, equal ones at every point confirm."""
    symbols = sorted(there.free_symbols | here.free_symbols, key=lambda symbol: symbol.name)
    pieces = bool(symbols) and any(map(_is_in_pieces, (there, here)))
    agreed, enough = 0, (numeric.PIECES_POINTS if pieces else POINTS) if symbols else 1
    for values_at in islice(numeric.points([symbol.name for symbol in symbols], pieces), 2 * enough):
        at = {symbol: sympy.Rational(value.numerator, value.denominator)
              for symbol, value in zip(symbols, values_at.values(), strict=True)}  # fmt: skip
        values = [_value(expression, at) for expression in (there, here)]
        if values[0] is None or values[1] is None:
            continue
        off, scale = abs(values[0] - values[1]), max(abs(values[0]), abs(values[1]), NOTHING)
        if not symbols and decimal and is_approximation(decimal):
            return bool(off < sympy.Rational(1, 10**decimal.places))
        if off > UNEQUAL * scale:
            return False
        agreed += bool(off <= EQUAL * scale and (symbols or scale < LARGE))
        if agreed == enough and not pieces:
            break
    return True if agreed >= enough else None


def _is_in_pieces(expression: sympy.Expr) -> bool:
    """Whether it may be one formula here and another one there: a root, a rounding, a smallest of several."""
    if expression.has(
        sympy.Abs, sympy.floor, sympy.ceiling, sympy.Min, sympy.Max, sympy.Mod, sympy.Piecewise, sympy.log
    ):
        return True
    return any(not power.exp.is_integer and power.base.free_symbols for power in expression.atoms(sympy.Pow))


def _value(expression: sympy.Expr, at: dict[Any, Any]) -> Any:
    """The value at a point, as a complex number to 30 digits; None where it has none."""
    value = expression.subs(at).evalf(DIGITS)
    if not value.is_number or value.is_finite is not True or value.has(sympy.zoo, sympy.nan):
        return None
    return value if value.is_Float or value.as_real_imag()[1].is_Float or value.is_Number else None
