"""Reads which of several statements are true: "Statement 1 is false and statement 2 is true", "T, F, T"."""

from __future__ import annotations

import re

from libra_cli.answers.sentences import ordinals
from libra_cli.answers.sentences.extracted import UNDECIDED, Extraction
from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

_VALUES = {
    "true": "True", "t": "True", "yes": "True", "correct": "True", "right": "True",
    "false": "False", "f": "False", "no": "False", "incorrect": "False", "wrong": "False",
}  # fmt: skip
_OPPOSITES = {"true": "False", "false": "True", "correct": "Incorrect", "incorrect": "Correct"}
_STATED = lazy_pattern(
    r"\b(?P<label>[1-9]|[IV]{1,3}|i{1,3}|iv|v|[a-eA-E])\)?"
    r"(?: is|:| =| \u2013| \u2014|(?<=\))) (?P<value>(?i:true|false|correct|incorrect))\b"
    r"|\b[Tt]he (?P<ordinal>first|second|third|fourth|fifth)(?: (?:one|statement|assertion|claim))?(?: is)? "
    r"(?P<said>true|false|correct|incorrect)\b",
    one_of=("true", "false", "correct"),
)
_ALL = lazy_pattern(
    r"\b(?i:both|all(?: (?:two|three|four|five))?)(?: of them| statements| the statements)? are "
    r"(true|false|correct|incorrect)\b",
    one_of=("true", "false", "correct"),
)
_FIRST = frozenset("TtFfYyNn")
"""How a list of truth values begins."""
_DOUBTS = words.table(
    """
    not if unless or neither nor maybe perhaps would could might only isn't aren't cannot can't impossible nobody doubt
    when claimed lie contrary errs thinks believes believe says rare converse negation step option
    """
)
_SMALL_NUMERALS = ("i", "ii", "iii", "iv", "v")
_NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}


def of_list(text: str) -> list[str]:
    """The truth values of a list of at least two, as True and False; empty if it is none."""
    heard = [
        word.lower()
        for word in words.split(latex.without_setting(text).replace(",", " ").replace(";", " "))
        if word != "and"
    ]
    values = [_VALUES.get(word, "") for word in heard]
    return values if len(values) > 1 and all(values) else []


def in_words(reference: str, answer: str) -> tuple[str, str]:
    """Two lists of truth values in the same words and as rows, whose order counts: TFT as (True, False, True).

    One that is denied as its opposite: not false as True.
    """
    if reference.lower() in _OPPOSITES and " " in answer:
        said = latex.without_setting(answer).strip(" .").lower()
        kept = said.removeprefix("not ")
        return reference, _OPPOSITES[kept] if kept != said and kept in _OPPOSITES else answer
    wanted = _in_a_row(reference) or of_list(reference) if reference[:1] in _FIRST else []
    given = _in_a_row(answer) or of_list(answer) if wanted else []
    return (f"({', '.join(wanted)})", f"({', '.join(given)})") if wanted and given else (reference, answer)


def _in_a_row(text: str) -> list[str]:
    """The truth values that capitals without marks between them are: TFT; none if the text is anything else."""
    letters = latex.without_setting(text).strip(" .")
    return [_VALUES[letter.lower()] for letter in letters] if len(letters) > 1 and {*letters} <= {"T", "F"} else []


def stated(sentence: str, reference: str) -> Extraction | None:
    """The truth values of all statements, in their order, where the reference is a list of them."""
    wanted = of_list(reference)
    heard = {word.lower() for word in words.split(sentence)} if wanted else set[str]()
    if not wanted or heard.isdisjoint(_VALUES):
        return None
    everything = _ALL.findall(sentence)
    values = {_place(found): _VALUES[(found["value"] or found["said"]).lower()] for found in _STATED.finditer(sentence)}
    n_said = sum(word.lower() in _VALUES and len(word) > 1 for word in words.split(sentence))
    if not _DOUBTS.isdisjoint(heard) or sentence.rstrip().endswith("?") or (everything and "for" in heard):
        return UNDECIDED
    if len(everything) == n_said == 1 and (len(wanted) == 2 or "oth " not in sentence):
        return Extraction(", ".join([_VALUES[everything[0]]] * len(wanted)))
    is_whole = sorted(values) == [*range(1, len(wanted) + 1)] and n_said == len(wanted)
    return Extraction(", ".join(values[place] for place in sorted(values))) if is_whole else UNDECIDED


def _place(found: re.Match[str]) -> int:
    """The place of a statement in their order: 2 for statement 2, (b), II, and the second."""
    label = found["label"]
    if label is None:
        return ordinals.VALUES[found["ordinal"]]
    if label.isdigit():
        return int(label)
    return _NUMERALS.get(label.upper() if label in _SMALL_NUMERALS else label) or ord(label.upper()) - ord("A") + 1
