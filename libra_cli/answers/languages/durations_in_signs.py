"""Reads durations in Chinese, Japanese and Korean in the unit that a question asks for: 2小时30分钟 as 150 minutes."""

from __future__ import annotations

from fractions import Fraction

from libra_cli.answers.languages import signs
from libra_cli.answers.text import number, words
from libra_cli.lazy_pattern import lazy_pattern

_HOUR, _MINUTE = 60, 1
_HOURS = "小时|小時|個小時|个小时|個小时|鐘頭|钟头|時間|시간"
_DURATION = lazy_pattern(
    rf"(?<![\d.])(?P<hours>\d+(?:\.\d+)?) ?(?:个|個)?(?:{_HOURS})(?:零|と|又)? ?"
    r"(?:(?P<minutes>\d{1,2}) ?(?:分钟|分鐘|分間|分|분)|(?P<half>半|반))?"
)
_ASKED = (
    (_MINUTE, ("多少分钟", "几分钟", "多少分鐘", "幾分鐘", "何分", "몇 분", "몇분")),
    (_HOUR, ("多少小时", "几小时", "几个小时", "多少小時", "幾小時", "何時間", "몇 시간", "몇시간")),
)


def read(text: str, question: str) -> str | None:
    """The only duration of the last sentence in the unit of the question; None for other texts and questions."""
    asked = words.sentences(question)[-1]
    units = [unit for unit, wordings in _ASKED if any(map(asked.__contains__, wordings))]
    sentence = words.sentences(text)[-1]
    if len(units) != 1 or sentence.isascii():
        return None
    plain = signs.with_digits(sentence, signs.language_of(sentence))
    found = [*_DURATION.finditer(plain)]
    rest = _DURATION.sub("", plain)
    if len(found) != 1 or any(map(str.isdigit, rest)):
        return None
    hours, minutes, half = found[0].group("hours", "minutes", "half")
    if units == [_HOUR] and not (minutes or half):  # as it stands
        return None
    total = Fraction(hours) * _HOUR + Fraction(minutes or 0) + (_HOUR // 2 if half else 0)
    return number.written(total / units[0])
