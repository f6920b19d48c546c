"""Reads an answer that stands alone before what explains it: "Three. Put t = |x|...", "8", and its reasons below."""

from __future__ import annotations

from libra_cli.answers.sentences import phrases
from libra_cli.answers.text import words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_FIRST = lazy_pattern(r"\s*(?:\*\*|__)?([^\n.!*]{1,40}?)(?:\*\*|__)?(?:[.!](?:\*\*|__)?(?=\s)|\n)")
"""The first line or sentence of a text, in bold or not."""
_LONGEST = 1500
_FEW_WORDS, _FEWEST_BEHIND = 4, 3
_STEP = lazy_pattern(r"(?:^|\n)\d+[.)]\s")
_THERE = lazy_pattern(r"(?:there (?:are|is)|it is|it's) (?:exactly )?")
_FIGURE = lazy_pattern(r"[-+]?\$?\d[\d,.]*(?:/\d+)?%?(?: [A-Za-z]{1,12})?")


def said_first(text: str, reference: str, question: str) -> str | None:
    """The value of the kind of `reference` that begins a text and stands alone; None if none does, or nothing follows.

    A number in figures stands alone above an empty line and sentences that calculate nothing, for `8.` may be the
    eighth step, and a number above others a summand. Words are the reference, or one of the things between which
    `question` lets choose.
    """
    first = _FIRST.match(text) if len(text) <= _LONGEST else None
    behind = text[first.end() :].lstrip() if first else ""
    if first is None or behind.startswith("(") or len(behind.split()) < _FEWEST_BEHIND:
        return None
    said = first[1].strip()
    if structure.is_number(reference):
        if _FIGURE.fullmatch(said):
            is_alone = text[first.end() - 1 : first.end() + 1] == "\n\n" and behind[:1].isalpha()
            is_alone = is_alone or (text.startswith("\n\n", first.end()) and not _STEP.search(behind))
            return said if is_alone and "=" not in behind and "**" not in behind else None
        there = _THERE.match(said.lower())
        value = words.number(said[there.end() if there else 0 :].lower())
        return None if value is None else str(value)
    if len(said.split()) > _FEW_WORDS or not phrases.are_asked_for(reference):
        return None
    is_choice = " or " in question and f" {said.lower()}" in question.lower()
    return said if is_choice or said.lower() == reference.strip(" .$").lower() else None
