"""Reads decimal commas: 2,5 is two and a half where the language of the text writes so, and else a list."""

from __future__ import annotations

import re
from collections.abc import Iterable

from libra_cli.answers import abroad
from libra_cli.answers.glosses import DECIMAL_COMMAS
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


def with_decimal_point(answer: str, text: str, question: str | None = None) -> str:
    """`answer` with its comma marked as a decimal one (`2{,}5`), if the language of `text` writes such commas."""
    number = _COMMA_NUMBER.fullmatch(answer)
    if number is None or not (_writes_decimal_commas(text) or _is_in_such_a_language(text, question)):
        return answer
    return number[1].replace(",", "{,}") + number["rest"]


def with_decimal_points(text: str, question: str | None = None) -> str:
    """`text` with points in its decimal numbers, if its language writes commas there; pairs in brackets stay."""
    if "," not in text or _COMMA_NUMBER.search(text) is None:
        return text
    if not (_writes_decimal_commas(text) or _is_in_such_a_language(text, question)):
        return text
    return _COMMA_NUMBER.sub(_with_point, text)


def _with_point(number: re.Match[str]) -> str:
    before = number.string[number.start() - 1 : number.start()]
    return number[0] if before in _NO_DECIMAL_BEHIND else number[1].replace(",", ".") + number["rest"]


def in_reference(reference: str, answer: str, texts: Iterable[object]) -> str:
    """`reference` with its comma marked as a decimal one, if a unit follows it or a text is in such a language.

    `texts` are the question and the response. A reference beside a list stays as it is.
    """
    number = _COMMA_NUMBER.fullmatch(reference)
    if number is None or ("," in answer and not _COMMA_NUMBER.fullmatch(answer)):
        return reference
    has_unit = bool(number["rest"].strip())
    is_decimal = has_unit or any(_is_in_such_a_language(text, None) for text in texts if isinstance(text, str))
    return number[1].replace(",", "{,}") + number["rest"] if is_decimal else reference


def groups_may_be_places(answer: str, text: str) -> bool:
    """Whether three digits behind a mark may be decimal places or a group: 1,250 in a text in French."""
    is_open = len(answer) < 16 and ("," in answer or "." in answer) and _GROUP_OR_PLACES.fullmatch(answer) is not None
    return is_open and (_writes_decimal_commas(text) or _is_in_such_a_language(text[-TAIL_CHARS:], None))


def _writes_decimal_commas(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text[-TAIL_CHARS:])}
    if not words.isdisjoint(_NOUNS_OF_COMMAS):
        return True
    most = max(len(words & known) for known in COMMA_WORDS.values())
    return most >= 2 and most > len(words & ENGLISH)


def _is_in_such_a_language(text: str, question: str | None) -> bool:
    """Whether the small words of a text, or else of its question, tell a language with decimal commas."""
    return (abroad.language_of(text) or abroad.language_of(question or "")) in DECIMAL_COMMAS
