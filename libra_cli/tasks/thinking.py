"""Cuts a generated text between its thinking and its response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from libra_cli.lazy_pattern import lazy_pattern

MARKERS: dict[str, tuple[str, str]] = {
    "think": ("<think>", "</think>"),
    "thinking": ("<thinking>", "</thinking>"),
    "reasoning": ("<reasoning>", "</reasoning>"),
    "seed": ("<seed:think>", "</seed:think>"),
    "magistral": ("[THINK]", "[/THINK]"),
    "channel": ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    "begin-of-thought": ("<|begin_of_thought|>", "<|end_of_thought|>"),
    "exaone": ("<thought>", "</thought>"),
    "kimi": ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    "cohere": ("<|START_THINKING|>", "<|END_THINKING|>"),
    "analysis": ("<analysis>", "</analysis>"),
}
"""Known pairs of markers around a chain of thought, by a short name; they count in upper and lower case."""

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
    again after its answer is cut at the last closing marker; if nothing follows that, the answer is what stands before
    the thinking. A text that opens without closing, or that is `opened` and never closes, has no response.
    """
    opening, closing = pair
    before, marker, after = text.rpartition(closing)
    spelled = [*_spellings(closing).finditer(after)]  # the last one may be in another case
    if spelled:
        before, after = text[: len(text) - len(after) + spelled[-1].start()], after[spelled[-1].end() :]
    opens = _spellings(opening)
    if marker or spelled:
        if opens.search(after):  # it begins to think again and never closes
            return Split(text, None)
        first = opens.search(before)
        if first and before[: first.start()].strip() and not (after.strip() or opened):
            answered, thought = before[: first.start()], before[first.end() :]
            if not _spellings(closing).search(answered):
                return Split(thought.strip(), answered.strip())
        thought = before.strip()
        begins = opens.match(thought)
        return Split(thought[begins.end() if begins else 0 :].strip(), after.strip())
    first = opens.search(text)
    if opened or first:
        return Split(text[first.end() :] if first else text, None)
    return Split(None, text.strip())


@lru_cache(1 << 6)
def _spellings(*markers: str) -> re.Pattern[str]:
    """Finds markers with the same first character in any case, and with a blank before the last one (`</think >`)."""
    first = markers[0][0]
    rests = "|".join(f"{re.escape(marker[1:-1])} ?{re.escape(marker[1:][-1:])}" for marker in markers)
    seconds = {case for marker in markers for case in (marker[1:2].lower(), marker[1:2].upper()) if len(marker) > 2}
    ahead = f"(?=[{re.escape(''.join(sorted(seconds)))}])" if all(len(marker) > 2 for marker in markers) else ""
    # What a search tries first is fastest: one character, and whether the next one may follow.
    return lazy_pattern(f"{re.escape(first)}{ahead}(?i:{rests})")


class ThinkingCutter:
    """Cuts texts of any model, at the first of these pairs with a marker in the text."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = tuple(MARKERS.values())):
        self._pairs = tuple(pairs)
        self._groups: list[tuple[str, str, re.Pattern[str]]] = []
        """The first character of some markers, the last one if all of those share it, and what finds them."""
        markers = sorted({marker for pair in pairs for marker in pair})
        for first in sorted({marker[0] for marker in markers}):
            group = [marker for marker in markers if marker.startswith(first)]
            last = group[0][-1] if len({marker[-1] for marker in group}) == 1 else ""
            self._groups.append((first, last, _spellings(*group)))

    def __call__(self, text: str) -> Split:
        """Without any marker the whole text is the response."""
        pair = self._first_pair(text)
        return Split(None, text.strip()) if pair is None else split(text, pair)

    def response(self, text: str) -> str | None:
        """The response of `text`; None if the text ends inside its thinking."""
        pair = self._first_pair(text)
        return text.strip() if pair is None else split(text, pair).response

    def _first_pair(self, text: str) -> tuple[str, str] | None:
        """The first pair with a marker in `text`; None if there is none."""
        for first, last, markers in self._groups:
            if first in text and last in text and markers.search(text):  # one character is found fastest
                return next(pair for pair in self._pairs if any(_spellings(mark).search(text) for mark in pair))
        return None


def after_thinking(text: str) -> str | None:
    """A finished text after the thinking with which it begins; None if it ends inside that.

    Markers further on are words of the text ("put it between <think> tags").
    """
    stripped = text.lstrip()
    for opening, closing in MARKERS.values():
        opens = _spellings(opening)
        if opens.match(stripped) or (_spellings(closing).search(text) and not opens.search(text)):
            return split(text, (opening, closing)).response
    return text.strip()


split_any = ThinkingCutter()
"""`split` at the first known pair with a marker in the text."""
