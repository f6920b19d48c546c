"""Reads and compares several quantities that belong to names: `mean = 12, median = 11`, `14 red, 9 blue`.

The names are those of the reference. In a response their values may stand in any order, in a list or in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from libra_cli.answers import conversions, latex, words
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS, MAX_NAMES, MAX_READ = 240, 8, 400
_SEPARATORS = frozenset((",", ";", "\uff0c", "\uff1b", "\u3001", "and", "\n"))
_VALUE_STARTS = lazy_pattern(r"(?<![A-Za-z])[-+−]?(?:\\?[$€£])?(?:\d|\.\d|\((?=[-\d])|\\[dt]?frac|\\sqrt|\\pi\b)")
_NAME = lazy_pattern(r"[^\W\d_](?:[^\W\d]|[ '-])*")
_SIGNS = (*":=：＝*$&", "为", "是", "有", "今年", "\\,", "\\;", "\\:", "\\quad", "\\qquad")
_VERBS = tuple(
    f" {verb}" for verb in ["is", "are", "was", "were", "has", "have", "had", "get", "gets", "equal", "equals", "of"]
)
_VALUE_FIRST = lazy_pattern(r"(?P<value>[-+]?\d[\d.,/]*)\s*(?P<name>[A-Za-z](?:[A-Za-z]|[ '-])*)")
_LABEL = lazy_pattern(r"^\s*(?:[-*•]|\(?\w[).])\s+")
_SHORT_FORMS = {"maximum": "max", "minimum": "min"}
_ALIASES = {"radiu": ("r",), "center": ("centre",), "centre": ("center",)}
_COORDINATES = (
    ("x", "x-coordinate", "abscissa"),
    ("y", "y-coordinate", "ordinate"),
    ("z", "z-coordinate"),
)
_ENDS = (
    ("minimum", "minimum value", "least value", "smallest value", "least", "smallest"),
    ("maximum", "maximum value", "greatest value", "largest value", "greatest", "largest"),
)
_ENDS_VALUE = lazy_pattern(
    r"\.(?:\s|$)|[;,，；。、](?!\d{3})|\n|\s(?:at|and|when|for|where|with|while|but|because|so)\b|$"
)
_FUNCTION_NAMED = lazy_pattern(r"[A-Za-z]_\s*\{?\s*\\?(?:text\s*\{|mathrm\s*\{)?\s*(max|min)\w*\s*\}*")


@lru_cache(1 << 10)
def values(text: str) -> Mapping[str, str]:
    """Value of each name in a list such as `x = 2, y = 3` or `8 apples and 5 oranges`; empty if it is no such list."""
    is_list = any(map(text.__contains__, _SEPARATORS)) and any(map(str.isdigit, text))
    if len(text) > MAX_CHARS or not is_list:
        return {}
    parts = [part for part in latex.split(_plain(text), _SEPARATORS) if part.strip()]
    if not 2 <= len(parts) <= MAX_NAMES:
        return {}
    found: dict[str, str] = {}
    for part in parts:
        pair = pair_of(part.strip(" .。"))
        if pair is None or pair[0] in found:
            return {}
        found[pair[0]] = pair[1]
    return found


def _plain(text: str) -> str:
    text = _FUNCTION_NAMED.sub(r"\1", text)
    text = "\n".join(_LABEL.sub(" ", latex.without_setting(line)) for line in text.replace("\\angle", " ").split("\n"))
    return text.replace(" ^", "^")


def pair_of(part: str) -> tuple[str, str] | None:
    """The name and the value in one part of a list; None if it has not both."""
    counted = _VALUE_FIRST.fullmatch(part)
    if counted is not None:
        name, value = _key(counted["name"]), counted["value"]
        if len(name) > 2 and not conversions.is_common(name) and words.number(name) is None:
            return name, value
    start = _VALUE_STARTS.search(part)
    if start is None or "\n" in part[start.start() :]:
        return None
    head = _without_signs(part[: start.start()])
    head = head[4:] if head.startswith("the ") else head
    name, value = _key(head), part[start.start() :].rpartition("=")[2].strip()
    return (name, value) if _NAME.fullmatch(head) and name and value and words.number(name) is None else None


def _without_signs(head: str) -> str:
    """What stands before a value, without the signs and verbs that lead to it."""
    while True:
        cut = head.rstrip()
        ending = next((ending for ending in (*_SIGNS, *_VERBS) if cut.endswith(ending)), "")
        cut = cut.removesuffix(ending)
        if cut == head:
            return head
        head = cut


def _key(name: str) -> str:
    """A name in lower case and in the singular; a letter as it is."""
    if len(name.strip()) == 1:
        return name.strip()
    key = " ".join(name.lower().split()).strip(" '-_")
    key = _SHORT_FORMS.get(key.removesuffix(" value"), key)
    return key.removesuffix("s") if len(key) > 3 and key.isascii() else key


def read(text: str, reference: str) -> str | None:
    """The values that the end of a text gives to the names of a reference, as a list; None unless it gives all."""
    wanted = values(reference)
    if not wanted:
        return None
    plain = _plain(text[-MAX_READ:])
    said = {name: {value_of(one, plain) for one in (name, *_ALIASES.get(name, ()))} - {None} for name in wanted}
    given = {name: heard.pop() for name, heard in said.items() if len(heard) == 1}
    if len(given) < len(wanted):
        return None
    return ", ".join(f"{name} = {given[name]}" for name in wanted)


def place(text: str, reference: str) -> str | None:
    """The point or closed interval whose coordinates or ends a text names one by one; None if it does not name all.

    x = 3 and y = -1; x-coordinate 4 and y-coordinate 2; the least value is 1, the greatest is 3.
    """
    bare = reference.strip(" $")
    inside = latex.enclosed(bare, ("(", "["), (")", "]"))
    count = len(latex.split(inside[1], frozenset(","))) if inside else 0
    if inside is None or not 2 <= count <= len(_COORDINATES) or inside[0] + inside[2] not in ("()", "[]"):
        return None
    names = _COORDINATES[:count] if inside[0] == "(" else _ENDS
    plain, given = _plain(text[-MAX_READ:]), list[str]()
    for alternatives in names:
        heard = {value for name in alternatives if (value := value_of(name, plain))}
        if len(heard) != 1:
            return None
        given += heard
    return f"{inside[0]}{', '.join(given)}{inside[2]}"


def value_of(name: str, text: str) -> str | None:
    """What the text says of one name last: `NAME is 3`, or `3 NAME`."""
    searched = words.lowered(text) if len(name) > 1 else text
    for start in places_of(searched, name):
        before, after = text[:start], text[start + len(name) :]
        counted = _COUNT_BEFORE.search(before)
        if counted and len(name) > 1:
            return counted[1].strip()
        if len(name) > 1 and name.isascii():
            after = after.lstrip("s") if after[:1] == "s" else after
        elif len(name) == 1 and (before.rstrip("$ ").endswith(_OPERATORS) or after[:1] in ("-", "\u2212", "^")):
            continue  # a part of a formula: x + y = 4, (x - 3)^2
        if len(name) == 1 and (chain := _CHAIN.match(after)):  # x = y = z = 2
            return chain["value"]
        stated = _STATED.match(after)
        if stated:
            rest = after[stated.end() :]
            if rest.startswith("(") and ")" in rest:
                return rest[: rest.index(")") + 1]
            value = rest[: end.start()] if (end := _ENDS_VALUE.search(rest)) else rest
            value = value.rpartition("=")[2].strip(" .")
            if value and any(map(str.isdigit, value)):
                return value
    return None


_COUNT_BEFORE = lazy_pattern(r"(?<![\d.,])([-−]?\d(?:[\d.,/]*\d)?) *$")
_OPERATORS = ("+", "-", "\u2212", "*", "/", "^", "\\cdot", "\\times")
_CHAIN = lazy_pattern(r"(?: ?= ?[a-z]){1,3} ?= ?(?P<value>[-\u2212]?\d+(?:\.\d+)?)(?=$|[\s$,;.)])")
_STATED = lazy_pattern(
    r"(?:[\s:=：＝&)]|(?:value\s)?\b(?:is|are|was|were|has|have|had|gets?|equals?)\b|imum|为|是|有|今年|现在)+"
    r"(?=[-−+\d\\(.$€£])|(?=-?\d)"
)


def places_of(text: str, name: str) -> Iterator[int]:
    """Where a name stands as a word of its own, from the last place to the first."""
    end = len(text)
    while (start := text.rfind(name, 0, end)) >= 0:
        before, after = text[start - 1 : start], text[start + len(name) : start + len(name) + 1]
        whole = not name.isascii() or not (before.isalpha() or before == "\\" or (len(name) == 1 and after.isalpha()))
        if whole:
            yield start
        end = start


def same(reference: str, answer: str, decide: Callable[[str, str], Any]) -> bool | None:
    """Whether two lists give each name the same value; None if they are no such lists, or a value is undecided."""
    wanted, given = values(reference), values(answer)
    if not wanted or set(wanted) != set(given):
        return None
    decisions = [decide(wanted[name], given[name]) for name in wanted]
    verdicts = [decision.equal if decision else None for decision in decisions]
    return False if False in verdicts else None if None in verdicts else True
