"""Whether two answers are the same, decided at the cheapest level that is certain.

Levels, in order; `Decision.by` names the one that decided:

`exact`       the same text
`normal`      the same text but for wrappers, spacing and spelling
`choice`      a letter for one of several choices
`number`      exact rational arithmetic on two numbers, and their units
`text`        one word against another, or words against a number
`structure`   typed comparison, part by part: tuples, sets, lists, intervals, unions, matrices, equations
`numeric`     the values of two formulas, exact or to 50 digits, at several points
`symbolic`    computer algebra, in a process that is killed where it takes too long

Where none is certain `equal` is None and `reason` says why; that is never the same as wrong.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers import guard, normalize, notation, number, structure, units, words
from libra_cli.answers.normalize import MAX_CHARS
from libra_cli.answers.structure import Leaf

MEMO = 1 << 15
"""Pairs whose verdict is remembered."""

_SAYS_ANYTHING = re.compile(r"[^\W_]|\\[A-Za-z]|[^\x00-\x7f]|[{}]")
_INFINITE = (r"\infty", r"-\infty")
_SYMBOLS = {"\\emptyset": "nothing", "\\infty": "infinity"}
_NO_NUMBER = re.compile(
    r"(?i:not|at (?:most|least)|(?:more|less|greater|fewer|larger|smaller) than|up to|over|under)\b"
    r"|(?:\.\.\.|\\[lc]?dots)$|-?[\d.]+ ?\\to(?![A-Za-z])"
)
_NO_VALUE = frozenset(("nothing", "undefined", "yes", "no"))
_INDEFINITE = frozenset(("infinity", "pi", "once", "twice", "thrice"))
OTHER_UNIT = "other_unit"
_CHOICE = re.compile(r"\(?(?P<letter>[A-J])\)?|\((?P<lettered>[A-J])\).+")
_SPELLED = re.compile(r"\$*\\(?:text\w*|mathrm|mbox|operatorname)\s*\{\s*[A-Za-z]+\s*\}\$*")
_OPTION = re.compile(r"\([A-J]\) ?(?P<value>.+)", re.DOTALL)
_CHOSEN = re.compile(
    r"\(?([A-Ja-dfghj])(?:\)|[).:].*)?|(?i:(?:the )?(?:correct |right |best |final )?(?:option|choice|answer)(?: is)?)"
    r"[ :]*\(?([A-Ja-j])(?:\)|[).:].*)?",
    re.DOTALL,
)


class Decision(NamedTuple):
    """What was found, by which level of the cascade, and why where nothing was."""

    equal: bool | None
    """None where it could not be decided; that is never the same as False."""
    by: str
    reason: str | None = None


def decide_quickly(reference: str, answer: str) -> Decision | None:
    """The decision of the levels that need no computer algebra; None where they are not certain."""
    if reference.isdecimal() and answer.isdecimal() and reference.isascii() and answer.isascii():
        return _decide_integers(reference, answer)
    if len(reference) > MAX_CHARS or len(answer) > MAX_CHARS:
        return _decide_long(reference, answer)
    try:
        return _decide(reference, answer)
    except RecursionError:
        return Decision(None, "symbolic", "too_complex")


def _decide_integers(reference: str, answer: str) -> Decision | None:
    """What most pairs are, without a closer look."""
    if reference == answer:
        return Decision(True, "exact")
    if len(reference) > MAX_CHARS or len(answer) > MAX_CHARS:
        return _decide_long(reference, answer)
    return Decision(reference.lstrip("0") == answer.lstrip("0"), "number")


def _decide_long(reference: str, answer: str) -> Decision:
    """Long texts are not looked into and not remembered."""
    if reference.strip() == answer.strip():
        return Decision(True, "exact")
    return Decision(None, "exact", "reference_too_long" if len(reference) > MAX_CHARS else "answer_too_long")


@lru_cache(MEMO)
def _decide(reference: str, answer: str) -> Decision | None:
    reference, answer = reference.strip(), answer.strip()
    if not reference:
        return Decision(None, "exact", "unparsable_reference")
    if reference == answer:
        return Decision(True, "exact")
    chosen = _choice(reference, answer)
    if chosen is not None:
        return Decision(chosen, "choice")
    spelled = _same_letters(reference, answer) if "\\" in reference or "\\" in answer else None
    if spelled is not None:
        return spelled
    option = _OPTION.fullmatch(normalize.normalized(reference)) if "(" in reference else None
    if option:
        return _decide(option["value"], answer)
    if not _SAYS_ANYTHING.search(answer):
        return Decision(False, "text")
    parsed = structure.parse(reference), structure.parse(answer)
    verdict = structure.same(*parsed, compare=compare_plainly)
    if verdict is not None:
        return Decision(verdict, _level(*parsed, verdict))
    if isinstance(parsed[0], Leaf) and isinstance(parsed[1], Leaf) and other_unit(parsed[0], parsed[1]):
        return Decision(None, _level(*parsed, False), OTHER_UNIT)
    verdict = structure.same(*parsed, compare=compare_values)
    if verdict is not None:
        return Decision(verdict, "numeric")
    if _is_other_equation(*parsed):
        return Decision(None, "symbolic", "equation_or_value")
    refused = guard.refusal(reference, answer)
    return Decision(None, "symbolic", refused) if refused else None


def is_readable(reference: str) -> bool:
    """Whether a reference is anything that an answer written in another way could be found equal to."""
    if not reference.strip() or len(reference) > MAX_CHARS:
        return False
    try:
        return all(map(_is_readable, structure.leaves(structure.parse(reference))))
    except RecursionError:
        return False


def _is_readable(leaf: Leaf) -> bool:
    if leaf.number or leaf.words or _CHOICE.fullmatch(leaf.text) or notation.is_noted(leaf.text):
        return True
    from libra_cli.answers import formula, relation

    if formula.readings(leaf.text) or relation.is_readable(leaf.text):
        return True
    # Sums, limits and the like are for computer algebra to read.
    return "\\" in leaf.text and leaf.text.count("{") == leaf.text.count("}") and guard.is_formula(leaf.text)


def _is_other_equation(reference: structure.Answer, answer: structure.Answer) -> bool:
    """Whether one is an equation such as x^2 = 4 and the other a value, which may be that of its left side or not."""
    from libra_cli.answers import relation

    texts = [one.text for one in (reference, answer) if isinstance(one, Leaf)]
    return len(texts) == 2 and sum(relation.is_condition_on_one(text) for text in texts) == 1


def _choice(reference: str, answer: str) -> bool | None:
    """Whether `answer` names the choice that the reference is, `C` or `(C) 12`; None where it names none."""
    wanted = _CHOICE.fullmatch(normalize.normalized(reference))
    chosen = _CHOSEN.fullmatch(normalize.normalized(answer)) if wanted else None
    return (chosen[1] or chosen[2]).upper() == (wanted[1] or wanted[2]) if wanted and chosen else None


def _same_letters(reference: str, answer: str) -> Decision | None:
    """Of two runs of the same letters, one at least set as text: HTH is not HHT, while the segment BA is AB."""
    spelled = [bool(_SPELLED.fullmatch(text)) for text in (reference, answer)]
    if not any(spelled):
        return None
    there, here = (normalize.normalized(text) for text in (reference, answer))
    if sorted(there.lower()) != sorted(here.lower()) or not (there + here).isalpha():
        return None
    if there.lower() == here.lower():
        return Decision(True, "normal" if there == here else "text")
    return Decision(False, "text") if all(spelled) else Decision(None, "text", "spelled_otherwise")


def _level(reference: structure.Answer, answer: structure.Answer, verdict: bool) -> str:
    if verdict and reference.text == answer.text:
        return "normal"
    if isinstance(reference, Leaf) and isinstance(answer, Leaf):
        return "number" if reference.number and answer.number else "text"
    return "structure"


def compare_plainly(reference: Leaf, answer: Leaf) -> bool | None:
    """Two leaves as texts, numbers and words; None where they are formulas that differ as texts."""
    if units.disagree(reference.unit, answer.unit):
        scale = units.scale(answer.unit, reference.unit)
        if scale is None:
            return False
        if reference.number is None or answer.number is None:
            return None
        return reference.number.value == answer.number.value * scale
    if reference.number and answer.number:
        equal = number.same(reference.number, answer.number)
        return None if equal and other_unit(reference, answer) else equal
    if reference.text == answer.text:
        return None if other_unit(reference, answer) else True
    for one, other in ((reference, answer), (answer, reference)):
        if one.text in _INFINITE and (other.number or other.text in _INFINITE):
            return False
    noted = notation.same(reference.text, answer.text, (reference.number, answer.number))
    if noted is not None:
        return noted
    there, here = notation.based(reference.text), notation.based(answer.text)
    if there:
        return _same_based(there, answer)
    if here:  # a plain reference may be in the base that the answer names
        return None if reference.text == here.digits and here.base != 10 else _is_value(reference, here.value)
    if any(one.number and _NO_NUMBER.match(other.text) for one, other in ((reference, answer), (answer, reference))):
        return False
    return _same_words(reference, answer)


def compare_values(reference: Leaf, answer: Leaf) -> bool | None:
    """Two leaves as `compare_plainly` does, and formulas by their values; None where that is not certain."""
    plainly = compare_plainly(reference, answer)
    if plainly is not None or other_unit(reference, answer):
        return plainly
    scale = units.scale(answer.unit, reference.unit)
    if scale not in (None, 1):
        answer = Leaf(f"({scale})\\cdot({answer.text})")
    if any(notation.is_range(leaf.text) or notation.based(leaf.text) for leaf in (reference, answer)):
        return None
    from libra_cli.answers import numeric, relation  # mpmath is not needed for most pairs

    related: bool | None = relation.same_as_value(reference.text, answer.text)
    for compare in (relation.same_numbers, relation.same_families, relation.same_equations):
        related = compare(reference.text, answer.text) if related is None else related
    if related is not None or not (guard.is_formula(reference.text) and guard.is_formula(answer.text)):
        return related

    if reference.text.endswith("+C") and answer.text.endswith("+c"):  # of an integral
        answer = Leaf(answer.text[:-1] + "C")
    decimal = reference.number or answer.number
    places = decimal.places if decimal and number.is_approximation(decimal) else None
    return numeric.same(_in_radians(reference, answer), _in_radians(answer, reference), places)


def _in_radians(leaf: Leaf, other: Leaf) -> str:
    """Degrees become radians where the other one, without a unit, has a pi."""
    return f"({leaf.text})^\\circ" if leaf.unit == "degree" and not other.unit and "\\pi" in other.text else leaf.text


def other_unit(reference: Leaf, answer: Leaf) -> bool:
    """Whether their units differ and may mean the same all the same."""
    return units.disagree(reference.unit, answer.unit) is None


def _is_value(leaf: Leaf, value: int | Fraction) -> bool | None:
    return leaf.number.value == value if leaf.number else None


def _same_based(based: notation.Based, plain: Leaf) -> bool | None:
    """A reference with its base against a number without: that may be left out, and another one may be in base 10."""
    if based.base == 10:
        return _is_value(plain, based.value)
    if plain.number is None or plain.number.value == based.value:
        return None
    return plain.text.lstrip("0") == based.digits


def _same_words(reference: Leaf, answer: Leaf) -> bool | None:
    there, here = _phrase(reference), _phrase(answer)
    if there and here:
        if there == here:
            return True
        if {there, here} <= words.KNOWN or f"not {there}" == here or f"not {here}" == there:
            return False
        short, long = sorted((there, here), key=len)
        # Phrases, plurals and products of letters (abc is cba) may mean the same.
        alike = long in (f"{short}s", f"{short}es", f"{short}d", f"{short}ly") or sorted(there) == sorted(here)
        return None if " " in there + here or alike else False
    said, other = (there, answer) if there else (here, reference)
    if said in _NO_VALUE:
        return False
    if not said or not other.number or said in _INDEFINITE:
        return None
    return False


def _phrase(leaf: Leaf) -> str | None:
    """The words of an answer in words of three letters and more; `\\emptyset` and `\\infty` are such words too."""
    if leaf.text in _SYMBOLS:
        return _SYMBOLS[leaf.text]
    return words.phrase(leaf.text) if leaf.words else None
