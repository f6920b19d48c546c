"""Writes options with the letters of other alphabets as Latin ones: ア サメ イ イルカ, А) Венера Б) Марс."""

from __future__ import annotations

import re
from functools import lru_cache

_ALPHABETS = ("アイウエオカ", "АБВГДЕ", "абвгде", "أبجدهو", "ΑΒΓΔΕΖ", "कखगघङच", "ㄱㄴㄷㄹㅁㅂ")
_LATIN = "ABCDEF"
_BRACKETS = "()（）.．、:： "
_FEWEST = 3
"""Options that a question must list."""
_LETTER = r"[^\W\d_]"


def alphabet_of(reference: str) -> str | None:
    """The alphabet of whose letters a reference is one, with or without brackets; None if it is none."""
    sign = reference.strip(_BRACKETS)
    return next((signs for signs in _ALPHABETS if len(sign) == 1 and sign in signs), None)


def with_latin(reference: str, response: str, question: str) -> tuple[str, str, str]:
    """The three texts with Latin letters for the options, if the question lists such options, and the reference is one.

    `response` may be the answer of one.
    """
    signs = alphabet_of(reference)
    pattern = _listed(signs) if signs else None
    marks = [*pattern.finditer(question)] if pattern else []
    if not signs or "".join(match["sign"] for match in marks) != signs[: max(len(marks), _FEWEST)]:
        return reference, response, question
    for match in reversed(marks):
        letter = _LATIN[signs.index(match["sign"])]
        question = f"{question[: match.start()].rstrip()}\n{letter}. {question[match.end() :].lstrip()}"
    return _replaced(reference, signs), _replaced(response, signs), question


@lru_cache(8)
def _listed(signs: str) -> re.Pattern[str]:
    own = _letters(signs)
    return re.compile(rf"(?<!{own})[(（]?(?P<sign>[{signs}])(?:[)）.．、:：]\s*|[ \u3000]+)(?=\S)")


def _letters(signs: str) -> str:
    """The letters between which a sign is a part of a word."""
    return "[\u30a0-\u30ff]" if signs[0] == "ア" else _LETTER


def _replaced(text: str, signs: str) -> str:
    own = _letters(signs)
    behind = r"(?=\s*(?:[)）.]|$))" if signs[0].islower() and text.strip(_BRACKETS) not in signs else ""  # а is "and"
    return re.sub(rf"(?<!{own})[{signs}](?!{own}){behind}", lambda match: _LATIN[signs.index(match[0])], text)
