"""The confidence that a response states in its own answer, as the prompts of calibrated training ask for it."""

from __future__ import annotations

import re

from libra_cli.tasks import thinking
from libra_cli.tasks.verdicts import BLANKS

_ASKED = re.compile(rf"\[\[{BLANKS}confidence\b|<confidence>", re.IGNORECASE)
_FORM = re.compile(
    rf"(?:\[\[{BLANKS}confidence{BLANKS}[=:]|<confidence>)\s{{0,8}}([0-9]{{0,3}}(?:\.[0-9]{{0,16}})?)[ \t]{{0,8}}(%?)"
    rf"{BLANKS}(?:\]\]|\s{{0,8}}</confidence>)",
    re.IGNORECASE,
)


def stated_confidence(text: str) -> float | None:
    """The confidence, from 0 to 1, in `[[confidence=0.8]]`, `[[confidence=80%]]` or `<confidence>0.8</confidence>`.

    Only forms after the thinking count. None without one, with one outside the range, or with several that differ.
    """
    response = thinking.split_any(text).response
    if response is None:
        return None
    stated = {(number, percent) for number, percent in _FORM.findall(response)}
    if not stated or not all(any(char.isdigit() for char in number) for number, _ in stated):
        return None
    values = {float(number) / (100 if percent else 1) for number, percent in stated}
    value = values.pop()
    return None if values or not 0 <= value <= 1 else value


def asks_for_confidence(prompt: str) -> bool:
    """Whether a prompt shows one of these forms, so that a response may state its confidence."""
    return _ASKED.search(prompt) is not None
