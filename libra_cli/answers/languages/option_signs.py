"""Writes options with small or other letters as Latin capitals: ア サメ イ イルカ, А) Венера, (a) tin (b) iron."""

from __future__ import annotations

import re
from functools import lru_cache

from libra_cli.lazy_pattern import lazy_pattern

_ALPHABETS = ("アイウエオカ", "АБВГДЕ", "абвгде", "أبجدهو", "ΑΒΓΔΕΖ", "कखगघङच", "ㄱㄴㄷㄹㅁㅂ")
_LATIN = "ABCDEFGH"
_SMALL = "abcdefgh"
_SMALL_LIST = lazy_pattern(r"\(?[a-h]\)?(?:(?:, ?(?:and )?| and | ?& ?)\(?[a-h]\)?)*")
_NOUNS = "réponse respuesta resposta risposta antwort antwoord ответ opción opzione opção letra lettre lettera"
_BEFORE_SMALL = [
    *_NOUNS.split(),
    *["option", "choice", "answer", "letter", "is", "'s", "\u2019s", "its", "and", ",", ":", "\u2192", "la", "die"],
]
_SMALL_CHOSEN = lazy_pattern(
    r"(?<![\w'\u2019\\])\(?[a-h]\)|^[*_]{0,2}[a-h](?=[*_]{0,2}(?:[.):,;]|$))|(?<=\{)[a-h](?=\})"
    rf"|(?:{'|'.join(f'(?<=(?i:{re.escape(word)}) )' for word in _BEFORE_SMALL)}|(?<=\*\*))"
    r"[a-h](?=[.,;:!)*]|$| (?:and|because|since|as) )",
    re.MULTILINE,
)
"""A small letter as people name an option by it: (b), it's b."""
_NOUN = rf"(?i:{'|'.join(_NOUNS.split())})\w*"
_TOLD = lazy_pattern(
    rf"{_NOUN}(?: (?:correct[ae]?|richtige?|giusta|exacte|corret[ao]))?"
    r"(?: (?:es|est|ist|\u00e9|\u00e8|is|er|\u00e4r)|:)?"
    rf"(?: (?:la|a|die|l|de|het))?(?: {_NOUN})? \(?(?P<letter>[A-J])\)?"
    r"(?=[.,;:!)]|$| (?:porque|car|weil|omdat|perch))"
)
_DENIED = lazy_pattern(r"\b(?i:no|non|ne|n['\u2019]est|nicht|keine?|niet|n\u00e3o|ikke|inte|pas)\b")
_BRACKETS = "()（）.．、:： "
_FEWEST = 3
"""Options that a question must list."""
_LETTER = r"[^\W\d_]"


def alphabet_of(reference: str) -> str | None:
    """The alphabet of whose letters a reference is one, with or without brackets; None if it is none."""
    sign = reference.strip(_BRACKETS)
    if sign and sign[0] in _SMALL and _SMALL_LIST.fullmatch(reference.strip(" .")):
        named = re.findall(r"\b[a-h]\b", reference)
        return _SMALL if named == sorted({*named}) else None
    return next((signs for signs in _ALPHABETS if sign in signs), None) if len(sign) == 1 else None


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
    if signs == _SMALL:
        return re.compile(r"(?<![\w'.])\(?(?P<sign>[a-h])[.)]\s+(?=\S)")
    return re.compile(rf"(?<!{own})[(（]?(?P<sign>[{signs}])(?:[)）.．、:：]\s*|[ \u3000]+)(?=\S)")


def _letters(signs: str) -> str:
    """The letters between which a sign is a part of a word."""
    return "[\u30a0-\u30ff]" if signs[0] == "ア" else _LETTER


def _replaced(text: str, signs: str) -> str:
    if signs == _SMALL:
        pattern = re.compile(r"\b[a-h]\b") if _SMALL_LIST.fullmatch(text.strip(" .")) else _SMALL_CHOSEN
        return pattern.sub(lambda match: match[0].upper(), text)
    own = _letters(signs)
    behind = r"(?=\s*(?:[)）.]|$))" if signs[0].islower() and text.strip(_BRACKETS) not in signs else ""  # а is "and"
    return re.sub(rf"(?<!{own})[{signs}](?!{own}){behind}", lambda match: _LATIN[signs.index(match[0])], text)


def told_abroad(sentence: str) -> str | None:
    """The letter that a sentence of another language calls the answer: la respuesta correcta es la opción D."""
    lowered = sentence.lower()
    if not any(map(lowered.__contains__, _NOUNS.split())):
        return None
    told = {match["letter"] for match in _TOLD.finditer(sentence)}
    if len(told) == 1 and not _DENIED.search(sentence):
        return told.pop()
    last = sentence.rstrip(" .*)$").rpartition(" ")[2].strip("(*$")
    is_letter = len(last) == 1 and last in "ABCDEFGHIJ"
    return last if is_letter else None
