"""Reads and compares answers to the parts of a question: `(a) 3 (b) 5`, each on a line of its own or in a row."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.answers.text import boxes, latex, words
from libra_cli.answers.values.finding import Decide
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 400
_LABEL = r"(?:[a-h]|i{1,3}|iv|v|[1-8])"
_MARK = lazy_pattern(
    rf"(?<![^\s;,.:])(?:(?:[Pp]art )?\(?(?P<closed>{_LABEL})\)[:.]?|[Pp]art (?P<part>{_LABEL})[:.]"
    r"|(?:(?<=\n)|\A)(?P<dotted>[a-h])\.)(?=\s*\S)"
)
_HAS_VALUE = lazy_pattern(r"\d|\\pi|\u03c0")
_NUMBERED = lazy_pattern(r"(?:(?<=\n)|\A)([1-8])\. ")
_ORDERS = ("abcdefgh", ("i", "ii", "iii", "iv", "v"), "12345678")
_SHORT = 40


def values(text: str) -> list[str]:
    """The value of each part in order; empty if a text is no list of labelled parts."""
    if ")" not in text or len(text) > MAX_CHARS:
        return []
    return _of(text.replace("**", "").replace("\\text{", "").replace("\\quad", " "), at_start=True)


def _of(text: str, at_start: bool) -> list[str]:
    """What stands behind the labels of the last list of a text, which has at least two."""
    marks = [*_MARK.finditer(text)]
    labels = [mark["closed"] or mark["part"] or mark["dotted"] for mark in marks]
    first = next((at for at in reversed(range(len(marks))) if labels[at] in ("a", "i", "1")), None)
    if first is None or (at_start and text[: marks[first].start()].strip(" $")):
        return []
    marks, labels = marks[first:], labels[first:]
    order = next(order for order in _ORDERS if order[0] == labels[0])
    if len(marks) < 2 or labels != [*order[: len(marks)]]:
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    found = [text[mark.end() : end].strip(" ,;.:\n$}#") for mark, end in zip(marks, ends, strict=True)]
    return found if all(any(map(str.isalnum, one)) for one in found) else []


def stated(tail: str, reference: str, conclude: Callable[[str], str | None]) -> str | None:
    """The values that a text ends with for the parts of the reference; "" if one is not certain, None if it has none.

    `conclude` says what a text about one part asserts.
    """
    wanted = values(reference) or listed(reference)
    text = tail.replace("**", "")
    given = _of(_NUMBERED.sub(r"(\1) ", text) if "(1)" in reference else text, at_start=False) if wanted else []
    if len(given) != len(wanted) or not wanted:
        return None
    short = [_boxed(one) or (one if _is_value(one) else conclude(one) or _if_short(one)) for one in given]
    told = [one for one in short if one]
    written = " ".join(f"({label}) {value}" for label, value in zip("abcdefgh", told, strict=False))
    return written if len(told) == len(short) else ""


def _if_short(text: str) -> str | None:
    return text if len(text) < _SHORT and not words.in_row(text) else None


def _is_value(text: str) -> bool:
    """Whether a part gives its value and nothing else."""
    return text.count("=") < 2 and _if_short(text) is not None


def listed(reference: str) -> list[str]:
    """The values of a reference without labels that lists several; empty for anything else."""
    bare = reference.strip(" $")
    if len(bare) > MAX_CHARS or bare[:1] in ("[", "{", "\\") or latex.enclosed(bare, ("(",), (")", "]")):
        return []
    found = [part.strip(" $") for part in latex.split(bare, frozenset((",", ";", "and")))]
    return found if len(found) > 1 and all(map(_HAS_VALUE.search, found)) else []


def _boxed(text: str) -> str | None:
    """What stands in the last box of a part, or in its box that the end of the text cuts short."""
    box = boxes.last(text if text.count("{") == text.count("}") else f"{text}}}") if "boxed" in text else None
    return box.content if box else None


def _value(given: str, wanted: str) -> str:
    """What a part gives, without the name that its reference leaves out: 5 of f(2) = 5."""
    return given.rpartition("=")[2].strip(" $") if "=" in given and "=" not in wanted else given


def same(reference: str, answer: str, decide: Decide) -> tuple[bool | None] | None:
    """Whether all parts are equal, (None,) if one is undecided; None if neither answer has labelled parts."""
    wanted, given = values(reference), values(answer)
    if not wanted and not given:
        return None
    bare = reference if given and not wanted else answer
    if len(wanted) != len(given):
        found = [one.strip() for one in latex.split(bare.strip(" $()"), frozenset((",", ";", "and")))]
        wanted, given = wanted or found, given or found
    if len(wanted) != len(given):
        return (None,)
    pairs = zip(wanted, given, strict=True)
    decisions = [decide(_value(one, other), _value(other, one)) for one, other in pairs]
    verdicts = [decision.equal if decision else None for decision in decisions]
    return (False if False in verdicts else None if None in verdicts else True,)
