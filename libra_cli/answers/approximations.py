"""Compares answers that give a value and its approximation: `\\sqrt{10} \\approx 3.16`, `25π ≈ 78.54 square units`.

Either of the two may be what is asked for. An answer that equals the reference in the exact value is right, whatever
its digits; one that equals only the rounded value is right if the reference is a decimal.
"""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.answers import structure
from libra_cli.answers.finding import Decision
from libra_cli.answers.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_SIGN = lazy_pattern(r"≈|≃|\\approx(?![A-Za-z])|\\simeq(?![A-Za-z])")
_NAME = lazy_pattern(r"\s*\$?\s*\\?[A-Za-z]\w{0,12}(?:_\{?\w+\}?)?\s*")
_OF_VALUES = lazy_pattern(r"\d|\\pi|\\sqrt|π|√|e\^")


def is_said(text: str) -> bool:
    """Whether a text has a sign for "approximately"."""
    return "≈" in text or "≃" in text or "\\approx" in text or "\\simeq" in text


def same(reference: str, answer: str, decide: Callable[[str, str], Decision | None]) -> Decision | None:
    """Compare an answer in two forms, and x ≈ 3.2 as x = 3.2; None if computer algebra has to."""
    exact, *_, rounded = _SIGN.split(answer)
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


def _has_decimals(reference: str) -> bool:
    """Whether a reference is decimals, or made of them."""
    leaves = [*structure.leaves(structure.parse(reference))]
    return all(isinstance(leaf, Leaf) and leaf.number is not None and leaf.number.places for leaf in leaves)
