"""Reads inequalities of integers: n > 2 is n >= 3 where the text says that n is an integer."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_BOUND = lazy_pattern(
    r"\s*\$?\s*([a-z])\s*(<=|>=|<|>|\\leq?(?:slant)?|\\geq?(?:slant)?|\u2264|\u2265)\s*(-?\d+)\s*\$?\s*"
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


def is_about_integers(text: str) -> bool:
    """Whether a text says that its variable is an integer."""
    return "integer" in text or "natural number" in text or "\\mathbb{Z}" in text or "\\mathbb{N}" in text


def as_reference(answer: str, reference: str, text: str) -> str | None:
    """`reference` if a bound of integers in a text is the same; None if it is not, or if it is none."""
    wanted, given = closed(reference), closed(answer)
    is_same = wanted is not None and wanted == given and is_about_integers(text)
    return reference if is_same else None


def may_agree(reference: str, answer: str) -> bool:
    """Whether two bounds are the same for integers, and nothing says that they are about any."""
    wanted = closed(reference)
    return wanted is not None and wanted == closed(answer) and wanted[0] in "kmnpqij"
