"""Whatever a guarded pattern matches holds one of the words that guard it: proved on the tree of the pattern."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

from libra_cli import answers
from libra_cli.lazy_pattern import LazyPattern, in_small_letters, lazy_pattern

try:
    from re import _parser as syntax  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as syntax

PROVED = "PROVED"
"""State of a match that holds a word; the others are the end of what it holds so far, in small letters."""
MOST_TIMES = 4
"""Repetitions of a part that are followed; what more of them hold is not looked at."""


def guarded(value: Any) -> Iterator[LazyPattern]:
    """The guarded patterns in a module's variable, however deep they lie in it."""
    if isinstance(value, LazyPattern):
        if value.one_of:
            yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from guarded(item)
    elif isinstance(value, dict):
        yield from guarded(list(value.values()))


MODULES = [module.name for module in pkgutil.walk_packages(answers.__path__, f"{answers.__name__}.")]
GUARDED = [
    pytest.param(pattern, id=f"{module.removeprefix(answers.__name__)[1:]}.{name}")
    for module in MODULES
    for name, value in vars(importlib.import_module(module)).items()
    for pattern in guarded(value)
]


def letters(members: Any) -> set[str]:
    """The few letters that a set stands for, in small letters; empty if they are many."""
    found = set()
    for kind, value in members:
        if str(kind) != "LITERAL":
            return set()
        found.add(in_small_letters(chr(value)))
    return found


class Proof:
    """Follows what the matches of a pattern hold, part by part, for the words that guard it."""

    def __init__(self, words: tuple[str, ...]):
        self.words, self.longest = words, max(map(len, words))

    def after(self, tree: Any, states: set[str]) -> set[str]:
        """The states behind what `tree` matches, from each of `states`."""
        for operation, argument in tree:
            name = str(operation)
            if name == "LITERAL":
                states = self.behind(states, {in_small_letters(chr(argument))})
            elif name == "IN":
                states = self.behind(states, letters(argument))
            elif name == "SUBPATTERN":
                states = self.after(argument[3], states)
            elif name == "BRANCH":
                states = set().union(*(self.after(branch, states) for branch in argument[1]))
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                states = self.repeated(*argument, states)
            elif name == "ASSERT":  # what it looks at stands in the text, too
                states = {PROVED} if self.after(argument[1], {""}) == {PROVED} else states
            elif name not in ("AT", "ASSERT_NOT"):
                states = self.behind(states, set())
        return states

    def behind(self, states: set[str], following: set[str]) -> set[str]:
        """The states behind one of the letters `following`, or behind an unknown one if there are none."""
        if not following:
            return {PROVED if state is PROVED else "" for state in states}
        ends = {PROVED if state is PROVED else state + letter for state in states for letter in following}
        return {PROVED if end is PROVED or end.endswith(self.words) else end[-self.longest :] for end in ends}

    def repeated(self, least: int, most: int, tree: Any, states: set[str]) -> set[str]:
        times, end = max(1, min(least, MOST_TIMES)), states
        for _ in range(times):
            end = self.after(tree, end)
        if most > times:
            end = end | self.behind(end, set())
        return end if least else end | states


def is_proved(source: str, flags: int, words: tuple[str, ...]) -> bool:
    return Proof(words).after(syntax.parse(source, flags), {""}) == {PROVED}


@pytest.mark.parametrize("pattern", GUARDED)
def test_a_match_holds_one_of_the_words(pattern):
    assert tuple(map(in_small_letters, pattern.one_of)) == pattern.one_of
    assert is_proved(pattern.pattern, pattern.flags & ~re.UNICODE, pattern.one_of), "name what the pattern may match"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (r"wait|no\b", ("wait",)),
        (r"(?:it )?is", ("it",)),
        (r"so(?! that)", ("so that",)),
        (r"[\d,]+", (",",)),
        (r"about\s+4", ("about 4",)),
    ],
)
def test_a_guard_with_a_gap_is_found(source, words):
    assert not is_proved(source, 0, words)


@pytest.mark.parametrize("text", ["Wait, no", "WA\u0130T", "wa\u0131t", "mi\u017ftake", "nothing", ""])
def test_a_guard_changes_no_result(text):
    source, flags = r"(?:wait|mistake)(\b)", re.IGNORECASE
    plain, guarded_one = re.compile(source, flags), lazy_pattern(source, flags, one_of=("wait", "mistake"))
    for name in ("search", "match", "fullmatch"):
        found, expected = (getattr(pattern, name)(text) for pattern in (guarded_one, plain))
        assert (found and found.span()) == (expected and expected.span())
    assert [*map(str, guarded_one.finditer(text))] == [*map(str, plain.finditer(text))]
    for name in ("findall", "split"):
        assert getattr(guarded_one, name)(text) == getattr(plain, name)(text)
    for name in ("sub", "subn"):
        assert getattr(guarded_one, name)("-", text) == getattr(plain, name)("-", text)
