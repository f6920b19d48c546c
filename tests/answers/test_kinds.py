"""Answers as models write them, by kind: a thousand (reference, answer) whose verdict a person has given.

A file of `kinds` is a kind. Its first line is the rule; `= TEXT` is a reference, and the lines below it are answers to
it: `+ TEXT` is right, `- TEXT` is wrong, `? TEXT` cannot be decided. `++ TEXT`, `-- TEXT` and `?? TEXT` are whole
responses, from which the answer is still to be taken. ⏎ is a line break, and ␇ ␈ ␉ ␌ ␍ are control characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from libra_cli.answers.comparison.equal import Decision
from libra_cli.answers.extraction.extract import NO_ANSWER, Extraction, read_answer
from libra_cli.answers.process.pool import Pool
from libra_cli.answers.sentences.extracted import OTHER_ANSWER

KINDS = sorted((Path(__file__).parent / "kinds").glob("*.txt"))
CONTROL = str.maketrans("⏎␇␈␉␌␍", "\n\a\b\t\f\r")
FEWEST = 10
"""Cases of either label that each kind has."""
RIGHT_VERDICTS, RIGHT_VERDICTS_OF_A_KIND = 0.99, 0.95
"""What is missing from these is undecided; no verdict is wrong."""


class Case(NamedTuple):
    """One line of a file, and its place in it."""

    place: str
    reference: str
    text: str
    right: bool | None
    """None if no label is certain."""
    whole: bool
    """The text is a whole response."""

    @property
    def answer(self) -> Extraction:
        return read_answer(self.text, self.reference) if self.whole else Extraction(self.text)


def cases_of(kind: Path) -> Iterator[Case]:
    rule, *lines = kind.read_text(encoding="utf-8").splitlines()
    assert rule.startswith("# "), f"{kind.name}: its first line is the rule"
    reference = ""
    for number, line in enumerate(lines, 2):
        mark, _, text = line.partition(" ")
        if mark == "=":
            reference = text
        else:
            assert mark in ("+", "-", "?", "++", "--", "??"), f"{kind.name}:{number}: {mark!r} is no mark"
            right = {"+": True, "-": False, "?": None}[mark[0]]
            yield Case(f"{kind.name}:{number}", reference, text.translate(CONTROL), right, len(mark) == 2)


@pytest.fixture(scope="module")
def found() -> dict[Case, Decision]:
    """The decision on each case."""
    cases = [case for kind in KINDS for case in cases_of(kind)]
    read = [(case, case.answer) for case in cases]
    with Pool(2) as pool:
        decided = iter(pool.decide_many([(case.reference, found[0]) for case, found in read if found[0] is not None]))
    wrong = (NO_ANSWER, OTHER_ANSWER)
    unread = {reason: Decision(False if reason in wrong else None, "no_answer", reason) for _, (_, reason) in read}
    return {
        case: unread[reason] if answer is None else if_certain(next(decided), reason) for case, (answer, reason) in read
    }


def if_certain(decision: Decision, reason: str | None) -> Decision:
    """As `verify` takes it: an answer that may have been misread is not wrong."""
    return decision if reason is None or decision.equal is not False else Decision(None, decision.by, reason)


def shown(found: dict[Case, Decision]) -> str:
    """The cases that failed, one a line."""
    failed = [(case, decision) for case, decision in found.items() if decision.equal is not case.right]
    return "".join(
        f"\n{case.place}: {case.reference!r} against {case.answer.answer!r} is {case.right}, found {decision}"
        for case, decision in failed
    )


def share_right(found: dict[Case, Decision]) -> float:
    return sum(decision.equal is case.right for case, decision in found.items()) / len(found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.stem)
def test_kind(kind, found):
    of_kind = {case: decision for case, decision in found.items() if case.place.startswith(f"{kind.name}:")}
    labels = [case.right for case in of_kind]
    assert min(labels.count(True), labels.count(False)) >= FEWEST
    assert share_right(of_kind) >= RIGHT_VERDICTS_OF_A_KIND, shown(of_kind)


def test_all_kinds_together(found):
    assert len(found) >= 1000
    assert share_right(found) >= RIGHT_VERDICTS, shown(found)
    wrong = {case: each for case, each in found.items() if each.equal is not None and each.equal is not case.right}
    assert wrong == {}, shown(wrong)


def test_no_case_stands_twice(found):
    cases = [(case.reference, case.text) for case in found]
    assert sorted({case for case in cases if cases.count(case) > 1}) == []
