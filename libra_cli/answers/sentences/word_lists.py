"""Reads the members of a list of words: "They are blue, red and green (RGB)"."""

from __future__ import annotations

from libra_cli.answers.languages import names
from libra_cli.answers.text import words
from libra_cli.answers.values import science
from libra_cli.lazy_pattern import lazy_pattern

_SEPARATORS = lazy_pattern(r"\s*(?:[,;&]|\band\b|\bas well as\b|\n)\s*(?:and\b)?\s*")
_MEMBER = lazy_pattern(r"[A-Za-z][\w'\u2019-]+(?: [A-Za-z][\w'\u2019-]+){0,2}")
_LEADING = lazy_pattern(r"^.*(?::|\b(?:is|are|be|were|includes?|namely|comprises?|consists? of)\b)\s*")
_NAME = r"(?:[Tt]he )?[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*){0,2}"
_SUBJECTS = lazy_pattern(
    rf"^(?:(?:So|Hence|Thus),? )?(?P<list>{_NAME}(?:, (?:and )?{_NAME}){{0,6}},? and {_NAME}) (?P<verb>[a-z]{{2,}}.*)$"
)
"""Scotland, Wales and England share it."""
_IN_BRACKETS = lazy_pattern(r"\s?\([^()]*\)")
_ARTICLE = lazy_pattern(r"^(?:[Tt]he|[Aa]n?|[Bb]oth) ")
_NO_MEMBERS = words.table("or not is are but than which that who then followed before after because so only all")
_DENIED = words.table("not never only no don't doesn't aren't isn't do are is without except but and or")
_MARKUP = " .!*_`{}[]$\"'"
_MOST = 8
_BULLET = lazy_pattern(r"^\s*(?:[-*\u2022\u2013]|\(?\d{1,2}[.)])\s+")


def members(text: str) -> tuple[str, ...]:
    """The members of a text that is nothing but a list of two words or more; empty if it is none."""
    parts = [_ARTICLE.sub("", part.strip(_MARKUP)) for part in _SEPARATORS.split(text.strip(_MARKUP)) if part]
    are_words = 1 < len(parts) <= _MOST and all(map(_MEMBER.fullmatch, parts))
    if not are_words or not _NO_MEMBERS.isdisjoint(word.lower() for part in parts for word in part.split()):
        return ()
    return tuple(parts)


def of_lines(text: str) -> str:
    """The items of the bullets or numbers that end a text, as one list; empty if there are not two or more."""
    found: list[str] = []
    for line in reversed(text.rstrip().split("\n")):
        bullet = _BULLET.match(line)
        if bullet is None:
            break
        found.append(line[bullet.end() :])
    return ", ".join(found[::-1]) if len(found) > 1 else ""


def _keys(found: tuple[str, ...]) -> set[str]:
    """The members in the singular, without articles and accents."""
    return {
        member
        if any(map(str.isdigit, member))
        else science.element(member) or " ".join(word.removesuffix("s") for word in names.tokens(member))
        for member in found
    }


def stated(sentence: str, reference: str) -> str | None:
    """The list of words that a sentence states, where the reference is one; None if that is not certain.

    Beside members of the reference there is at most one other.
    """
    listed = {key: member for member in members(reference) for key in _keys((member,))}
    wanted = set(listed)
    if not wanted:
        return None
    plain = _IN_BRACKETS.sub("", sentence).replace("**", "")
    subjects = _SUBJECTS.match(plain)
    is_denied = subjects and not _DENIED.isdisjoint(words.split(subjects["verb"].lower().replace("\u2019", "'")))
    led = [subjects["list"]] if subjects and not is_denied else []
    for text in (*led, plain, _LEADING.sub("", plain)):
        found = members(text)
        told = _keys(found)
        if told and len(told - wanted) <= 1 and len(told & wanted) + 1 >= len(wanted):
            return ", ".join(listed.get(key, member) for member in found for key in _keys((member,)))
    return None
