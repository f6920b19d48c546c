"""Reads the members of a list of words: "They are blue, red and green (RGB)"."""

from __future__ import annotations

from libra_cli.answers.languages import names
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_SEPARATORS = lazy_pattern(r"\s*(?:[,;&]|\band\b|\bas well as\b|\n)\s*(?:and\b)?\s*")
_MEMBER = lazy_pattern(r"[A-Za-z][\w'\u2019-]+(?: [A-Za-z][\w'\u2019-]+){0,2}")
_LEADING = lazy_pattern(r"^.*(?::|\b(?:is|are|be|were|includes?|namely|comprises?|consists? of)\b)\s*")
_IN_BRACKETS = lazy_pattern(r"\s?\([^()]*\)")
_ARTICLE = lazy_pattern(r"^(?:[Tt]he|[Aa]n?|[Bb]oth) ")
_NO_MEMBERS = words.table("or not is are but than which that who then followed before after because so only all")
_MARKUP = " .!*_`{}[]$\"'"
_MOST = 8


def members(text: str) -> tuple[str, ...]:
    """The members of a text that is nothing but a list of two words or more; empty if it is none."""
    parts = [_ARTICLE.sub("", part.strip(_MARKUP)) for part in _SEPARATORS.split(text.strip(_MARKUP)) if part]
    are_words = 1 < len(parts) <= _MOST and all(map(_MEMBER.fullmatch, parts))
    if not are_words or not _NO_MEMBERS.isdisjoint(word.lower() for part in parts for word in part.split()):
        return ()
    return tuple(parts)


def stated(sentence: str, reference: str) -> str | None:
    """The list of words that a sentence states, where the reference is one; None if that is not certain.

    Beside members of the reference there is at most one other.
    """
    wanted = {" ".join(names.tokens(member)) for member in members(reference)}
    if not wanted:
        return None
    plain = _IN_BRACKETS.sub("", sentence)
    for text in (plain, _LEADING.sub("", plain)):
        found = members(text)
        told = {" ".join(names.tokens(member)) for member in found}
        if told and len(told - wanted) <= 1 and len(told & wanted) + 1 >= len(wanted):
            return ", ".join(found)
    return None
