"""Splits a function in pieces into its values and their conditions."""

from __future__ import annotations

import re

from libra_cli.answers import latex
from libra_cli.lazy_pattern import lazy_pattern

MAX_ROWS = 8
OTHERWISE = "otherwise"
_CASES = lazy_pattern(
    r"(?:[A-Za-z](?:\([a-z]\))?=)?\\begin\{(?P<name>cases|array)\}(?:\{[lcr|]*\})?(?P<rows>.*)\\end\{(?P=name)\}",
    re.DOTALL,
)
_CONDITION = lazy_pattern(r"(?<![A-Za-z])(?:if|when|for|where)(?![A-Za-z]) ?")
_VERBS = ("is", "are", "an", "a")
_COMMA = lazy_pattern(r",")


def rows(text: str) -> list[tuple[str, str]]:
    """(value, condition) of each piece of the normalized `text`; empty if it is no function in pieces."""
    found = _CASES.fullmatch(text)
    texts = [row.strip(" ,.;") for row in found["rows"].split("\\\\")] if found else []
    split = [_value_and_condition(row) for row in texts if row]
    return split if 1 < len(split) <= MAX_ROWS and all(condition for _, condition in split) else []


def _value_and_condition(row: str) -> tuple[str, str]:
    value, separator, condition = row.partition("&")
    if not separator:
        parts = _CONDITION.split(row, maxsplit=1) if _CONDITION.search(row) else latex.split(row, _COMMA)
        value, condition = (parts[0], ",".join(parts[1:])) if len(parts) > 1 else (row, "")
    condition = " ".join(word for word in _CONDITION.sub("", condition).strip(" ,.;").split() if word not in _VERBS)
    return value.strip(" ,;"), OTHERWISE if condition in ("otherwise", "else", "elsewhere") else condition
