"""Compares matchings of two lists: `A-2, B-1`, `(P)→(3); (Q)→(1)`, `1: c, 2: a`, in any order of the pairs."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 200
_SEPARATOR = lazy_pattern(r"\s*(?:[,;\n\uff0c\uff1b\u3001]|\band\b)\s*")
_SIGNS = ("-", "\u2013", "\u2192", ":", "\\to", "\\rightarrow")
_PAIR = lazy_pattern(
    r"\(?([A-Za-z]|[ivx]{1,4}|\d{1,2})\)?\s*"
    r"(?:-+>?|\u2013|\u2014|\u2192|\u27f6|:|\uff1a|\\(?:to|(?:long)?rightarrow)(?![A-Za-z]))\s*"
    r"\(?([A-Za-z]|[ivx]{1,4}|\d{1,2})\)?"
)


def same(reference: str, answer: str) -> bool | None:
    """Whether two matchings pair the same things; None if either is anything else."""
    if not ("," in reference or ";" in reference) or not any(map(reference.__contains__, _SIGNS)):
        return None
    if max(len(reference), len(answer)) > MAX_CHARS:
        return None
    wanted = _pairs(reference)
    given = _pairs(answer) if wanted else None
    return wanted == given if wanted and given else None


def _pairs(text: str) -> dict[str, str] | None:
    """What a text pairs with what; None unless it has two pairs or more, and nothing else."""
    items = [item for item in _SEPARATOR.split(text.strip(" $.{}[]")) if item]
    found = [_PAIR.fullmatch(item.strip(" $.")) for item in items]
    pairs = {pair[1]: pair[2] for pair in found if pair}
    return pairs if 1 < len(pairs) == len(items) else None
