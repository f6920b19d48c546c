"""Parses plain numbers in any notation, and compares them by exact rational arithmetic."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

MAX_EXPONENT = 1000
ROUNDED_DIGITS = 3
"""Significant digits from which a decimal reference may be the rounded value of something exact."""
APPROXIMATE_PLACES = 6
FLOAT_DIGITS = 12
"""A decimal with this many significant digits is a printed float: its last digits are noise."""

_DECIMAL = r"(?:\d+\.\d{3}(?: \d{3})+(?: \d{1,2})?(?! ?\d)|\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)"
_SIGNED = lazy_pattern(rf"[-+]?{_DECIMAL}")
_FRACTION = lazy_pattern(
    r"(?P<sign>[-+]?)(?:(?P<whole>\d+)(?: |(?=\\)))?"
    rf"(?:\\frac\{{(?P<top>[-+]?{_DECIMAL})\}}\{{(?P<bottom>[-+]?{_DECIMAL})\}}"
    rf"|\(?(?P<over>{_DECIMAL})/(?P<under>{_DECIMAL})\)?)"
)
_SCIENTIFIC = lazy_pattern(
    rf"(?:(?P<factor>[-+]?{_DECIMAL})(?:\\times|\\cdot|\*)|(?P<sign>-?))"
    r"10\^(?:\{(?P<braced>[-+]?\d+)\}|(?P<bare>-?\d{1,2}))"
    rf"|(?P<before_e>[-+]?{_DECIMAL})[eE](?P<behind_e>[-+]?\d+)"
)
_REPEATING = lazy_pattern(
    r"(?P<sign>[-+]?)(?P<whole>\d*)\.(?P<head>\d*?)"
    r"(?:\\(?:overline|bar|dot)\{?(?P<period>\d+)\}?|\((?P<bracketed>\d+)\)"
    r"|(?P<written>\d+?)(?P=written)+(?:\.\.\.|\\[lc]?dots| ?\(?(?:repeating|recurring)\)?))",
    one_of=(".",),
)
MULTIPLIERS = {
    "dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "lakhs": 10**5, "lakh": 10**5, "crores": 10**7, "crore": 10**7,
}  # fmt: skip
_PERCENTS = ("\\%", "%", "percent", "pct.", "pct")
_MOST_CHARS = 512
"""Characters of a text that may be a fraction, a power of ten or a repeating decimal."""
_LONGEST_INTEGER = 18
"""Digits of an integer that is read without a pattern."""
_WITH_DECIMAL_COMMA = lazy_pattern(r"(-?\d+,\d+)(?: ?[A-Za-z€°].*)?")


@dataclass(frozen=True)
class Number:
    """A rational number and its notation."""

    value: Fraction
    places: int = 0
    """Digits after the decimal point; 0 if the number is not a decimal, and below 0 in 3.01 \\times 10^{23}."""
    significant: int = 0
    """Significant digits of a decimal."""
    percent: bool = False


def parse(text: str) -> Number | None:
    """Parse the normalized `text` as a number; None if it is none."""
    digits = text.removeprefix("-")
    if digits.isdecimal() and digits.isascii() and len(digits) <= _LONGEST_INTEGER:
        return Number(Fraction(int(text)))
    if text.endswith("\u2030"):
        thousandths = parse(text[:-1])
        return thousandths and Number(thousandths.value / 1000)
    percent = next(filter(text.endswith, _PERCENTS), None)
    number = _parse(text.removesuffix(percent).rstrip() if percent else text)
    if number is None or percent is None:
        return number
    places = number.places + 2 if number.places else 0
    return Number(number.value / 100, places, number.significant, percent=True)


def is_bare(text: str) -> bool:
    """Whether a text is only digits with points, commas and signs: it has no unit, no name and no other notation."""
    return text[-1:].isdecimal() and text[:1] not in ".," and not text.strip("0123456789.,-")


def _parse(text: str) -> Number | None:
    """Parse a number without a percent sign."""
    if _SIGNED.fullmatch(text):
        return _decimal(text)
    for pattern, make in _FORMS if len(text) <= _MOST_CHARS else ():
        match = pattern.fullmatch(text)
        if match is not None:
            return make(match)
    return _with_word(text)


def _with_word(text: str) -> Number | None:
    """Parse an ordinal, a number with a multiplier, or one in words: 21st, 3 million, seven."""
    if text[:1].isalpha():
        value = words.number(text)
        return None if value is None else Number(value)
    bare = text.removesuffix("}").lower()
    figures = bare.rstrip("abcdefghijklmnopqrstuvwxyz")
    word, factor = bare[len(figures) :], figures.rstrip(" ")
    if word in MULTIPLIERS and bare == text.lower() and _SIGNED.fullmatch(factor):
        return Number(_decimal(factor).value * MULTIPLIERS[word])
    ordinal = figures.removesuffix("{").removesuffix("^")
    if ordinal.isdecimal() and word in ("th", {"1": "st", "2": "nd", "3": "rd"}.get(ordinal[-1])):
        return Number(Fraction(int(ordinal)))
    return None


def _decimal(text: str) -> Number:
    plain = text.replace(",", "").replace(" ", "")
    whole, _, places = plain.partition(".")
    return Number(Fraction(plain.rstrip(".")), len(places), len((whole + places).lstrip("+-0")) if places else 0)


def _fraction(match: re.Match[str]) -> Number | None:
    top, bottom = (
        _decimal(match[name] or match[other]).value for name, other in (("top", "over"), ("bottom", "under"))
    )
    if not bottom:
        return None
    value = top / bottom
    if match["whole"] is not None:
        if value < 0 or (value >= 1 and match["top"]):
            return None  # 2 \\frac{3}{2} is a product, if anything
        value += int(match["whole"])
    return Number(-value if match["sign"] == "-" else value)


def _scientific(match: re.Match[str]) -> Number | None:
    exponent = int(match["braced"] or match["bare"] or match["behind_e"])
    if abs(exponent) > MAX_EXPONENT:
        return None
    factor = _decimal(match["factor"] or match["before_e"] or f"{match['sign']}1")
    places = factor.places - exponent if factor.places else 0
    return Number(factor.value * Fraction(10) ** exponent, places, factor.significant)


def _repeating(match: re.Match[str]) -> Number:
    head, period = match["head"], str(match["period"] or match["bracketed"] or match["written"])
    value = Fraction(int(match["whole"] or 0)) + Fraction(int(head or 0), 10 ** len(head))
    value += Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(head))
    return Number(-value if match["sign"] == "-" else value)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Number | None]], ...] = (
    (_FRACTION, _fraction),
    (_SCIENTIFIC, _scientific),
    (_REPEATING, _repeating),
)


def is_listed(text: str, value: Fraction) -> bool | None:
    """Whether the list `text` may as well be written for the number `value`; None if that is uncertain.

    1,23,45,678 is 12345678 in Indian groups, 2 and 3/8 is 19/8, and 2,5 may be 2.5 or two numbers.
    """
    whole, joined, part = text.partition("and")
    if joined:
        fraction = parse(part.strip()) if "/" in part or "frac" in part else None
        return fraction is not None and whole.strip().isdecimal() and int(whole) + fraction.value == value
    whole, _, places = text.removeprefix("-").partition(".")
    first, *middle, last = whole.split(",") if "," in whole else ("", "")
    if 0 < len(first) < 3 and len(last) == 3 and middle and {*map(len, middle)} == {2}:
        figures = f"{whole.replace(',', '')}.{places or 0}"
        return figures.replace(".", "").isdecimal() and parse(figures.removesuffix(".0")) == Number(
            -value if text.startswith("-") else value
        )
    with_comma = _WITH_DECIMAL_COMMA.fullmatch(text)
    if with_comma and Fraction(with_comma[1].replace(",", ".")) == value:
        return None
    return False


def written(value: Fraction) -> str:
    """A number in digits, with a fraction where it has no decimal form."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if value.denominator == 1 or rest != 1:
        return str(value)
    places = next(places for places in range(1, 64) if (value * 10**places).denominator == 1)
    figures = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{figures[:-places]}.{figures[-places:]}"


