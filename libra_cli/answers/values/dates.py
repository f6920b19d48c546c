"""Compares dates in any order that is unambiguous: March 14, 2025; 14 March 2025; 2025-03-14."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import NamedTuple

from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 48
_MONTH = lazy_pattern(
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b(?=[., ]*\d)|(?<=[\dthd] )(?:of )?(?:january|february|march|april|may|june|july"
    r"|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b",
    re.IGNORECASE,
    one_of=("nov", "jul", "may", "sep", "aug", "jan", "mar", "oct", "apr", "feb", "jun", "dec"),
)
_NUMERIC = lazy_pattern(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})", one_of=("-", "/", "."))
_STATED = lazy_pattern(
    r"(?:\b\d{1,2}(?:st|nd|rd|th)? (?:of )?)?\b(?:january|february|march|april|may|june|july|august|september|october"
    r"|november|december)\b(?: \d{1,2}(?:st|nd|rd|th)?\b)?(?:,? \d{4}\b)?|\b\d{4}-\d\d-\d\d\b",
    re.IGNORECASE,
)
"""A date as sentences write it."""
_ORDINAL = lazy_pattern(r"(?<=\d)(?:st|nd|rd|th)\b(?: of\b)?|\b(?:the|of)\b")


_YEAR = lazy_pattern(r"(?<![\d.,:$])(?:1[5-9]|20)\d\d(?![\d:]|[.,]\d)")
_DEFAULTS = (datetime.datetime(1904, 1, 1), datetime.datetime(1908, 1, 2))
"""What they do not share in a parsed date, the text leaves out."""


class Date(NamedTuple):
    """A date whose year or day may be left out."""

    year: int | None
    month: int
    day: int | None


def stated(text: str) -> list[str]:
    """The dates that stand in a sentence, as they are written, each once."""
    return list(dict.fromkeys(match[0] for match in _STATED.finditer(text) if any(map(str.isdigit, match[0]))))


@lru_cache(1 << 10)
def dates(text: str) -> frozenset[Date]:
    """Dates that the normalized `text` may mean; empty if it is none, two if the order of day and month is open."""
    if len(text) > MAX_CHARS or not any(map(str.isdigit, text)):
        return frozenset()
    numeric = _NUMERIC.fullmatch(text)
    if numeric:
        return _numeric(int(numeric[1]), int(numeric[3]), int(numeric[4]), numeric[1], numeric[4], mark=numeric[2])
    if not _MONTH.search(text):
        return frozenset()
    from dateutil import parser

    spaced = _ORDINAL.sub(" ", text).replace(",", ", ")
    try:
        first, second = (parser.parse(spaced, default=default) for default in _DEFAULTS)
    except (ValueError, OverflowError, TypeError):
        return frozenset()
    year = first.year if first.year == second.year else None
    return frozenset({Date(year, first.month, first.day if first.day == second.day else None)})


def _numeric(first: int, second: int, third: int, *written: str, mark: str) -> frozenset[Date]:
    if len(written[0]) == 4:
        found = [(first, second, third)]
    elif len(written[1]) == 4:
        found = [(third, second, first)] if mark == "." else [(third, first, second), (third, second, first)]
    else:
        return frozenset()
    return frozenset(Date(year, month, day) for year, month, day in found if 1 <= month <= 12 and 1 <= day <= 31)


def is_date(text: str) -> bool:
    """Whether a text is a date for certain: 3/4/2025 may be a fraction as well."""
    if " " in text or "," in text:
        return len(text) <= MAX_CHARS and _MONTH.search(text) is not None and bool(dates(text))
    return text[4:5] == "-" and text[:4].isdecimal() and bool(dates(text))


def without(found: list[str], question: str) -> list[str]:
    """Dates as they are written, but for those that a question gives."""
    given = [date for text in stated(question) for date in dates(text)]
    return [text for text in found if not any(_agree(date, one) is not False for date in dates(text) for one in given)]


def with_year_of(text: str, question: str) -> str:
    """A date without a year with the only year that a question names: February 29, 2024."""
    years = set(_YEAR.findall(question))
    has_year = any(date.year is not None for date in dates(text))
    return text if has_year or len(years) != 1 else f"{text}, {years.pop()}"


def same(reference: str, answer: str) -> bool | None:
    """Whether two normalized texts are the same date; None unless one of them is a date for certain."""
    wanted, given = dates(reference), dates(answer)
    if not (wanted and given):
        return False if is_date(reference) and answer.isdecimal() else None
    if not (is_date(reference) or is_date(answer)):
        return None
    verdicts = {_agree(one, other) for one in wanted for other in given}
    return verdicts.pop() if len(verdicts) == 1 else (None if True in verdicts or None in verdicts else False)


def _agree(a: Date, b: Date) -> bool | None:
    """Whether two dates are one; None if one of them leaves out what the other says."""
    if any(x is not None and y is not None and x != y for x, y in zip(a, b, strict=True)):
        return False
    return True if a == b else None
