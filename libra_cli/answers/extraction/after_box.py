"""Reads what a text states behind its last box, if that is another value than the one in the box.

A text may box what leads to its answer: `x = \\boxed{6.5}` and `y = \\boxed{2.5}`, so x + y = 9.
"""

from __future__ import annotations

from libra_cli.answers.extraction import conclusions
from libra_cli.answers.sentences import assertions, remarks, statements
from libra_cli.answers.sentences.extraction import Extraction
from libra_cli.answers.text import boxes, words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_NAMED = lazy_pattern(r"(?<![A-Za-z\\])([A-Za-z](?:_\{?\w\}?)?)\s*=\s*\$?\s*\\boxed")
_OF_QUESTION = words.table(
    "so thus therefore hence and the a our my final correct required overall answer to question problem this original "
    "is therefore be must should a"
)
"""Words of a sentence that states the answer to the question."""
_CLOSING = " $.,;)]}\\\n"


def answer(text: str, box: boxes.Box, reference: str | None) -> Extraction | None:
    """The number that a text states behind `box`; None if it states none for certain, or the one in the box."""
    from libra_cli.answers.comparison import equal

    behind = text[box.end :]
    if not any(map(str.isdigit, behind)):
        return None
    stated = None
    if "answer" in behind.lower():
        tail = statements.tail_of(behind)
        statement = next(statements.explicit(tail), None)
        is_of_question = statement and _is_of_question(tail, statement)
        stated = statements.tidy(statement.given).answer if statement and is_of_question else None
    elif reference and structure.is_number(reference):
        names = _NAMED.findall(text, max(0, box.start - boxes.MAX_GAP), box.end)
        last = remarks.last_sentence(behind.strip(_CLOSING))
        if len(set(names)) > 1 and remarks.begins_conclusion(last):  # so x + y = 9
            stated = conclusions.concluded(last).answer
    if not stated or assertions.denies(stated):
        return None
    value = stated.rpartition("=")[2].strip(" $")
    if not structure.is_number(value):
        return None
    decision = equal.decide_quickly(box.content, value)
    return Extraction(value) if decision is not None and decision.equal is False else None


def _is_of_question(tail: str, statement: statements.Statement) -> bool:
    """Whether a statement gives the answer to the question, and not to a part or to another case."""
    start = max(map(tail.rfind, (". ", "! ", "? ", "\n"), (0,) * 4, (statement.start,) * 4)) + 1
    label = tail[start : statement.end].removesuffix(statement.given)
    return {word.lower() for word in words.split(label)} <= _OF_QUESTION
