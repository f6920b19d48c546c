"""Cuts a generated text between its thinking and its response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MARKERS: dict[str, tuple[str, str]] = {
    "think": ("<think>", "</think>"),
    "thinking": ("<thinking>", "</thinking>"),
    "reasoning": ("<reasoning>", "</reasoning>"),
    "seed": ("<seed:think>", "</seed:think>"),
    "magistral": ("[THINK]", "[/THINK]"),
    "channel": ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    "begin-of-thought": ("<|begin_of_thought|>", "<|end_of_thought|>"),
    "exaone": ("<thought>", "</thought>"),
}
"""Known pairs of markers around a chain of thought, by a short name."""

DEFAULT = MARKERS["think"]


class Split(NamedTuple):
    """A text cut at its end-of-thinking marker."""

    thinking: str | None
    """None if the model did not think."""
    response: str | None
    """None if the text ends inside the thinking; this is not the same as an empty response."""


def markers(text: str) -> tuple[str, str]:
    """The pair with a short name, or that of `OPEN,CLOSE`; raises ValueError that lists the known names."""
    if text in MARKERS:
        return MARKERS[text]
    opening, comma, closing = text.partition(",")
    if not (comma and opening and closing):
        raise ValueError(f"{text!r} is neither OPEN,CLOSE nor one of {', '.join(MARKERS)}")
    return opening, closing


def split(text: str, pair: tuple[str, str] = DEFAULT, opened: bool = False) -> Split:
    """Cuts a text after its last closing marker.

    `opened` says that the prompt ends inside the thinking, so that the text has no opening marker. A text that thinks
    again after its answer is cut at the last closing marker. A text that opens without closing, or that is `opened`
    and never closes, has no response.
    """
    opening, closing = pair
    before, marker, after = text.rpartition(closing)
    if marker:
        if opening in after:  # it begins to think again and never closes
            return Split(text, None)
        return Split(before.strip().removeprefix(opening).strip(), after.strip())
    if opened or opening in text:
        return Split(text.partition(opening)[2] if opening in text else text, None)
    return Split(None, text.strip())


class ThinkingCutter:
    """Cuts texts of any model, at the first of these pairs with a marker in the text."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = tuple(MARKERS.values())):
        self._pairs = tuple(pairs)
        self._groups: list[tuple[str, str, re.Pattern[str]]] = []
        """The first character of some markers, the characters in which all of those end, and what finds them."""
        markers = sorted({marker for pair in pairs for marker in pair})
        for first in sorted({marker[0] for marker in markers}):
            group = [marker for marker in markers if marker.startswith(first)]
            ends = (group[0][at:] for at in range(len(group[0])))
            common = next((end for end in ends if all(marker.endswith(end) for marker in group)), "")
            self._groups.append((first, common, re.compile("|".join(map(re.escape, group)))))

    def __call__(self, text: str) -> Split:
        """Without any marker the whole text is the response."""
        for first, end, markers in self._groups:
            if first in text and end in text and markers.search(text):  # one character is found fastest
                return next(split(text, pair) for pair in self._pairs if pair[1] in text or pair[0] in text)
        return Split(None, text.strip())


def after_thinking(text: str) -> str | None:
    """A finished text after the thinking with which it begins; None if it ends inside that.

    Markers further on are words of the text ("put it between <think> tags").
    """
    stripped = text.lstrip()
    for opening, closing in MARKERS.values():
        if stripped.startswith(opening) or (closing in text and opening not in text):
            return split(text, (opening, closing)).response
    return text.strip()


split_any = ThinkingCutter()
"""`split` at the first known pair with a marker in the text."""
