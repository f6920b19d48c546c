"""Compares answers that give a value and its approximation: `\\sqrt{10} \\approx 3.16`, `25π ≈ 78.54 square units`.

Either of the two may be what is asked for. An answer that equals the reference in the exact value is right, whatever
its digits; one that equals only the rounded value is right if the reference is a decimal.
"""

from __future__ import annotations

import re
from fractions import Fraction

from libra_cli.answers.sentences import asked_units
from libra_cli.answers.text import number
from libra_cli.answers.values import conversions, quantities, structure
from libra_cli.answers.values.finding import Decide, Decision
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_SIGN = lazy_pattern(r"≈|≃|\\approx(?![A-Za-z])|\\simeq(?![A-Za-z])")
_NAME = lazy_pattern(r"\s*\$?\s*\\?[A-Za-z]\w{0,12}(?:_\{?\w+\}?)?\s*")
_CLOSE = 1000
"""A value that is more exact than the reference is off by at most one part in so many."""
_MANY_DIGITS = 5
_SMALL, _LARGE = Fraction(1, 10**10), 10**15
_ASKS_TO_ROUND = lazy_pattern(
    r"round|nearest|decimal|signific|places|digits|figures|estimat|exact|precis|integer|whole", re.IGNORECASE
)
_OF_VALUES = lazy_pattern(r"\d|\\pi|\\sqrt|π|√|e\^")


def is_said(text: str) -> bool:
    """Whether a text has a sign for "approximately"."""
    return "≈" in text or "≃" in text or "\\approx" in text or "\\simeq" in text


def same(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Compare an answer in two forms, and x ≈ 3.2 as x = 3.2; None if computer algebra has to."""
    forms = _SIGN.split(answer)
    if len(forms) < 2:
        return None
    exact, rounded = forms[0], forms[-1]
    exact, rounded = exact.strip(), rounded.strip()
    if exact.count("$") % 2:
        exact, rounded = exact.replace("$", ""), rounded.replace("$", "")
    if not rounded:
        return None
    if not _OF_VALUES.search(exact):  # a name, or nothing
        return decide(reference, f"{exact} = {rounded}" if _NAME.fullmatch(exact) else rounded)
    by_exact = decide(reference, exact)
    if by_exact is not None and by_exact.equal:
        return by_exact
    by_rounded = decide(reference, rounded)
    if by_exact is None or by_rounded is None:
        return None
    if by_rounded.equal:
        return by_rounded if _has_decimals(reference) else Decision(None, by_rounded.by, "rounded")
    is_wrong = by_exact.equal is False and by_rounded.equal is False
    return by_exact if is_wrong else Decision(None, by_exact.by, by_exact.reason or by_rounded.reason)


def like_measured(reference: str, answer: str, question: str) -> str:
    """`reference` for an answer that is more exact than that measured value, unless the question asks for rounding.

    180.156 g/mol is right for 180.16 and 3.011 \\times 10^{23} for 3.01 \\times 10^{23}; 2.8333 is no 2.83 where two
    places are asked for. An integer may be measured or exact, so 373.15 K becomes 373.15 K \\approx 373 K, which is
    undecided.
    """
    wanted, given = quantities.with_units(structure.parse(reference), structure.parse(answer))
    if not (isinstance(wanted, Leaf) and isinstance(given, Leaf) and wanted.number and given.number):
        return answer
    is_close = abs(wanted.number.value - given.number.value) * _CLOSE <= abs(wanted.number.value)
    if not is_close or not number.is_more_exact(wanted.number, given.number) or _ASKS_TO_ROUND.search(question):
        return answer
    named = (wanted.unit, given.unit, asked_units.unit_asked_for(question))
    is_power = wanted.number.places < 0 and given.number.places < 0
    is_measured = is_power or any(unit and conversions.is_measure(unit) for unit in named)
    same = conversions.between(wanted.unit, given.unit)
    if not (is_measured and same and conversions.IDENTITY in same):
        return answer
    if _is_rounded(wanted.number):
        return reference
    return answer if wanted.number.places else f"{answer} \\approx {reference}"


def _is_rounded(measured: number.Number) -> bool:
    """Whether a measured value is rounded for certain: by its digits, or by a size that nobody counts or builds."""
    has_many_digits = measured.places > 0 and measured.significant >= _MANY_DIGITS
    return has_many_digits or (measured.places != 0 and not _SMALL <= abs(measured.value) <= _LARGE)


def _has_decimals(reference: str) -> bool:
    """Whether a reference is decimals, or made of them."""
    leaves = [*structure.leaves(structure.parse(reference))]
    return all(isinstance(leaf, Leaf) and leaf.number is not None and leaf.number.places for leaf in leaves)
