"""Reads what the last of several equations gives: x = 3 of 2x - 1 = 5 \u27f9 x = 3, a t + v of v(t) = a t + v."""

from __future__ import annotations

from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_ARROWS = (
    "\\implies",
    "\\Rightarrow",
    "\\Longrightarrow",
    "\\iff",
    "\\Leftrightarrow",
    "\u27fa",
    "\u21d4",
    "\\therefore",
    "\u27f9",
    "\u21d2",
    "\u2234",
    "\u2192",
    "=>",
    "->",
    "\\to ",
    " namely ",
)
_NO_CONCLUSION = vocabulary.BEGINS_ASIDE - vocabulary.ADJUNCTS | {"with", "by"}
_BEFORE_SIDE = vocabulary.RESULTS | {"gives", "yields"}
_OPERATORS = ("\u222b", "\\int", "\u2211", "\\sum", "\\lim", "lim ", "lim_", "d/d", "\\frac{d")
"""Signs of a side that is worked out, and no name."""
_ENDS_CLAUSE = (", ", "; ", ": ", "\n", " so ", " hence ", " thus ", " therefore ")
_ASSIGNED = lazy_pattern(
    r"[A-Za-z](?:_\w|_\{\w+\})? ?= ?(?:[^A-Za-z<>]|\\(?:[dt]?frac|sqrt|pi|cdot|times)(?![A-Za-z]))+"
)
"""A letter and its value: x = 5."""


def inferred(sentence: str) -> str:
    """What stands behind the last arrow of a sentence that leads to a relation: 2x - 1 = 5 \u27f9 x = 3."""
    for arrow in _ARROWS:
        before, found, behind = sentence.rpartition(arrow)
        if not (found and vocabulary.has_relation(behind) and vocabulary.has_relation(before)):
            continue
        if behind.count("{") != behind.count("}"):  # cut off
            continue
        is_inside = before.replace("\\$", "").count("$") % 2
        return f"{'$' if is_inside else ''}{behind.strip()}"
    return sentence


def solved(answer: str) -> str:
    """The values of letters that end a list of equations which lead to them: x = 5 of 4x = 20, x = 5."""
    parts = answer.split(", ")
    at = len(parts)
    while at and _ASSIGNED.fullmatch(parts[at - 1].strip(" $")):
        at -= 1
    names = [part.strip(" $")[0] for part in parts[at:]]
    is_led = 0 < at < len(parts) and all("=" in part for part in parts[:at])
    if not is_led or any(not any(name in part for part in parts[:at]) for name in names):
        return answer
    return (" or " if len(set(names)) < len(names) else ", ").join(parts[at:])


def last_side(text: str) -> tuple[str, str]:
    """The name and the last side of the equation in signs that ends a text: v(t) and a t + v; empty if none does."""
    head, equals, side = inferred(text.strip()).rstrip(".").rpartition("=")
    clause = max((head.rpartition(mark)[2] for mark in _ENDS_CLAUSE), key=lambda part: -len(part))
    heard = [word.lower() for word in clause.split()]
    led = max((at + 1 for at, word in enumerate(heard) if word in _BEFORE_SIDE), default=0)  # we get
    openers = heard[led:]
    if led < len(heard):
        clause = " ".join(clause.split()[led:])
    if not equals or not side.strip() or head[-1:] in "<>!:\\" or not _NO_CONCLUSION.isdisjoint(openers):
        return "", ""
    side, first = side.strip(), clause.partition("=")[0].strip()
    name = first.split()[-1].lstrip("$") if first and not any(map(first.__contains__, _OPERATORS)) else ""
    if head.count("$") % 2:
        side = side.removesuffix("$").rstrip(". ") if side.endswith("$") else ""
    is_whole = side.count("$") == 0 and side.count("{") == side.count("}") and side.count("(") == side.count(")")
    is_side = side and is_whole and not words.in_row(side)
    is_name = name[:1].isalpha() and name.count("(") == name.count(")") and not any(map(name.__contains__, "[]|,"))
    return (name if is_name else "", side) if is_side else ("", "")
