"""Compares sets that go on for ever (2, 4, 6, ... and {2n : n \\geq 1}) and runs of integers (1 \\leq n \\leq 10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from libra_cli.answers.text import formula, latex, number
from libra_cli.answers.values import normalize, numeric
from libra_cli.lazy_pattern import lazy_pattern

_DOTS = ("...", "\\ldots", "\\dots", "\\cdots")
_FEWEST, _MEMBERS = 3, 12
_BUILDER = lazy_pattern(
    r"\\?\{(?P<term>[^{}|:]+?)(?:\\mid|\||:)(?P<letter>[a-z])"
    r"(?:\\in(?P<set>\\mathbb\{?[NZ]\}?(?:\^\{?\+\}?|_\{?(?:>0|\\geq(?P<least>[01])|\+)\}?)?)|(?P<sign>\\geq|>)(?P<first>-?\d+))"
    r"(?:,(?P=letter)?(?P<also>\\geq|>)(?P<start>-?\d+))?\\?\}"
)
_RUN = lazy_pattern(
    r"(?:\\\{[a-z](?:\\in\\mathbb\{?[ZN]\}?)?(?:\\mid|\||:))?(?P<low>-?\d+)(?P<from><|\\leq)(?P<letter>[a-z])(?P<to><|\\leq)(?P<high>-?\d+)"
    r"(?:,?[a-z]?\\in\\mathbb\{?[ZN]\}?)?(?:\\\})?",
    one_of=("<", "\\leq"),
)
_NATURALS = lazy_pattern(r"\\mathbb\s*\{?\s*N\b")
_SAID = lazy_pattern(
    r"(?:the set of |the |all )*(?:(?:positive|even|odd|all the) )*(?:(?:positive|even|odd) )?"
    r"(?:integers|natural numbers|numbers|multiples of \d+)(?: greater than 0)?"
)
_FROM_TO = lazy_pattern(
    r"(?:all |the )*(?:integers|whole numbers|numbers)?,? ?(?:from )?(-?\d+) (?:to|through) (-?\d+)"
    r"(?:,? inclusive| \(inclusive\))?"
)


def same(reference: str, answer: str) -> bool | None:
    """Compare two sets that go on for ever; None for others, or if unsure."""
    wanted, given = _members(reference), _members(answer)
    if wanted is None or given is None:
        return None
    if wanted != given and any(map(_NATURALS.search, (reference, answer))):  # which may begin with 0
        return None
    return wanted == given


def _members(raw: str) -> tuple[Fraction, ...] | None:
    """The first members of a set that goes on for ever; None for anything else."""
    if len(raw) > normalize.MAX_CHARS:
        return None
    said = " ".join(raw.strip(" .$").lower().split())
    if _SAID.fullmatch(said):
        return _of_words(said)
    text = normalize.normalized(raw).replace(" ", "")
    builder = _BUILDER.fullmatch(text)
    if builder:
        return _of_builder(builder)
    if not text.rstrip("\\}").endswith(_DOTS):
        return None
    inside = latex.enclosed(text, ("\\{", "{"), ("\\}", "}"))
    *parts, _ = latex.split(inside[1] if inside else text, latex.COMMAS) or [""]
    found = [number.parse(part) for part in parts]
    values = [one.value for one in found if one]
    if len(values) < max(len(found), _FEWEST):
        return None
    return _continued(values)


def _continued(values: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """The first members of a progression, if the given ones are one."""
    step = values[1] - values[0]
    if all(b - a == step for a, b in pairwise(values)):
        return tuple(values[0] + at * step for at in range(_MEMBERS))
    ratio = values[1] / values[0] if values[0] else Fraction(0)
    if ratio and all(a and b / a == ratio for a, b in pairwise(values)):
        return tuple(values[0] * ratio**at for at in range(_MEMBERS))
    return None


def _of_builder(builder: re.Match[str]) -> tuple[Fraction, ...] | None:
    trees = formula.readings(builder["term"])[:1]
    letter, integers = builder["letter"], builder["set"] or ""
    if not trees or formula.symbols(trees[0]) != {letter}:
        return None
    sign, start = builder["also"] or builder["sign"], builder["start"] or builder["first"]
    if start is not None:
        first = int(start) + (sign == ">")
    elif "+" in integers or ">0" in integers or "N" in integers or builder["least"]:
        first = 0 if builder["least"] == "0" else 1
    else:
        return None
    values = [numeric.exact(formula.substituted(trees[0], letter, Fraction(first + at))) for at in range(_MEMBERS)]
    return None if None in values else tuple(value for value in values if value is not None)


def _of_words(said: str) -> tuple[Fraction, ...] | None:
    """The positive even integers; None where negative ones may be meant."""
    heard = said.replace("greater than 0", "positive").split()
    if "positive" not in heard and "natural" not in heard:
        return None
    step = int(heard[-1]) if heard[-1].isdecimal() else 2 if {"even", "odd"} & set(heard) else 1
    start = 1 if "odd" in heard else step
    return tuple(Fraction(start + at * step) for at in range(_MEMBERS))


def same_runs(reference: str, answer: str) -> bool | None:
    """Compare a set of integers one after the other with 1 \\leq n \\leq 10 or "the integers from 1 to 10"."""
    wanted, given = _ends(reference), _ends(answer)
    is_said = any(
        _FROM_TO.fullmatch(" ".join(text.split())) or _RUN.fullmatch(normalize.normalized(text).replace(" ", ""))
        for text in (reference, answer)
    )
    if wanted is None or given is None or not is_said:
        return None
    return wanted == given


def _ends(raw: str) -> tuple[int, int] | None:
    """The first and the last of integers one after the other; None for anything else."""
    said = _FROM_TO.fullmatch(" ".join(raw.strip(" .$").lower().split()))
    if said:
        return int(said[1]), int(said[2])
    text = normalize.normalized(raw).replace(" ", "")
    run = _RUN.fullmatch(text)
    if run:
        is_integer = run["letter"] in "nkmijl" or "\\mathbb" in text
        return (int(run["low"]) + (run["from"] == "<"), int(run["high"]) - (run["to"] == "<")) if is_integer else None
    inside = latex.enclosed(text, ("\\{", "{"), ("\\}", "}"))
    parts = latex.split(inside[1] if inside else text, latex.COMMAS | latex.JOINS)
    middle = [part for part in parts if part in _DOTS]
    values = [number.parse(part) for part in parts if part not in _DOTS]
    if len(parts) < _FEWEST or len(middle) > 1 or any(one is None or one.value.denominator != 1 for one in values):
        return None
    found = [int(one.value) for one in values if one]
    if middle:
        is_run = (
            parts[-2] in _DOTS
            and found[:-1] == list(range(found[0], found[0] + len(found) - 1))
            and found[-1] > found[-2]
        )
    else:
        found = sorted(found)
        is_run = found == list(range(found[0], found[0] + len(found)))
    return (found[0], found[-1]) if is_run else None