def same(a: Number, b: Number) -> bool:
    """Whether two numbers are equal, exactly or because one is a decimal that approximates the other closely."""
    return a.value == b.value or approximates(a, b.value) or approximates(b, a.value)


def can_be_rounded(decimal: Number) -> bool:
    """Whether a decimal has so many digits that it may stand for whatever exact value rounds to it."""
    return decimal.places != 0 and decimal.significant >= ROUNDED_DIGITS


def rounds(value: Fraction, decimal: Number) -> bool:
    """Whether `value` is another number than `decimal`, and rounds to it."""
    off = abs(decimal.value - value)
    return off != 0 and off * Fraction(10) ** decimal.places <= Fraction(1, 2)


def may_be_rounded(reference: Number, answer: Number, is_measured: bool = False) -> bool:
    """Whether the answer is more exact than a decimal reference and rounds to it: 12.3472 and 12.35, 2/3 and 0.667.

    What is measured is given with two digits, too: 3.64 m for 3.6 m.
    """
    has_digits = can_be_rounded(reference) or (is_measured and reference.places != 0 and reference.significant > 1)
    if not has_digits or not rounds(answer.value, reference):
        return False
    return answer.places > reference.places or (answer.places == 0 and answer.value.denominator != 1)


def is_more_exact(reference: Number, answer: Number) -> bool:
    """Whether the answer has more places than a reference of three digits or more, and rounds to it: 373.15 for 373."""
    digits = reference.significant or len(str(abs(reference.value.numerator)).rstrip("0"))
    is_rounded = reference.value.denominator == 1 or reference.places != 0
    return (
        is_rounded and digits >= ROUNDED_DIGITS and answer.places > reference.places and rounds(answer.value, reference)
    )


def is_approximation(decimal: Number) -> bool:
    """Whether a decimal has enough places and digits to represent an irrational number."""
    return decimal.places >= APPROXIMATE_PLACES <= decimal.significant


def approximates(decimal: Number, value: Fraction) -> bool:
    """Whether `decimal` approximates `value`, which is not exact at this number of places.

    Two kinds of decimals qualify: those with at least six places and six significant digits that are off by less than
    one unit in the last place (0.333333 is 1/3, 0.333 and 0.33 are not), and floats that are off by rounding noise
    (119.69999999999999).
    """
    if decimal.places < 1 or decimal.significant < APPROXIMATE_PLACES:
        return False
    off = abs(decimal.value - value)
    scale = 10**decimal.places
    if (value * scale // 100 * 100) == value * scale:  # exact with two places fewer: the rest can only be noise
        return decimal.significant >= FLOAT_DIGITS and off <= abs(value) / 10**FLOAT_DIGITS
    if (value * scale).denominator == 1:
        return False
    close = decimal.significant >= FLOAT_DIGITS and off <= abs(value) / 10**FLOAT_DIGITS
    return close or (decimal.places >= APPROXIMATE_PLACES and off * scale < 1)
