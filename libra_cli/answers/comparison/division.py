"""Compares quotients with their remainders: quotient x^2 - 1, remainder 3; Quotient: $x^2-1$; remainder: $3$."""

from __future__ import annotations

from libra_cli.answers.values.finding import Decide, Decision
from libra_cli.lazy_pattern import lazy_pattern

_VALUE = r"(?:is|of|as|=|:)?\s*(?:is|=|:)?\s*\$?(?P<{}>(?![a-z]{{2}})[^$,;:=]{{1,60}}?)\$?"
_NAMED = lazy_pattern(
    rf"\bquotient\s*{_VALUE.format('quotient')}\s*(?:[,;.]|\band\b|\bwith\b)(?:\s|and\b|with\b|the\b|a\b)*"
    rf"remainder\s*{_VALUE.format('remainder')}\s*(?:[.;]?$|[.;]\s)",
    one_of=("quotient",),
)
_TAIL = 300


def stated(text: str) -> str | None:
    """The quotient and the remainder that the end of a text states, in one form; None if it does not state both."""
    tail = text[-_TAIL:].replace("**", "").replace("Quotient", "quotient").replace("Remainder", "remainder")
    said = [*_NAMED.finditer(tail)]
    return f"quotient {said[-1]['quotient'].strip()}, remainder {said[-1]['remainder'].strip()}" if said else None


def same(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Whether both the quotients and the remainders are equal; None unless both texts state them."""
    if "emainder" not in reference or "emainder" not in answer:
        return None
    both = [stated(text) for text in (reference, answer)]
    if both[0] is None or both[1] is None:
        return None
    wanted, given = (one.removeprefix("quotient ").split(", remainder ") for one in both if one)
    decisions = [decide(one, other) for one, other in zip(wanted, given, strict=True)]
    if any(one is not None and one.equal is False for one in decisions):
        return Decision(False, "structure")
    return Decision(True, "structure") if all(one is not None and one.equal for one in decisions) else None
