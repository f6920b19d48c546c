"""Compares answers in notations with their own rules: times of day, ratios, ranges, other bases, Roman numerals."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from libra_cli.answers.text.number import Number
from libra_cli.answers.values import dates
from libra_cli.lazy_pattern import lazy_pattern

_CLOCK = lazy_pattern(
    r"(?P<hour>\d{1,2})(?:(?::|h(?=\d))(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)?"
    r"(?: ?(?P<half>[ap])\.? ?m\.?| ?(?:hours|hrs|h|o'clock|uhr|heures|horas|uur))?",
    re.IGNORECASE,
)
_DURATION = lazy_pattern(
    r"(?P<hours>\d{1,4}) ?h(?:(?:ou)?rs?)?,? ?(?:and )?(?P<minutes>[0-5]?\d) ?m(?:in(?:ute)?s?)?\.?"
    r"(?:,? ?(?:and )?(?P<seconds>[0-5]?\d) ?s(?:ec(?:ond)?s?)?\.?)?"
    r"|(?P<whole>\d{1,4}):(?P<part>[0-5]\d)(?::(?P<rest>[0-5]\d))?"
)
_RANGE = lazy_pattern(r"(?P<low>-?\d+(?:\.\d+)?) ?(?:-{1,3}|to) ?(?P<high>\d+(?:\.\d+)?)")
_BASED = lazy_pattern(
    r"\(?(?P<digits>[0-9A-Fa-f]+)\)?"
    r"(?:_\{?\(?(?:base ?)?(?P<base>\d{1,2}|[a-z]+)\)?\}?| ?\(?(?:in )?base[ -]?(?P<suffix>\d{1,2}|[a-z]+)\)?)"
    r"|0(?P<prefix>[xbo])(?P<prefixed>[0-9A-Fa-f]+)",
    one_of=("_", "0x", "0o", "0b", "base"),
)
BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
          "eleven": 11, "twelve": 12, "sixteen": 16, "hex": 16, "x": 16, "b": 2, "o": 8}  # fmt: skip
_ROMAN = lazy_pattern(r"(?=[IVXLCDM]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_CONGRUENCE = lazy_pattern(
    r"(?:(?P<name>[a-z])?\\equiv ?)?(?P<residue>-?\d+) ?\(?\\pmod\{(?P<modulus>[1-9]\d*)\}\)?", one_of=("\\pmod{",)
)
_DAY, _HALF_DAY = 24 * 3600, 12 * 3600
_NAMED_TIMES = {"noon": _HALF_DAY, "midday": _HALF_DAY, "midnight": 0}
_TWELVE = ("", "12", "12:00", "12pm", "12:00pm")
_FIGURES = ("\\triangle", "\\angle")
MAX_CORNERS = 4


class Clock(NamedTuple):
    """A time of day in seconds."""

    seconds: int
    half: str | None
    """How the half of the day is known: `stated` by a.m. or p.m., `counted` to 24 hours, or None if ambiguous."""

    def equals(self, other: Clock) -> bool | None:
        """Whether both are the same time; None if that is uncertain.

        4:30 equals 4:30 p.m., with the half of the day left out. Whether it equals 16:30 is uncertain.
        """
        if (self.half is None) == (other.half is None):
            return self.seconds == other.seconds
        if "counted" in (self.half, other.half) and self.seconds != other.seconds:
            return None if (self.seconds - other.seconds) % _HALF_DAY == 0 else False
        return (self.seconds - other.seconds) % _HALF_DAY == 0


class Based(NamedTuple):
    """A number with an explicit base."""

    digits: str
    value: int
    base: int


def same(reference: str, answer: str, numbers: tuple[Number | None, Number | None]) -> bool | None:
    """Compare two normalized texts, at least one of them in a notation of this module; None if that is uncertain.

    `numbers` holds the values of the texts that are plain numbers.
    """
    verdicts = [verdict for compare in _COMPARISONS if (verdict := compare(reference, answer)) is not None]
    if verdicts:
        return verdicts[0] if len(set(verdicts)) == 1 else None  # 6:40 and 3:20 are equal as ratios but not as times
    span = _RANGE.fullmatch(answer)
    if span and numbers[0] is not None and numbers[0].value != float(span["low"]) - float(span["high"]):
        return False  # a range is not a number
    for text, number in ((reference, numbers[1]), (answer, numbers[0])):
        if number is None:
            continue
        terms = ratio(text) if ":" in text else None
        if terms is not None:
            if len(terms) == 2 and terms[1]:
                is_scale = terms[1] == number.value > 10  # 50000 for 1:50000
                return 1 / terms[1] == number.value or (None if is_scale else False)
            continue
        congruence = _CONGRUENCE.fullmatch(text)
        if congruence and text == answer:
            return int(congruence["residue"]) == number.value or (_is_residue(congruence, number.value) and None)
        numeral = roman(text.lstrip("+-"))
        if numeral is not None and (text[:1] not in "+-" or len(text) > 2):
            return (-numeral if text[:1] == "-" else numeral) == number.value
        literal = based(text) if text[:2] in ("0x", "0b", "0o") else None
        if literal:
            return literal.value == number.value
    return None


def is_noted(text: str) -> bool:
    """Whether a text is in one of the notations of this module."""
    if is_range(text) or _CONGRUENCE.fullmatch(text) or _figure(text):
        return True
    return any(read(text) is not None for read in (clock, ratio, based))


def is_range(text: str) -> bool:
    """Whether a text such as 10-12 may be a range, which must not be subtracted."""
    return _RANGE.fullmatch(text) is not None


def clock(text: str) -> Clock | None:
    """Parse a time of day; None if the text is none."""
    named = next(filter(text.lower().endswith, _NAMED_TIMES), None)
    if named and text[: -len(named)].lower().replace(".", "").replace(" ", "") in _TWELVE:
        return Clock(_NAMED_TIMES[named], "stated")
    time = _CLOCK.fullmatch(text)
    if time is None or text.isdecimal() or not int(time["hour"]) <= 24:
        return None
    hour, half = int(time["hour"]), (time["half"] or "").lower()
    seconds = hour * 3600 + int(time["minute"] or 0) * 60 + int(time["second"] or 0)
    if half:
        return Clock(seconds % _HALF_DAY + (_HALF_DAY if half == "p" else 0), "stated") if 1 <= hour <= 12 else None
    return Clock(seconds % _DAY, "counted" if hour > 12 or hour == 0 else None)


def same_durations(reference: str, answer: str) -> bool | None:
    """Compare 1 hour 15 minutes with 1 h 15 min or 1:15; None unless the hours of one are named."""
    wanted, given = _DURATION.fullmatch(reference), _DURATION.fullmatch(answer)
    if not wanted or not given or not (wanted["hours"] or given["hours"]):
        return None
    seconds = [
        3600 * int(found["hours"] or found["whole"])
        + 60 * int(found["minutes"] or found["part"])
        + int(found["seconds"] or found["rest"] or 0)
        for found in (wanted, given)
    ]
    return seconds[0] == seconds[1]


def ratio(text: str) -> tuple[Fraction, ...] | None:
    """Parse a ratio such as 3:2 into its terms, divided by the first one that is not 0."""
    written = [term.strip() for term in text.strip("()").replace("to", ":").split(":")]
    if len(written) < 2 or not all(term[:1].isdecimal() and _is_decimal(term) for term in written):
        return None
    terms = [Fraction(term) for term in written]
    unit = next((term for term in terms if term), None)
    return None if unit is None else tuple(term / unit for term in terms)


def _is_decimal(text: str) -> bool:
    return text.isascii() and text[-1:].isdecimal() and text.replace(".", "", 1).isdecimal()


def based(text: str) -> Based | None:
    """Parse a number with its base: 101_2, 1F_{16}, 101 base 2, 0x1F."""
    match = _BASED.fullmatch(text)
    if match is None:
        return None
    digits, base_name = match["digits"] or match["prefixed"], match["base"] or match["suffix"] or match["prefix"]
    base = int(base_name) if base_name.isdecimal() else BASES.get(base_name, 0)
    try:
        return Based(digits.lstrip("0") or "0", int(digits, base), base) if base > 1 else None
    except ValueError:  # a_1 is a variable
        return None


def roman(text: str) -> int | None:
    """The value of a Roman numeral of at least two letters; None for any other text."""
    if not _ROMAN.fullmatch(text):
        return None
    values = [_ROMAN_VALUES[letter] for letter in text]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


def _by_value(read: Callable[[str], Any]) -> Callable[[str, str], bool | None]:
    """Comparison of the values that `read` parses; None if it cannot parse both texts."""

    def compare(reference: str, answer: str) -> bool | None:
        wanted = read(reference)
        given = None if wanted is None else read(answer)
        return None if given is None else bool(wanted == given)

    return compare


def _same_times(reference: str, answer: str) -> bool | None:
    wanted, given = clock(reference), clock(answer)
    if wanted and not given and wanted.half == "stated":
        return False if _is_decimal(answer.removeprefix("-").replace(":", ".")) else None
    return wanted.equals(given) if wanted and given else None


def _same_bases(reference: str, answer: str) -> bool | None:
    wanted, given = based(reference), based(answer)
    if wanted and (_BASED.fullmatch(answer) or answer.isalnum()) and not given:
        return None if answer.isdecimal() else answer.upper() == wanted.digits.upper()  # 1002_2 is no number
    return wanted.value == given.value if wanted and given else None


def _same_congruences(reference: str, answer: str) -> bool | None:
    wanted, given = _CONGRUENCE.fullmatch(reference), _CONGRUENCE.fullmatch(answer)
    if given and not wanted and not given["name"] and reference.lstrip("-").isdecimal():  # a remainder: 3 mod 10
        same = int(reference) == int(given["residue"])
        return True if same else False if (int(reference) - int(given["residue"])) % int(given["modulus"]) else None
    if wanted and not given and not wanted["name"] and answer.removeprefix("-").isdecimal():
        return wanted["residue"] == answer or (_is_residue(wanted, Fraction(answer)) and None)
    if not wanted or not given:
        name, _, value = answer.rpartition("=")
        return False if wanted and len(name) < 2 and value.removeprefix("-").isdecimal() else None
    modulus = int(wanted["modulus"])
    congruent = modulus == int(given["modulus"]) and (int(wanted["residue"]) - int(given["residue"])) % modulus == 0
    return congruent and (wanted["name"] or given["name"]) == (given["name"] or wanted["name"])


def _is_residue(congruence: re.Match[str], value: Fraction) -> bool:
    return (value - int(congruence["residue"])) % int(congruence["modulus"]) == 0


def _same_figures(reference: str, answer: str) -> bool | None:
    """Compare triangles and angles by their corners; the middle corner of an angle must agree."""
    wanted, given = _figure(reference), _figure(answer)
    if not wanted or not given or wanted[0] != given[0]:
        return None
    if wanted[0] == "\\angle" and wanted[1][1:2] != given[1][1:2]:
        return False
    return sorted(wanted[1]) == sorted(given[1])


def _figure(text: str) -> tuple[str, str] | None:
    """The command and the corners of a triangle or an angle."""
    command = next(filter(text.startswith, _FIGURES), None)
    corners = text.removeprefix(command).lstrip() if command else ""
    is_figure = corners.isalpha() and corners.isascii() and corners.isupper() and len(corners) <= MAX_CORNERS
    return (command, corners) if command and is_figure else None


_COMPARISONS = (
    _same_figures,
    _by_value(roman),
    _same_congruences,
    _same_times,
    _by_value(ratio),
    _by_value(lambda text: (span := _RANGE.fullmatch(text)) and [float(end) for end in span.groups()]),
    _same_bases,
    dates.same,
)
