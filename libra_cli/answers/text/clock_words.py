"""Writes times of day that a text tells in English words in figures: `half past nine` as `9:30`."""

from __future__ import annotations

import re

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_TIMES = [*_HOURS.split("|"), "fifteen", "twenty", "twenty-five", "thirty", "forty", "forty-five", "fifty"]
_NUMBERS = {word: int(words.number(word) or 0) for word in _TIMES}
_MIDDAYS = {"midnight": 12, "noon": 12, "midday": 12}
_MINUTES = r"half|(?:a )?quarter|(?:five|ten|twenty|twenty-five)(?: minutes)?|\d{1,2} minutes"
_PAST = lazy_pattern(
    rf"\b(?P<minutes>{_MINUTES}) (?P<way>past|to|after|before) "
    rf"(?P<hour>{_HOURS}|midnight|noon|midday|\d{{1,2}})\b(?![:.]\d| ?%)",
    re.IGNORECASE,
)
_SPELLED = lazy_pattern(
    rf"\b(?:at|is|until|to|by) (?P<hour>{_HOURS})[ -]"
    r"(?P<minutes>fifteen|thirty|forty-five|forty five|ten|twenty|forty|fifty)\b(?= (?:am|pm|a\.m|p\.m|in the)|[.!]?$)",
    re.IGNORECASE,
)
_HOUR = lazy_pattern(
    rf"(?:(?<=\bis )|(?<=\bat )|(?<=\bby )|(?<=['\u2019]s )|(?<=\buntil ))(?P<hour>{_HOURS})(?: o['\u2019]clock)?"
    r"(?= (?:in the (?:morning|afternoon|evening)|at night)\b)",
    re.IGNORECASE,
    one_of=("in the ", "at night"),
)
"""An hour in words with its part of the day: seven in the morning."""


def in_figures(text: str) -> str:
    """`text` with such times in figures."""
    if " past " in text or " to " in text or " after " in text or " before " in text:
        text = _PAST.sub(_in_digits, text)
    text = _SPELLED.sub(_in_digits, text)
    return _HOUR.sub(lambda time: f"{_NUMBERS[in_small_letters(time['hour'])]}:00", text)


def _in_digits(time: re.Match[str]) -> str:
    """A time in figures, with the word before it: half past nine, at nine thirty."""
    told = in_small_letters(time["minutes"]).removeprefix("a ").removesuffix(" minutes").replace(" ", "-")
    known = {"half": 30, "quarter": 15, **_MIDDAYS, **_NUMBERS}
    minutes, hour = (int(one) if one.isdecimal() else known[one] for one in (told, in_small_letters(time["hour"])))
    way = in_small_letters(time.groupdict().get("way", "past"))
    if not 0 < hour <= 12 or not 0 < minutes < 60 or (told == "half" and way != "past"):
        return time[0]
    before = time[0][: time.start("hour") - time.start()] if "way" not in time.re.groupindex else ""
    is_past = way in ("past", "after")
    if (of_day := in_small_letters(time["hour"])) in _MIDDAYS:
        half = "AM" if (of_day == "midnight") is is_past else "PM"
        return f"12:{minutes:02} {half}" if is_past else f"11:{60 - minutes:02} {half}"
    return f"{before}{hour}:{minutes:02}" if is_past else f"{(hour - 2) % 12 + 1}:{60 - minutes:02}"
