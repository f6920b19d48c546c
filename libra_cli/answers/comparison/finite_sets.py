"""Lists the members of finite sets that a condition gives: \\{n^2 : n = 2, 3, 4\\}, \\{x \\in Z : 0 < x < 4\\}."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from libra_cli.answers.text import formula, latex, number
from libra_cli.answers.values import normalize, numeric
from libra_cli.lazy_pattern import lazy_pattern

_MOST = 100
"""Members that a set may have to be listed."""
_BUILDER = lazy_pattern(r"\\\{(?P<term>[^{}|:]{1,40}?)(?:\\mid|\\vert|\||:)(?P<condition>.{1,80})\\\}", one_of=("\\{",))
_VALUES = lazy_pattern(r"(?P<letter>[a-z])(?:=(?P<listed>[^=<>]+)|\\in\\\{(?P<inside>[^{}]+)\\\})")
_OF_INTEGERS = lazy_pattern(r"(?P<letter>[a-z])\\in\\?(?:mathbb)?\{?(?P<set>[ZN])\}?(?P<positive>\^\{?\+\}?)?")
_BOUNDS = lazy_pattern(r"(?:(?P<low>-?\d+)(?P<from><|\\leq))?(?P<letter>[a-z])(?P<to><|\\leq)(?P<high>-?\d+)")


def listed(text: str) -> str | None:
    """A finite set with its members instead of their condition; None for any other text."""
    if len(text) > normalize.MAX_CHARS or "{" not in text:
        return None
    builder = _BUILDER.fullmatch(normalize.normalized(text).replace(" ", ""))
    if builder is None:
        return None
    letter, values = _values(builder["condition"], builder["term"])
    own = _OF_INTEGERS.fullmatch(builder["term"])  # x \in Z
    trees = formula.readings(own["letter"] if own else builder["term"])[:1]
    if not values or not trees or formula.symbols(trees[0]) != {letter}:
        return None
    members = [numeric.exact(formula.substituted(trees[0], letter, value)) for value in values]
    known = [member for member in members if member is not None]
    return f"\\{{{', '.join(map(str, dict.fromkeys(known)))}\\}}" if len(known) == len(members) else None


def _values(condition: str, term: str) -> tuple[str, Sequence[Fraction]]:
    """The letter of a condition and the values that it takes; none where they are not known for certain."""
    told = _VALUES.fullmatch(condition)
    if told:
        numbers = [number.parse(value) for value in (told["listed"] or told["inside"]).split(",")]
        return told["letter"], [one.value for one in numbers if one] if all(numbers) else []
    parts = latex.split(condition.replace("and", ",").replace("\\land", ","), {","})
    parts += [term] if _OF_INTEGERS.fullmatch(term) else []
    sets = [found for part in parts if (found := _OF_INTEGERS.fullmatch(part))]
    bounds = [found for part in parts if (found := _BOUNDS.fullmatch(part))]
    if len(parts) != 2 or len(sets) != 1 or len(bounds) != 1 or sets[0]["letter"] != bounds[0]["letter"]:
        return "", []
    if bounds[0]["low"] is None and not sets[0]["positive"]:
        return "", []
    first = int(bounds[0]["low"] or 1) + (bounds[0]["from"] == "<")
    if sets[0]["positive"]:
        first = max(first, 1)
    elif sets[0]["set"] == "N" and first <= 0:  # nobody knows whether 0 is natural
        return "", []
    last = int(bounds[0]["high"]) - (bounds[0]["to"] == "<")
    return sets[0]["letter"], [Fraction(value) for value in range(first, min(last, first + _MOST) + 1)]
