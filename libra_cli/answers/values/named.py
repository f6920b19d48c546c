"""Reads and compares several quantities that belong to names: `mean = 12, median = 11`, `14 red, 9 blue`.

The names are those of the reference. In a response their values may stand in any order, in a list or in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from libra_cli.answers.text import latex, words
from libra_cli.answers.values import conversions
from libra_cli.answers.values.finding import Decide
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS, MAX_NAMES, MAX_READ = 240, 8, 400
_SEPARATORS = frozenset((",", ";", "\uff0c", "\uff1b", "\u3001", "and", "\n"))
_VALUE_STARTS = lazy_pattern(
    r"(?<![A-Za-z])[-+−]?(?:\\?[$€£])?(?:\d|\.\d|\((?=[-\u2212\d])|\\[dt]?frac|\\sqrt|\\pi\b|\u03c0)"
)
_NAME = lazy_pattern(r"[^\W\d_](?:[^\W\d]|[ '-])*")
_SIGNS = (*":=：＝*$&", "为", "是", "有", "今年", "\\,", "\\;", "\\:", "\\quad", "\\qquad")
_VERBS = tuple(
    f" {verb}" for verb in ["is", "are", "was", "were", "has", "have", "had", "get", "gets", "equal", "equals", "of"]
)
_VALUE_FIRST = lazy_pattern(r"(?P<value>[-+]?\d[\d.,/]*)\s*(?P<name>[A-Za-z](?:[A-Za-z]|[ '-])*)")
_LABEL = lazy_pattern(r"^\s*(?:[-*•]|\(?\w[).])\s+", one_of=(".", "\u2022", ")", "-", "*"))
_SHORT_FORMS = {"maximum": "max", "minimum": "min"}
_SYMBOLS = """
    r radius; d diameter; P perimeter power; A area; V volume voltage; C circumference; m mass slope mean
    v speed velocity; a acceleration; t time; F force; E energy; T temperature period; f frequency; I current
    U voltage; R resistance
    Q charge heat; n moles; c concentration; h height; l length; w width; p pressure; W work; L length inductance
    s distance; b base y-intercept; k constant; q quotient; r remainder; \u03bb wavelength; \u03c1 density
