"""Leaves out what a text says behind its answer to show that it is right: it goes back to a number of the question."""

from __future__ import annotations

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_NEAR = 200
"""Characters of the longest sentence that is left out."""
_NUMBER = lazy_pattern(r"\d+(?:[.,]\d+)*")
_AGAINST = ("\u2260", "\\ne", "!=", "\u2717", "\u2718", " not ", "n't")
_INSIDE = lazy_pattern(r"[;:] |,? (?:since|because|as|for) |, and (?=\w+ing\b|\d)| works: ")
"""Where a sentence goes on behind its answer with what shows that it is right."""
_STATES = lazy_pattern(
    r"(?:\b(?:is|are|was|were|be|equals?|had|has|have|started with|began with|get|find|obtain|length)|=)"
    r" \D{0,12}\d|^\D{0,3}\d"
)
_VERIFIES = lazy_pattern(
    r"\b(?:indeed|required|needed|desired|expected|stated|matches|correct|right|works|checks?|add up|sum|squar\w+"
    r"|doubl\w+|twice|substitut\w+|plug\w*|put\w+|add\w*|multipl\w+|tak\w+|giv\w+|subtract\w+|minus|plus|times)\b"
    r"|\u2713|\d[\d )]*[-+*\u00b7\u00d7\u2212][ \d(][^=]{0,20}=|[\u00b2\u00b3]\s*="
)
"""Words and signs of a calculation that goes back to what is given."""


def left_out(text: str, start: int, question: str, reference: str) -> str:
    """`text` without what goes back from its answer to a number of the question; empty if it does not.

    The number is 16; doubling it gives 32, and adding 9 gives 41.
    """
    last = text[start:]
    numbers = _NUMBER.findall(last)
    given = _NUMBER.findall(question)
    wanted = set(_NUMBER.findall(reference))
    if not numbers or numbers[-1] not in given or numbers[-1] in wanted or len(last) > _NEAR:
        return ""
    cut = _INSIDE.search(last)
    for at in (start, start + cut.start() if cut else 0):
        before, behind = text[:at].rstrip(), text[at:].lower()
        earlier = words.sentences(before)[-1]
        stated = set(_NUMBER.findall(earlier)) - set(given)
        is_doubted = any(
            map(behind.__contains__, (*_AGAINST, "wrong", "mistake", " but ", "actually", "answer", "so "))
        )
        is_new = not wanted.isdisjoint(_NUMBER.findall(behind)) and not wanted <= stated
        if stated and not (is_doubted or is_new) and _STATES.search(earlier) and _VERIFIES.search(behind):
            return before.rstrip(",;:") + ("" if before.endswith(".") else ".")
    return ""
