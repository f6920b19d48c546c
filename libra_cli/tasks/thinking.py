"""The line between what a model thought and what it answered."""

from __future__ import annotations

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
"""Known pairs of markers that open and close a chain of thought, by a short name."""

DEFAULT = MARKERS["think"]


class Split(NamedTuple):
    """A text cut at its end-of-thinking marker."""

    thinking: str | None
    """None where the model did not think."""
    response: str | None
    """None where the text ends inside the thinking: there is no response, which is not an empty one."""


def markers(text: str) -> tuple[str, str]:
    """A pair from its short name or from `OPEN,CLOSE`; raises ValueError naming the known ones."""
    if text in MARKERS:
        return MARKERS[text]
    opening, comma, closing = text.partition(",")
    if not (comma and opening and closing):
        raise ValueError(f"{text!r} is neither OPEN,CLOSE nor one of {', '.join(MARKERS)}")
    return opening, closing


def split(text: str, pair: tuple[str, str] = DEFAULT, opened: bool = False) -> Split:
    """Cuts `text` after its last closing marker.

    `opened` says that the prompt already ended inside the thinking, so that no opening marker stands in the text. A
    text that thinks again after its answer is cut at the last closing marker; one that opens without closing, and one
    that is `opened` and never closes, has no response.
    """
    opening, closing = pair
    before, found, after = text.rpartition(closing)
    if found:
        if opening in after:  # it began to think once more and was cut there
            return Split(text, None)
        return Split(before.strip().removeprefix(opening).strip(), after.strip())
    if opened or opening in text:
        return Split(text.partition(opening)[2] if opening in text else text, None)
    return Split(None, text.strip())


def _common_end(markers: Sequence[str]) -> str:
    """What all of them end with."""
    first = markers[0]
    ends = (first[at:] for at in range(len(first)))
    return next((end for end in ends if all(marker.endswith(end) for marker in markers)), "")


class ThinkingCutter:
    """Cuts texts of any model, at the first of these pairs with a marker in the text."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = tuple(MARKERS.values())):
        self._pairs = tuple(pairs)
        markers = sorted({marker for pair in pairs for marker in pair})
        beginnings = sorted({marker[0] for marker in markers})
        groups = [(first, [marker for marker in markers if marker.startswith(first)]) for first in beginnings]
        self._any = [(first, _common_end(group), group) for first, group in groups]

    def __call__(self, text: str) -> Split:
        """Without any marker all of `text` is the response."""
        for first, end, markers in self._any:
            if first in text and end in text:  # one character is found fastest
                for marker in markers:
                    if marker in text:
                        return next(split(text, pair) for pair in self._pairs if pair[1] in text or pair[0] in text)
        return Split(None, text.strip())


def after_thinking(text: str) -> str | None:
    """What a finished text says after the thinking that it begins with; None where it ends inside that.

    Marks that stand further on are words of the text ("put it between <think> tags").
    """
    begun = text.lstrip()
    for opening, closing in MARKERS.values():
        if begun.startswith(opening) or (closing in text and opening not in text):
            return split(text, (opening, closing)).response
    return text.strip()


split_any = ThinkingCutter()
"""`split` at the first known pair with a marker in the text."""
