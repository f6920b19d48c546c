"""Reads what a text states behind its last box, if that is another value than the one in the box.

A text may box what leads to its answer: `x = \\boxed{6.5}` and `y = \\boxed{2.5}`, so x + y = 9.
"""

from __future__ import annotations

from libra_cli.answers.extraction import conclusions
from libra_cli.answers.sentences import assertions, remarks, statements
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import boxes, words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_NAMED = lazy_pattern(r"(?<![A-Za-z\\])([A-Za-z](?:_\{?\w\}?)?)\s*=\s*\$?\s*\\boxed")
_BOX_OF_NAME = lazy_pattern(
    r"(?:(?<![A-Za-z\\])(?P<name>[A-Za-z](?:_\{?\w\}?)?|[a-z]{3,12}) ?= ?\$?)?"
    r"\\boxed\{(?:\s*(?P<inside>[A-Za-z](?:_\{?\w\}?)?|(?:\\text\{)?[a-z]{3,12}\}?) ?= ?)?"
    r"(?P<value>[^{}=]{0,40}(?:\{[^{}=]{0,40}\}[^{}=]{0,40}){0,4})\}"
)
_CORRECTED = lazy_pattern(
    r"(?i)\b(?:correction|actually|wait|mistake|sorry)\b", one_of=("wait", "sorry", "mistake", "actually", "correction")
)
_LABELLED = lazy_pattern(r"(?<![A-Za-z\\])[A-Za-z] ?: ?\$?\\boxed")
"""A box behind the name of its value: y: \\boxed{1}."""
_BOX = lazy_pattern(r"\\boxed\{([^{}]{0,60}(?:\{[^{}]{0,40}\}[^{}]{0,40}){0,4})\}")
_NAME_IN_REFERENCE = lazy_pattern(r"(?<![A-Za-z\\])([A-Za-z](?:_\{?\w\}?)?|[a-z]{3,12}) ?=", one_of=("=",))
_CARRIED_OUT = lazy_pattern(
    r"[$\s]{0,3}=\s?\$?(?P<value>-?(?:\d[\d.,]*(?<=\d)|\\[dt]?frac\{\d+\}\{\d+\}))(?![\w^*/!])"
    r"(?!\s*\$?\s*(?:\\text\s*\{\s*)?(?:or|and)\b|\s*,\s*-?\d|\s*(?:\\pm|[-+*/\u00b7\u00d7]|\\cdot|\\times))"
)
_LETTER = lazy_pattern(r"[A-Za-z](?:_\{?\w\}?)?")
_SEVERAL = 2
_OF_QUESTION = words.table(
    "so thus therefore hence and the a our my final correct required overall answer to question problem this original "
    "is be must should"
)
"""Words of a sentence that states the answer to the question."""
_NEARNESS = 50
"""A decimal that differs from the value in the box by less than one part in so many may be it, rounded."""
_SCALES = (60, 100, 1000, 3600)
"""How many times one number for an amount is another one, in other units."""
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
        given = statements.without_remark(statement.given) if statement and is_of_question else ""
        stated = statements.tidy(given).answer if given and _is_bare(given) else None
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
    is_other = decision is not None and decision.equal is False and not _may_be_same(box.content, value)
    return Extraction(value) if is_other else None


def carried_out(content: str, behind: str, reference: str) -> str | None:
    """The value of the calculation in a box that stands behind it: \\boxed{3!} = 6; None if there is none.

    None as well if the box holds the reference, or the two are not the same for certain.
    """
    from libra_cli.answers.comparison import equal

    found = _CARRIED_OUT.match(behind)
    if found is None or structure.is_number(content):
        return None
    value = found["value"].strip()
    if _LETTER.fullmatch(content):
        return f"{content} = {value}"
    wanted, same = equal.decide_quickly(reference, content), equal.decide_quickly(content, value)
    is_other = wanted is None or not wanted.equal
    return value if is_other and same is not None and same.equal else None


def of_parts(text: str, reference: str) -> str | None:
    """What boxes of their own give to several names or places, where they are as many as the parts of a reference.

    The first root is \\boxed{1}, and then: the other one is \\boxed{3}. None if they do not say the reference.
    """
    found = [match[1].strip() for match in _BOX.finditer(text)]
    wanted = structure.parse(reference)
    parts = len(wanted.parts) if isinstance(wanted, structure.Parts) else 0
    if _CORRECTED.search(text):
        return None
    named = of_names(text, reference)
    is_count = len(found) == parts == text.count("\\boxed") and parts >= _SEVERAL
    if named or not is_count or words.takes_back(text) or _LABELLED.search(text):
        return named
    from libra_cli.answers.comparison import equal

    joined = f"({', '.join(found)})" if reference.startswith("(") else ", ".join(found)
    decision = equal.decide_quickly(reference, joined)
    return joined if decision is not None and decision.equal else None


def of_names(text: str, reference: str) -> str | None:
    """What boxes of their own give to several names, in the form of a reference: \\boxed{x = 4}, and \\boxed{y = 5}.

    None if the boxes give no names, or others than the reference.
    """
    marks = [*_BOX_OF_NAME.finditer(text)]
    given = {match["name"] or match["inside"]: match["value"] for match in marks}
    names = [*dict.fromkeys(_NAME_IN_REFERENCE.findall(reference))]
    if len(marks) != len(given) or len(given) < _SEVERAL or None in given or (names and set(names) != set(given)):
        return None
    if names:
        return ", ".join(f"{name} = {given[name]}" for name in names)
    is_point = reference.startswith("(") and reference.count(",") == len(given) - 1 and [*given] == sorted(given)
    return f"({', '.join(given.values())})" if is_point else None


def _is_bare(given: str) -> bool:
    """Whether what is stated has no words, which may say that it is of something else: 4 less than 7."""
    return all(len(word) == 1 for word in words.split(words.sentences(given)[0]))


def _may_be_same(boxed: str, stated: str) -> bool:
    """Whether two answers may be one in two forms: rounded, as a percentage, in another unit, or no numbers at all."""
    found = [structure.parse(one) for one in (boxed, stated)]
    leaves = [one.value if isinstance(one, structure.Equation) else one for one in found]
    exact, given = (one if isinstance(one, structure.Leaf) else None for one in leaves)
    if exact is None:  # several values
        return False
    if given is None or exact.number is None or given.number is None:
        return True
    if exact.unit != given.unit:
        return True
    first, second = abs(exact.number.value), abs(given.number.value)
    least, most = sorted((first, second))
    is_near = given.number.places != 0 and (most - least) * _NEARNESS < most
    return is_near or any(least * scale == most for scale in _SCALES)


def _is_of_question(tail: str, statement: statements.Statement) -> bool:
    """Whether a statement gives the answer to the question, and not to a part or to another case."""
    start = max(map(tail.rfind, (". ", "! ", "? ", "\n"), (0,) * 4, (statement.start,) * 4)) + 1
    label = tail[start : statement.end].rpartition(statement.given)[0]
    has_number = any(map(str.isdigit, label))  # the answer to question 2
    return not has_number and {word.lower() for word in words.split(label)} <= _OF_QUESTION
