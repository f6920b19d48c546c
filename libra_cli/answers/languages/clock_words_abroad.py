"""Writes times of day that a text tells in words of another language in figures: fünf nach vier, las cuatro y media."""

from __future__ import annotations

import re

from libra_cli.answers.languages import numerals
from libra_cli.lazy_pattern import lazy_pattern

_WORD = r"[^\W\d_]{2,14}|\d{1,2}"
_TIMES = {
    "de": lazy_pattern(
        rf"(?<!nach )(?<!vor )\b(?:(?P<half>halb) |(?P<minutes>Viertel|{_WORD})(?: Minuten)? (?P<way>nach|vor) )"
        rf"(?!halb\b)(?P<hour>{_WORD})"
        r"(?: Uhr)?(?=[.!,]|$| (?:morgens|abends|nachmittags|nachts))",
        one_of=("halb", "nach", "vor"),
    ),
    "es": lazy_pattern(
        rf"\b(?i:son|es|a) las? (?P<hour>{_WORD}) (?P<way>y|menos) (?P<minutes>cuarto|media|{_WORD})"
        r"(?=[.!,]|$| (?:de la|en punto))",
        one_of=("son la", "es la", "a la"),
    ),
    "fr": lazy_pattern(
        r"(?<!a )(?<!dans )(?<!dure )(?<!duré )(?<!pendant )(?<!durée de )(?<!prend )(?<!faut )"
        rf"\b(?P<hour>{_WORD}) heures? (?:(?P<way>et|moins)(?: le)? )?(?P<minutes>quart|demie?|{_WORD})"
        r"(?=[.!,]|$| (?:du|de l))",
        one_of=("heure",),
    ),
    "it": lazy_pattern(
        rf"\b(?i:sono le|è l['\u2019]|alle) ?(?P<hour>{_WORD}) (?P<way>e|meno) (?:un )?"
        rf"(?P<minutes>quarto|mezza|mezzo|{_WORD})"
        r"(?=[.!,]|$| (?:di|del))",
        one_of=("sono le", "è l", "alle"),
    ),
}
_TIME = lazy_pattern(r"(?:0?\d|1[0-2]):[0-5]\d")
_PARTS = {
    **dict.fromkeys(("viertel", "cuarto", "quart", "quarto"), 15),
    **dict.fromkeys(("media", "demie", "demi", "mezza", "mezzo"), 30),
}
_BEFORE = ("vor", "menos", "moins", "meno")
_HOURS, _MINUTES = range(1, 13), range(1, 60)


def in_figures(text: str, reference: str) -> str:
    """`text` with such times in figures, if the `reference` is a time without a half of the day."""
    if not _TIME.fullmatch(reference):
        return text
    for language, pattern in _TIMES.items():
        text = pattern.sub(lambda time, language=language: _in_digits(time, language), text)  # type: ignore[misc]
    return text


def _in_digits(time: re.Match[str], language: str) -> str:
    """A time in figures with the words before it; as it is if a word of it is no number."""
    is_half = bool(time.groupdict().get("half"))
    hour, minutes = _number(time["hour"], language), 30 if is_half else _number(time["minutes"], language)
    if hour not in _HOURS or minutes not in _MINUTES:
        return time[0]
    if is_half or time["way"] in _BEFORE:
        hour, minutes = (hour - 2) % 12 + 1, 60 - minutes
    before = "" if language in ("de", "fr") else time[0][: time.start("hour") - time.start()]
    return f"{before}{hour}:{minutes:02}"


def _number(word: str, language: str) -> int:
    """What a word counts; 0 if it is no number."""
    if word.isdecimal():
        return int(word)
    return _PARTS.get(word.lower()) or (1 if word in ("una", "une") else numerals.spelled_number(word, language) or 0)