"""
_SAME_NAMES = {
    "center": ("centre",),
    "centre": ("center",),
    "max": ("maximum", "greatest value", "largest value", "highest value", "greatest", "largest"),
    "min": ("minimum", "least value", "smallest value", "lowest value", "least", "smallest"),
    "maximum": ("max", "greatest value", "largest value", "highest value", "greatest", "largest"),
    "minimum": ("min", "least value", "smallest value", "lowest value", "least", "smallest"),
}
_PAIRS = [
    (symbol, name)
    for line in _SYMBOLS.replace("\n", ";").split(";")
    for symbol, *named in [line.split() or [""]]
    for name in named
]
_DIVISION = frozenset(("quotient", "remainder"))
_DIVIDED = lazy_pattern(
    r"(?<![\d.])(?<!by )(?<!into )(?<!- )(?<!-)"
    r"(-?\d{1,12})\s?(?:[,;]?\s?(?:with )?(?:a )?remainder(?: of)?|rem\.?|[Rr])\s?(\d{1,12})(?![\d.])"
)
_INTERVAL = lazy_pattern(r"(?:range|domain|interval|set)\b[^.]{0,30}[(\[]-?[^()\[\]]{1,30},[^()\[\]]{1,30}[)\]]")
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
    r"\.(?:\s|$)|[;,，；。、](?!\d{3})|\n|\s\((?=[A-Za-z$])|:\s(?!\d)"
    r"|\s(?:at|and|when|for|where|with|while|but|because|so|we|gives?|then|is|are)\b|$"
)
_POINT_NAMED = lazy_pattern(
    r"\(([A-Za-z](?:, ?[A-Za-z]){1,3})\)\s?(?:=|is(?: at)?)\s?"
    r"\(((?:[^()]|\([^()]{0,40}\)){3,80})\)(?!\s?[-+*^\u2212\u00b7])"
)
_FUNCTION_NAMED = lazy_pattern(
    r"[A-Za-z]_\s*\{?\s*\\?(?:text\s*\{|mathrm\s*\{)?\s*(max|min)\w*\s*\}*", one_of=("min", "max")
)
_PI = ("\\pi", "\u03c0")
_COUNT_BEFORE = lazy_pattern(r"(?<![\d.,])([-−]?\d(?:[\d.,/]*\d)?) *\Z")
_OPERATORS = ("+", "-", "\u2212", "*", "/", "^", "\\cdot", "\\times")
_CHAIN = lazy_pattern(r"(?: ?= ?[a-z]){1,3} ?= ?(?P<value>[-\u2212]?\d+(?:\.\d+)?)(?=$|[\s$,;.)])")
_STATED = lazy_pattern(
    r"(?: of (?:the |its )?[A-Za-z]+(?= (?:is|=|equals|comes)))?"
    r"(?:, (?:the|which is|i\.e\.) [A-Za-z ]{1,30},(?= (?:is|=)))?"
    r"(?: is the [A-Za-z ]{1,30}(?=[,:] -?[\d$]),?)?"
    r"(?:[\s:=：＝&)]|\b(?:values?|is|are|was|were|has|have|had|gets?|equals?|of"
    r"|comes?|amounts?|works|out|turns|to|be|measures?|therefore|thus|then|just|equal)\b|imum|为|是|有|今年|现在)+"
    r"(?=[-−+\d\\(.$€£\u03c0])|(?=-?\d)"
)


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
    if "\\left(" in text:
        text = text.replace("\\left(", "(").replace("\\right)", ")")
    text = _FUNCTION_NAMED.sub(r"\1", text).replace("\\max", "max").replace("\\min", "min")
    text = "\n".join(_LABEL.sub(" ", latex.without_setting(line)) for line in text.replace("\\angle", " ").split("\n"))
    if ")" in text and "," in text:
        text = _POINT_NAMED.sub(_one_by_one, text)
    return text.replace(" ^", "^").replace(" -coordinate", "-coordinate")


def _one_by_one(point: re.Match[str]) -> str:
    """(x, y) = (3, 2) as x = 3, y = 2."""
    names, values = point[1].split(","), latex.split(point[2], frozenset(","))
    if len(names) != len(values):
        return point[0]
    return ", ".join(f"{name.strip()} = {value.strip()}" for name, value in zip(names, values, strict=True))


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


@lru_cache(1 << 8)
def _aliases(name: str) -> tuple[str, ...]:
    """Other names of a quantity: its symbol, or the quantities for which it stands."""
    if len(name) == 1:
        return tuple(one for symbol, one in _PAIRS if symbol == name)
    spelled = _SAME_NAMES.get(name, ())
    return (*spelled, *(symbol for symbol, one in _PAIRS if _key(one) == name))


def read(text: str, reference: str) -> str | None:
    """The values that the end of a text gives to the names of a reference, as a list; None unless it gives all."""
    wanted = values(reference)
    if not wanted:
        return None
    plain = _plain(_without_tables(text[-MAX_READ:]))
    if set(wanted) == _DIVISION and "quotient" not in plain.lower() and (found := _DIVIDED.search(plain)):
        return f"quotient = {found[1]}, remainder = {found[2]}"
    given: dict[str, str] = {}
    for name in wanted:
        told = value_of(name, plain)
        heard = {told} if told else {value for one in _aliases(name) if (value := value_of(one, plain))}
        if len(heard) != 1:
            return None
        exact, _, rounded = heard.pop().partition("\u2248")
        given[name] = rounded.strip() if rounded and "." in wanted[name] else exact.strip()
    return ", ".join(f"{name} = {given[name]}" for name in wanted)


def _without_tables(text: str) -> str:
    """A text with the rows of its tables as lines: `Mean: 4`, or `x: 4` from a head x above one row."""
    if "|" not in text:
        return text
    lines = text.split("\n")
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] if "|" in line else [] for line in lines]
    written = list[str]()
    for at, (line, row) in enumerate(zip(lines, rows, strict=True)):
        if set(line) <= set("|-: "):
            continue
        head = rows[at - 2] if at > 1 and set(lines[at - 1]) <= set("|-: ") and lines[at - 1].strip() else []
        is_only = len(head) == len(row) > 1 and not any(rows[at + 1 :])
        if is_only and not any(map(str.isdigit, "".join(head))):
            written += [f"{name}: {value}" for name, value in zip(head, row, strict=True)]
        elif len(row) == 2:
            written.append(f"{row[0]}: {row[1]}")
        else:
            written.append(line)
    return "\n".join(written)


def place(text: str, reference: str) -> str | None:
    """The point or closed interval whose coordinates or ends a text names one by one; None if it does not name all.

    x = 3 and y = -1; x-coordinate 4 and y-coordinate 2; the least value is 1, the greatest is 3.
    """
    bare = _plain(reference.strip(" $"))
    inside = latex.enclosed(bare, ("(", "["), (")", "]"))
    count = len(latex.split(inside[1], frozenset(","))) if inside else 0
    if inside is None or not 2 <= count <= len(_COORDINATES) or inside[0] + inside[2] not in ("()", "[]"):
        return None
    names = _COORDINATES[:count] if inside[0] == "(" else _ENDS
    plain, given = _plain(text[-MAX_READ:]), list[str]()
    if _INTERVAL.search(words.sentences(plain)[-1]):  # which says more than its ends
        return None
    for alternatives in names:
        heard = {value for name in alternatives if (value := value_of(name, plain))}
        if len(heard) != 1 or any(" not " in value for value in heard):
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
        elif len(name) == 1 and (_ends_in_factor(before) or after[:1] in ("-", "\u2212", "^")):
            continue  # a part of a formula: x + y = 4, (x - 3)^2, 3x = 9
        if len(name) == 1 and (chain := _CHAIN.match(after)):  # x = y = z = 2
            return chain["value"]
        stated = _STATED.match(after)
        if stated:
            rest = after[stated.end() :]
            if rest.startswith("(") and "," in rest[: rest.find(")") + 1]:
                return rest[: rest.index(")") + 1]
            value = rest[: end.start()] if (end := _ENDS_VALUE.search(rest)) else rest
            value = value.rpartition("=")[2].strip(" .")
            value = value.rstrip(")") if ")" in value and "(" not in value else value
            if value and (any(map(str.isdigit, value)) or value.lstrip("-") in _PI):
                return value
    return None


def _ends_in_factor(before: str) -> bool:
    """Whether what stands before a letter joins it to a formula: 3x, x + y."""
    return before[-1:].isdigit() or before[-1:] == ")" or before.rstrip("$ ").endswith(_OPERATORS)


def places_of(text: str, name: str) -> Iterator[int]:
    """Where a name stands as a word of its own, from the last place to the first."""
    end = len(text)
    while (start := text.rfind(name, 0, end)) >= 0:
        before, after = text[start - 1 : start], text[start + len(name) : start + len(name) + 1]
        whole = not name.isascii() or not (before.isalpha() or before == "\\" or (len(name) == 1 and after.isalpha()))
        if whole:
            yield start
        end = start


def same(reference: str, answer: str, decide: Decide) -> bool | None:
    """Whether two lists give each name the same value; None if they are no such lists, or a value is undecided."""
    wanted, given = values(reference), values(answer)
    if wanted and not given:
        given = _with_names(answer, wanted)
    if not wanted or not given:
        return None
    if set(wanted) != set(given):
        renamed = {one: name for name in wanted for one in (name, *_aliases(name)) if one in given}
        given = {renamed.get(name, name): value for name, value in given.items()}
    if set(wanted) != set(given):
        return None
    decisions = [decide(wanted[name], _of_intercept(name, given[name], wanted[name])) for name in wanted]
    verdicts = [decision.equal if decision else None for decision in decisions]
    return False if False in verdicts else None if None in verdicts else True


def _of_intercept(name: str, value: str, wanted: str) -> str:
    """2 of a y-intercept (0, 2), if the reference gives a number."""
    point = latex.enclosed(value, ("(",), (")",)) if name.endswith("intercept") and "," not in wanted else None
    if point is None:
        return value
    left = [part.strip() for part in point[1].split(",") if part.strip() != "0"]
    return left[0] if len(left) == 1 else value


def _with_names(answer: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """The values of a list of which one has no name, which is then the name that is left: (1, -2), r = 5."""
    divided = _DIVIDED.fullmatch(_plain(answer).strip(" .")) if set(wanted) == _DIVISION else None
    if divided:
        return {"quotient": divided[1], "remainder": divided[2]}
    parts = [part.strip(" .") for part in latex.split(_plain(answer), _SEPARATORS) if part.strip(" .")]
    named = {pair[0]: pair[1] for part in parts if "=" in part and (pair := pair_of(part))}
    bare = [part for part in parts if "=" not in part]
    if len(parts) != len(wanted) or len(bare) != 1 or len(named) != len(parts) - 1:
        return {}
    left = [name for name in wanted if not ({name, *_aliases(name)} & set(named))]
    return {**named, left[0]: bare[0]} if len(left) == 1 else {}
