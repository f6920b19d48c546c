"""Reads the unit that stands behind a number with a mark of its own: 36 \u20ac, 27 (cm^2)."""

from __future__ import annotations

from libra_cli.answers.languages import answer_forms
from libra_cli.answers.values import units

CURRENCIES = ("\\$", "\u20ac", "\u00a3", "\u20b9", "\u20bd", "\u20a9", "\u20ba", "z\u0142", "kr")
_BRACKETS = {"(": ")", "\uff08": "\uff09"}
_LONGEST_UNIT = 24


def set_apart(sentence: str, begin: int) -> tuple[str, int]:
    """The sign of a currency behind a number, or its unit in brackets, and where it ends: 36 €, 27 (cm^2)."""
    start = begin + (sentence[begin : begin + 1] == " ")
    sign = next((sign for sign in CURRENCIES if sentence.startswith(sign, start)), "")
    if sign and not (sign.isalpha() and sentence[start + len(sign) :][:1].isalpha()):
        return sign, start + len(sign)
    close = _BRACKETS.get(sentence[start : start + 1])
    end = sentence.find(close, start, start + _LONGEST_UNIT) if close else -1
    inner = sentence[start + 1 : end].strip()
    if end < 0 or not inner:
        return "", begin
    unit = answer_forms.UNIT_OF.get(inner, inner if units.end_of(f" {inner}", 0) == len(inner) + 1 > 2 else "")
    return unit, end + 1 if unit else begin
