"""Reads a response that is one value and nothing else: -3, 2 1/3, 5 ft 4 in, y - 5 = 2(x - 1)."""

from __future__ import annotations

from libra_cli.answers.comparison import boolean, changes, equal, matchings
from libra_cli.answers.sentences import comparatives, options, phrases
from libra_cli.answers.text import words
from libra_cli.answers.values import dates, notation, quantities, structure, units
from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 80
_WORDS = lazy_pattern(r"\\[A-Za-z]+|[^\W\d_]{2,}")
_FUNCTIONS = words.table(
    "sin cos tan cot sec csc ln log exp sqrt cbrt cis pi mod oo inf infinity union det gcd lcm abs base or and "
    "plus minus of root square cube natural "
    "factorial choose times to the power in out rad is positive repeating recurring "
    "where for any all some with real arbitrary constant constants an functions form"
)
_BULLET = lazy_pattern(r"[-*+\u2022] ")
_IN_DOLLARS = lazy_pattern(r"(?<![\\\d])\$(?=\S)[^$\n]*(?<=\S)\$(?!\d)")
_EMPTY = ("{}", "\\{\\}", "\u2205", "[]", "\\varnothing")
_NOT_IN_VALUE = ("\u27f9", "\u21d2", "\u2192", "?", "<<", " equals ", " is ", " are ", " make ", " makes ")
_REMAINDER = lazy_pattern(
    r"\d[^\w,;.:?]{0,3}(?:with )?(?:a )?\b(?:R|r|rem\.?|remainder) ?(?:of |is |= ?)?\$?(\d+)\$?\.?$"
    r"|=\s*\$?\d+\s*(?:\u00b7|\*|\u00d7|\\cdot|\\times|x)\s*\d+\s*\+\s*(\d+)\$?\.?$"
)
_ASKED_FOR = (
    "what is the remainder",
    "what's the remainder",
    "what remainder",
    "find the remainder",
    "calculate the remainder",
)


def value(text: str, reference: str) -> str | None:
    """The whole of `text`, if it is one line without a word of prose; None if the readers of sentences read it.

    It is what `reference` is, or another value of its kind for certain.
    """
    if matchings.same(reference, text.strip()) is not None:
        return text.strip()
    if len(text) > 2 * _MAX_CHARS:
        return None
    line = text.strip().strip("`*")
    if line.count("$") == 2 and _IN_DOLLARS.search(line):
        line = line.replace("$", "")
    line = (line if line.endswith("...") else line.rstrip(".")).strip()
    if len(line) <= _MAX_CHARS and (changes.read(line) and changes.read(reference)):
        return line
    if len(line) <= _MAX_CHARS and not line.isascii() and boolean.same(reference, line) is not None:
        return line
    if (
        not line
        or len(line) > _MAX_CHARS
        or "\n" in line
        or line.isalnum()
        or any(map(line.__contains__, _NOT_IN_VALUE))
    ):
        return None
    if line in _EMPTY and (said := equal.decide_quickly(reference, "\\emptyset")):
        return "\\emptyset" if said.equal else None
    if not any(map(str.isdigit, line)) or options.parse(reference) or phrases.are_asked_for(reference):
        return None
    if _BULLET.match(line) and not reference.startswith("-"):
        return None
    if dates.is_date(line) or notation.clock(line) or notation.based(line):
        return line
    alone = structure.parse(line)
    is_quantity = isinstance(alone, structure.Leaf) and alone.number is not None and bool(alone.unit)
    heard = [] if is_quantity else [word for word in _WORDS.findall(line) if not word.startswith("\\")]
    if any(word.lower() not in _FUNCTIONS and units.end_of(f"1 {word}", 1) < len(word) + 2 for word in heard):
        return None
    found = equal.decide_quickly(reference, line)
    if found is not None and found.equal:
        return line
    parsed = quantities.with_units(structure.parse(reference), structure.parse(line))
    return line if found is not None and found.equal is False and _is_of_its_kind(*parsed) else None


def _is_of_its_kind(reference: structure.Answer, answer: structure.Answer) -> bool:
    """Whether two answers are both numbers, with units or without, both ordered or both sets or lists."""
    if isinstance(reference, structure.Equation) and isinstance(answer, structure.Equation):
        return True
    if isinstance(reference, structure.Leaf) and isinstance(answer, structure.Leaf):
        return reference.number is not None and answer.number is not None
    both = (reference, answer)
    return all(isinstance(one, structure.Parts) and one.kind == "sequence" for one in both) or all(
        isinstance(one, structure.Matrix) for one in both
    )


def remainder(sentence: str, question: str, reference: str) -> str | None:
    """The remainder of a division with quotient and remainder, if the question asks for that only: 17 : 7 = 2 R 3."""
    asked = comparatives.last_question(question).strip().lower()
    is_asked_for = asked.startswith("remainder") or any(map(asked.__contains__, _ASKED_FOR))
    if not reference.isdecimal() or "quotient" in asked or not is_asked_for:
        return None
    found = _REMAINDER.search(sentence.strip())
    return None if found is None else found[1] or found[2]
