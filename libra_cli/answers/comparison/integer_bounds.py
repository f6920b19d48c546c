"""Reads inequalities of integers: n > 2 is n >= 3 where the text says that n is an integer."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_BOUND = lazy_pattern(
    r"\s*\$?\s*([a-z])\s*(<=|>=|<|>|\\leq?(?:slant)?|\\geq?(?:slant)?|\u2264|\u2265)\s*(-?\d+)\s*\$?\s*",
    one_of=("\u2264", ">", "<", "\u2265", "\\le", "\\ge"),
)
_NEAR = 60
_BEFORE = ("integer", "integers", "integer values of", "integers such that", "natural number", "natural numbers")
"""What stands before a variable that is an integer."""
_IS_INTEGER = lazy_pattern(
    r"(?:is|be|are) (?:an? |any |all )?(?:[a-z]+ )?(?:integers?|natural)"
    r"|(?:\\in|\u2208) ?(?:\\mathbb ?\{?[ZN]|[\u2124\u2115])"
)
_STRICT = {"<": ("\\leq", -1), ">": ("\\geq", 1)}


def closed(text: str) -> str | None:
    """A bound with an integer, which the variable may be: n \\geq 3 for n > 2; None for anything else."""
    bound = _BOUND.fullmatch(text)
    if bound is None:
        return None
    name, sign, end = bound[1], bound[2], int(bound[3])
    sign, step = _STRICT.get(sign, ("\\leq" if sign[0] in "<\u2264" or "l" in sign else "\\geq", 0))
    return f"{name} {sign} {end + step}"


def is_integer(name: str, text: str) -> bool:
    """Whether a text says of a variable that it is an integer: integers n, n is a positive integer."""
    for place in re.finditer(rf"(?<![A-Za-z\\]){name}(?![A-Za-z])", text):
        before = text[max(place.start() - _NEAR, 0) : place.start()].rstrip(" $,")
        behind = text[place.end() : place.end() + _NEAR].lstrip(" $")
        if before.endswith(_BEFORE) or _IS_INTEGER.match(behind):
            return True
    return False


def as_reference(answer: str, reference: str, text: str) -> str | None:
    """`reference` if a bound of integers in a text is the same; None if it is not, or if it is none."""
    wanted, given = closed(reference), closed(answer)
    is_same = wanted is not None and wanted == given and is_integer(wanted[0], text)
    return reference if is_same else None


def may_agree(reference: str, answer: str) -> bool:
    """Whether two bounds are the same for integers, and nothing says that they are about any."""
    wanted = closed(reference)
    return wanted is not None and wanted == closed(answer) and wanted[0] in "kmnpqij"
