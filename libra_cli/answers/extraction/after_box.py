"""Reads what a text states behind its last box, if that is another value than the one in the box.

A text may box what leads to its answer: `x = \\boxed{6.5}` and `y = \\boxed{2.5}`, so x + y = 9.
"""

from __future__ import annotations

import re

from libra_cli.answers.extraction import boxed_sentences, conclusions
from libra_cli.answers.languages import clocks_abroad
from libra_cli.answers.sentences import assertions, options, remarks, statements
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import boxes, latex, words
from libra_cli.answers.values import named, structure
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
_DEFINED = lazy_pattern(
    r"[$\s]{0,3},?\s(?:where|with)\s\$?(?P<letter>[A-Za-z])\s?=\s?(?P<value>[^$=,.;]{1,40}?)\$?[.!]?\s*$"
)
"""What a letter of the answer stands for: where d = 2r."""
_DEFINED_NAME = lazy_pattern(
    r"[$\s]{0,3},?\s(?:where|with)\s\$?(?P<letter>\\[a-z]{2,8}|[A-Za-z])\s?="
    r"\s?[^$=,.;]{0,30}[A-Za-z][^$=,.;]{0,30}\$?[.!]?\s*$"
)
"""What a letter stands for, in other letters: where \\omega = 2\\pi f."""
_LETTER = lazy_pattern(r"[A-Za-z](?:_\{?\w\}?)?")
_SEVERAL = 2
_OF_QUESTION = words.table(
    "so thus therefore hence and but however then the a our my final correct right required overall answer to question "
    "problem this original is be must should choice option"
)
"""Words of a sentence that states the answer to the question."""
_OWN_SLIP = lazy_pattern(
    r"\b(?:I|we) (?:\w+ )?(?:mis\w+|counted|forgot|missed|dropped|overlooked)\b|\bit was off by\b",
    one_of=("mis", "counted", "forgot", "dropped", "overlooked", "it was off by"),
)
"""A slip of the writer, and no other's: I counted one twice, so the answer is 6."""
_OPTION_IS_RIGHT = lazy_pattern(
    r"(?:^|[.!?\n]\s*)(?:(?:so|thus|therefore|hence),? )?(?:the )?"
    r"(?:(?:option|choice) \(?(?P<option>(?-i:[A-J1-9]))\)? is (?:the )?(?:right|correct|best|true)"
    r"(?: (?:one|answer|option))?|(?:correct |right )(?:option|choice) is \(?(?P<named>(?-i:[A-J1-9]))\)?)[.!]?$",
    re.IGNORECASE,
    one_of=("option", "choice"),
)
"""A last sentence that names an option: So option 1 is right."""
_CLAUSE = lazy_pattern(r", (?=(?:and|but|so|hence|thus|therefore) )", one_of=(", ",))
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


def option(behind: str, cut: bool | None) -> str | None:
    """The option that a text states behind the box of another one: Initially \\boxed{B}. Final choice: C."""
    lowered = behind.lower()
    if cut or "original" in lowered or not any(word in lowered for word in ("answer", "choice", "option")):
        return None
    tail = statements.tail_of(behind)
    statement = next(statements.explicit(tail), None)
    is_of_question = statement and _is_of_question(tail, statement)
    given = statement.given.strip(" .*") if statement and is_of_question else ""
    named = _OPTION_IS_RIGHT.search(tail.strip(_CLOSING)) if statement is None else None
    letter = (named["option"] or named["named"]) if named else ""
    return letter if letter.isalpha() else given if options.parse(given) else None


def numbered_option(behind: str, content: str, question: str) -> str | None:
    """The text of the option that a text names by its number behind the box of another one: So option 1 is right."""
    named = _OPTION_IS_RIGHT.search(behind.strip(_CLOSING))
    number = (named["option"] or named["named"]) if named else ""
    listed = options.numbered(question) if number.isdecimal() else {}
    text = listed.get(number, content)
    return None if content.strip(" ().") in (number, text) else text


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


def in_form_of(reference: str, content: str, behind: str) -> str:
    """The content of a box in the letters of the reference, with its time in figures, and without remarks."""
    if ":" in reference and "Uhr" in content:
        return clocks_abroad.in_figures(latex.without_setting(content), reference)
    if "=" in behind and ("where" in behind or "with" in behind):
        content = _in_letters_of(reference, content, behind)
    if "=" in content and "\\text" in content:
        content = boxed_sentences.without_circumstance(content, reference)
    return content


def defines_other(reference: str, content: str, behind: str) -> bool:
    """Whether the text behind a box says what a letter of the reference is that the box lacks: hf, where ω = 2πf."""
    defined = _DEFINED_NAME.match(behind)
    letter = defined["letter"] if defined else ""
    before = "" if letter.startswith("\\") else r"(?<![A-Za-z\\])"
    found = re.compile(rf"{before}{re.escape(letter)}(?![A-Za-z])")
    return defined is not None and found.search(reference) is not None and found.search(content) is None


def _in_letters_of(reference: str, content: str, behind: str) -> str:
    """A formula in the letters of the reference, as the text behind it says: \\boxed{\\pi d}, where d = 2r."""
    defined = _DEFINED.match(behind)
    letter = defined["letter"] if defined else ""
    if defined is None or re.search(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", reference):
        return content
    return re.sub(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", lambda _: f"({defined['value'].strip()})", content)


def of_parts(text: str, reference: str) -> str | None:
    """What boxes of their own give to several names or places, where they are as many as the parts of a reference.

    The first root is \\boxed{1}, and then: the other one is \\boxed{3}. None if they do not say the reference.
    """
    found = [match[1].strip() for match in _BOX.finditer(text)]
    wanted = structure.parse(reference)
    terms = wanted.text.split(":") if isinstance(wanted, structure.Leaf) else []
    parts = len(wanted.parts) if isinstance(wanted, structure.Parts) else len(terms)
    if _CORRECTED.search(text):
        return None
    given = of_names(text, reference)
    if not given and parts >= _SEVERAL and named.values(reference) and not words.takes_back(text):
        given = named.read(_BOX.sub(r"\1", words.sentences(text.rstrip())[-1]), reference)
    is_count = len(found) == parts == text.count("\\boxed") and parts >= _SEVERAL
    if given or not is_count or words.takes_back(text) or _LABELLED.search(text):
        return given
    from libra_cli.answers.comparison import equal

    mark = ":" if len(terms) > 1 else ", "
    joined = f"({mark.join(found)})" if reference.startswith("(") else mark.join(found)
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
    may_be_rounded = given.number.places != 0 or exact.number.value.denominator != 1
    is_near = may_be_rounded and (most - least) * _NEARNESS < most
    return is_near or any(least * scale == most for scale in _SCALES)


def _is_of_question(tail: str, statement: statements.Statement) -> bool:
    """Whether a statement gives the answer to the question, and not to a part or to another case."""
    start = max(map(tail.rfind, (". ", "! ", "? ", "\n"), (0,) * 4, (statement.start,) * 4)) + 1
    *before, label = _CLAUSE.split(tail[start : statement.end].rpartition(statement.given)[0])
    if before and not _OWN_SLIP.search(before[0]):
        label = " ".join([*before, label])
    has_number = any(map(str.isdigit, label))  # the answer to question 2
    return not has_number and {word.lower() for word in words.split(label)} <= _OF_QUESTION
