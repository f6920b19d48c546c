"""Writes a bound and the values that a text leaves out of it as conditions: x > -2 except x = 1 is x > -2, x ≠ 1."""

from __future__ import annotations

import re

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

_NUMBER = r"[-\u2212]?\d{1,12}(?:[./]\d{1,12})?"
_SIGN = r"(?:[<>]=?|[\u2264\u2265]|\\(?:leq?|geq?|lt|gt)(?![A-Za-z]))"
_BOUND = lazy_pattern(
    rf"(?P<bound>(?:{_NUMBER} ?{_SIGN} ?)?(?P<letter>(?<![A-Za-z\\])[a-z]) ?{_SIGN} ?{_NUMBER})(?P<closes>\$?)"
    r",? (?P<joined>(?:(?:but|and|with|where|except|excluding|without|other than|apart from|not|that|for|equal to"
    r"|the (?:point|value)|at) ){1,4})"
    rf"\$?(?:(?P=letter) ?(?P<relation>=|\u2260|!=|\\neq?(?![A-Za-z])) ?)?(?P<value>{_NUMBER})(?![\d.]?\d)\$?"
    r"(?P<removed> (?:is |being )?(?:removed|excluded|omitted|left out|deleted|taken out)\b)?",
)
_LISTED = lazy_pattern(
    rf"(?<![A-Za-z\\])(?P<letter>[a-z]) ?(?P<sign>\u2260|\\neq?(?![A-Za-z])) ?"
    rf"{_NUMBER}(?:(?:, ?| and | or |, and ){_NUMBER})+"
    r"(?! ?[<>=\u2260\\\d])",
    one_of=("\u2260", "\\ne"),
)
"""Values that a letter does not have: x \u2260 3, -3."""
_BETWEEN = lazy_pattern(r", and |, ?| and | or ")
_EXCLUDED_VALUES = lazy_pattern(
    r"(?P<letter>(?<![A-Za-z\\])[a-z])\\neq ?(?P<values>(?:\\pm ?)?-?\d+(?:/\d+)?"
    r"(?:(?:,| ?and ?)-?\d+(?:/\d+)?(?![\d<>=\\]))*)$",
    one_of=("\\neq",),
)
"""Values that a letter does not have, at the end of a text."""
_BETWEEN_VALUES = latex.COMMAS | {"and"}
_LEAVES_OUT = ("except", "exclud", "without", "other than", "apart from", "not")


def as_conditions(text: str) -> str:
    """`text` with each bound and the one value that is left out of it as two conditions; most texts as they are."""
    if "\u2260" in text or "\\ne" in text:
        text = _LISTED.sub(_each, text)
    return _BOUND.sub(_both, text) if any(map(text.__contains__, "<>\u2264\u2265\\")) else text


def _each(said: re.Match[str]) -> str:
    first, *others = _BETWEEN.split(said[0])
    return ", ".join([first, *(f"{said['letter']} {said['sign']} {value}" for value in others)])


def _both(said: re.Match[str]) -> str:
    is_denied = any(map(said["joined"].__contains__, _LEAVES_OUT))
    is_unequal = said["relation"] not in (None, "=")
    if [is_denied, is_unequal, said["removed"] is not None].count(True) != 1:  # none, or a double denial
        return said[0]
    sign = "\\neq" if said["closes"] or "\\" in said["bound"] else "\u2260"
    return f"{said['bound']}, {said['letter']} {sign} {said['value']}{said['closes']}"


def one_by_one(text: str) -> str:
    """x \\neq 3, -3 and x \\neq \\pm 3 at the end of a normalized text as a condition for each value."""
    found = _EXCLUDED_VALUES.search(text)
    if found is None:
        return text
    conditions = (f"{found['letter']}\\neq {value.strip()}" for value in values_of(found["values"]))
    return text[: found.start()] + ",".join(conditions)


def values_of(listed: str) -> list[str]:
    """The values in 3, -3 and in \\pm 3."""
    return [
        signed
        for value in latex.split(listed, _BETWEEN_VALUES)
        for signed in ((value[3:], f"-{value[3:]}") if value.startswith("\\pm") else (value,))
    ]
