"""Reads from where to where something goes: from the positive to the negative terminal."""

from __future__ import annotations

from libra_cli.answers.languages import names
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_NOUNS = words.table(
    """
    terminal terminals pole side end ends electrode plate region regions area areas place places body bodies object
    objects level levels point points potential concentration pressure temperature energy battery cell source its one
    ones reservoir part parts medium surface ground
    """
)
"""Nouns behind what tells two places apart."""
_PLACE = r"(?:(?:the|an?|its|areas?|regions?|of) ){0,3}(?P<%s>[A-Za-z]+(?:[ -][A-Za-z]+){0,3}?)"
_WAY = lazy_pattern(
    rf"\b[Ff]rom {_PLACE % 'start'} (?:in)?to(?:wards?)? {_PLACE % 'end'}"
    r"(?=[.,;!)]|$| (?:in|of|outside|inside|through|because|since|as|when|along|on|until|via|by|across)\b)"
)
_OPEN = words.table(
    "no not never or if opposite unlike reverse rather instead isn't doesn't don't versus than wrong but"
)
_STEM = 3
"""Letters that the forms of a word share: hot, hotter."""


def said(sentence: str, reference: str) -> bool | None:
    """Whether a sentence tells the way of the reference (True) or the way back (False); None if neither is certain."""
    wanted = _WAY.fullmatch(reference.strip(" ."))
    ways = [*_WAY.finditer(sentence)] if wanted else []
    if not wanted or len(ways) != 1 or not _OPEN.isdisjoint(word.lower() for word in words.split(sentence)):
        return None
    told, asked = ([_stems(way["start"]), _stems(way["end"])] for way in (ways[0], wanted))
    if not all(asked) or asked[0] == asked[1]:
        return None
    return True if told == asked else False if told == asked[::-1] else None


def _stems(place: str) -> set[str]:
    return {word[:_STEM] for word in names.tokens(place) if word not in _NOUNS}
