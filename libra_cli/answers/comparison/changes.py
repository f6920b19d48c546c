"""Compares changes by a percentage: an 8% increase, a drop of 5 percent, and a number with its sign."""

from __future__ import annotations

import re
from typing import NamedTuple

from libra_cli.answers.text import words
from libra_cli.answers.values.finding import Decide
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 80
_BRACES = str.maketrans("", "", "{}")
_RISES = words.table(
    "increase increases increased rise rises rose risen gain gains gained growth grows grew grown more higher up"
)
_FALLS = words.table(
    "decrease decreases decreased drop drops dropped fall falls fell fallen loss loses lost reduction reduces reduced "
    "decline declines declined shrinks shrank shrunk less fewer lower down"
)
_AMOUNT = r"\$?(?P<amount>-?\d+(?:\.\d+)?) ?(?:\\?%|per ?cent)\$?"
_CHANGE = lazy_pattern(rf"(?:(?P<before>[a-z]+) (?:(?:of|by|about|exactly) ){{0,2}})?{_AMOUNT}(?: (?P<behind>[a-z]+))?")
_OPENING = lazy_pattern(r"(?:an? |the |net |overall |total )*")


class Change(NamedTuple):
    """Whether something rises, and by how many percent."""

    rises: bool
    amount: str


def read(text: str) -> Change | None:
    """The change that is the whole of a text; None for any other text."""
    if len(text) > MAX_CHARS or not ("%" in text or "cent" in text):
        return None
    bare = " ".join(text.lower().replace("\\text", "").translate(_BRACES).split()).rstrip(".")
    found = _CHANGE.fullmatch(_OPENING.sub("", bare, count=1))
    return _change(found) if found else None


def _change(found: re.Match[str]) -> Change | None:
    """The change of a percentage by the word behind it, or else before it: ends up 8% lower."""
    way = next((word for word in (found["behind"], found["before"]) if word in _RISES | _FALLS), None)
    return Change(way in _RISES, f"{found['amount']}%") if way else None


def stated(sentence: str, answer: str) -> str | None:
    """The change by the percentage `answer` that a sentence tells of; "" if nobody knows which way; else None."""
    if read(answer):
        return answer
    sentence, bare = sentence.lower(), answer.rstrip("%\\ ")
    every = filter(None, map(_change, _CHANGE.finditer(sentence)))
    found = [change for change in every if change.amount == f"{bare}%"]
    ways = {change.rises for change in found[-1:]}
    if not ways and "%" in answer:
        ways = {way for way, names in ((True, _RISES), (False, _FALLS)) if not names.isdisjoint(words.split(sentence))}
    if len(ways) == 1:
        return f"{'increase' if ways.pop() else 'decrease'} of {bare}%"
    return "" if ways else None


def same(reference: str, answer: str, decide: Decide) -> bool | None:
    """Whether two changes are the same, or a change and a percentage; None if the reference is none, or in doubt."""
    wanted = read(reference)
    if wanted is None:
        return None
    given, bare = read(answer), answer.strip().lstrip("+-\u2212")
    if given is None:
        decided = decide(wanted.amount, bare)
        if decided is None or decided.equal is None:
            return None
        if decided.equal and bare == answer.strip() and not wanted.rises:  # 8% of a decrease
            return None
        return bool(decided.equal) and (answer.strip()[0] not in "-\u2212") is wanted.rises
    if given.rises is not wanted.rises:
        return False
    decided = decide(wanted.amount, given.amount)
    return None if decided is None else decided.equal
