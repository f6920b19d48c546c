"""Reads what sentences judge of letters or numerals one by one: "(A holds). B fails.", "I is true, II is false"."""

from __future__ import annotations

import re
from collections.abc import Collection

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

FEWEST = 3
"""Things that are judged where nothing tells how many there are."""
_RIGHT = words.table(
    "true correct right holds hold valid works work applies apply qualifies qualify \u2713 \u2714 \u2705"
)
_WRONG = words.table("false incorrect wrong fails fail invalid untrue impossible \u2717 \u2718 \u274c")
_NOT = words.table("not no never neither nor cannot")
_DOUBTS = words.table("maybe perhaps might could would may if unless or partly sometimes probably whether seems")
_ENDS = lazy_pattern(r"[.;!?)\n]|, (?:but|while|whereas|so|which) ")
_JOINS = lazy_pattern(r"\s*(?:,|&|and|, and|both)?\s*(?:and\s*)?")
_THINKS = words.table("think believe would choose pick say go conclude know guess am have chose select had find found")
_TOKEN = lazy_pattern(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|[\u2713\u2714\u2705\u2717\u2718\u274c]")
_LED = lazy_pattern(
    r"\b(?P<verdict>(?:in)?correct|true|false|right|wrong|(?:in)?valid) (?:(?:ones?|statements?|claims?|options?) )?"
    r"(?:are|is|=|:)[ :]*\Z",
    re.IGNORECASE,
)
"""The verdict before the names that it is about: the false ones are."""
_BEHIND_LETTER = _RIGHT | _WRONG | {"is", "and", "does"}
_MOST_WORDS = 30


def of_each(text: str, names: Collection[str]) -> dict[str, bool]:
    """Whether each of `names` is judged right or wrong; empty if one of them is judged both ways."""
    own = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    marks = list[re.Match[str]]()
    for mark in re.finditer(rf"(?<![\w'\u2019\\{{])\(?(?P<name>{own})\)?(?![\w'\u2019=+^*/])", text):
        following = words.split(text[mark.end() : mark.end() + 20])[:1]
        is_pronoun = mark[0] == "I" and not _THINKS.isdisjoint(following)
        is_article = mark[0] == "A" and following and following[0].islower() and _BEHIND_LETTER.isdisjoint(following)
        if not is_pronoun and not is_article:
            marks.append(mark)
    found = dict[str, bool]()
    group = list[str]()
    for at, mark in enumerate(marks):
        group.append(mark["name"])
        behind = text[mark.end() : marks[at + 1].start() if at + 1 < len(marks) else len(text)]
        if at + 1 < len(marks) and _JOINS.fullmatch(behind):
            continue
        led = _LED.search(text, 0, marks[at + 1 - len(group)].start())
        said = _verdict(led["verdict"]) if led else _verdict(_ENDS.split(behind, maxsplit=1)[0])
        for name in group if said is not None else ():
            if found.setdefault(name, said is True) is not said:
                return {}
        group = []
    return found


def _verdict(segment: str) -> bool | None:
    """Whether the words behind a name call it right or wrong; None if they do neither for certain."""
    heard = [word.lower().replace("\u2019", "'") for word in _TOKEN.findall(segment)]
    if len(heard) > _MOST_WORDS or not _DOUBTS.isdisjoint(heard):
        return None
    denied = sum(word in _NOT or word.endswith("n't") for word in heard)
    is_right, is_wrong = not _RIGHT.isdisjoint(heard), not _WRONG.isdisjoint(heard)
    if is_right is is_wrong or denied > 1:
        return None
    return is_right if not denied else False if is_right else None
