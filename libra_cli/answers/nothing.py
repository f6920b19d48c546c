"""Reads zero that a sentence says by denial: "She has no apples left", "None of them are left"."""

from __future__ import annotations

from itertools import pairwise

from libra_cli.answers import words

_VERBS = words.table("has have had is are was were be remain remains remained gets get got leaves leaving left")
_LIMITS = words.table(
    """
    but except only unless if or maybe perhaps possibly probably other than more less fewer longer when until while yet
    one two three half some doubt way idea reason need problem matter
    """
)
"""Words by which a sentence denies something else, or not all of it."""
_NOBODY = words.table("nobody none nothing zero")
_COUNTING = (" many ", " much ", "number of", "how many", "how much", "count ")


def asks_how_many(question: str) -> bool:
    """Whether a question asks for a count or an amount."""
    return any(map(question.lower().__contains__, _COUNTING))


def is_said(sentence: str) -> bool:
    """Whether a sentence says that there is none of something, and nothing else."""
    if any(map(str.isdigit, sentence)):
        return False
    heard = [word.lower() for word in words.split(sentence)]
    if not _LIMITS.isdisjoint(heard) or any(word.endswith("n't") for word in heard) or "not" in heard:
        return False
    if heard.count("no") + heard.count("none") + heard.count("nothing") + heard.count("nobody") != 1:
        return False
    if heard[0] in ("none", "nobody", "nothing") or heard[0] == "no":
        return len(heard) > 2
    return any(verb in _VERBS and (word == "no" or word in _NOBODY) for verb, word in pairwise(heard))
