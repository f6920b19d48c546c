"""Reads decimal commas: 2,5 is two and a half where the language of the text writes so, and else a list."""

from __future__ import annotations

import re

from libra_cli.answers.languages import COMMA_WORDS, ENGLISH, STATEMENTS, TAIL_CHARS
from libra_cli.lazy_pattern import lazy_pattern

_NOUNS_OF_COMMAS = frozenset(
    noun for language in ("es", "fr", "de", "pt", "it", "nl", "ru", "pl") for noun in STATEMENTS[language][0].split()
)
_WORD = lazy_pattern(r"[^\W\d_]+")
_COMMA_NUMBER = lazy_pattern(
    r"(?<!\d)(-?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,})))(?!\d|,\d)(?P<rest>\s*(?:\\%|%|€|\\?[A-Za-z]\S{0,20})?)"
)
_GROUP_OR_PLACES = lazy_pattern(r"-?[1-9]\d{0,2}[.,]\d{3}(?: ?(?:\u20ac|Euro|euros?))?")
_NO_DECIMAL_BEHIND = frozenset("([{,.$0123456789")
"""What stands before a comma of a list or a pair."""


def with_decimal_point(answer: str, text: str) -> str:
    """`answer` with its comma marked as a decimal one (`2{,}5`), if the language of `text` writes such commas."""
    number = _COMMA_NUMBER.fullmatch(answer)
    if number is None or not _writes_decimal_commas(text):
        return answer
    return number[1].replace(",", "{,}") + number["rest"]


def with_decimal_points(text: str) -> str:
    """`text` with points in its decimal numbers, if its language writes commas there; pairs in brackets stay."""
    if "," not in text or _COMMA_NUMBER.search(text) is None or not _writes_decimal_commas(text):
        return text
    return _COMMA_NUMBER.sub(_with_point, text)


def _with_point(number: re.Match[str]) -> str:
    before = number.string[number.start() - 1 : number.start()]
    return number[0] if before in _NO_DECIMAL_BEHIND else number[1].replace(",", ".") + number["rest"]


def groups_may_be_places(answer: str, text: str) -> bool:
    """Whether three digits behind a mark may be decimal places or a group: 1,250 in a text in French."""
    is_open = len(answer) < 16 and ("," in answer or "." in answer) and _GROUP_OR_PLACES.fullmatch(answer) is not None
    return is_open and _writes_decimal_commas(text)


def _writes_decimal_commas(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text[-TAIL_CHARS:])}
    if not words.isdisjoint(_NOUNS_OF_COMMAS):
        return True
    most = max(len(words & known) for known in COMMA_WORDS.values())
    return most >= 2 and most > len(words & ENGLISH)
