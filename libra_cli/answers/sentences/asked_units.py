"""Finds the unit in which a question asks for its answer, and compares it with that of the response."""

from __future__ import annotations

from functools import lru_cache

from libra_cli.answers.languages import abroad, answer_forms, units_abroad
from libra_cli.answers.text import number, words
from libra_cli.answers.values import conversions, structure, units
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_BRACKETS = lazy_pattern(r"(?<=[A-Za-z0-9)] )\(((?:in )?[^()\d]{1,24})\)")
_ABROAD = lazy_pattern(r"(?i:\b(?:en|in|em|i|w|в))\s([^\W\d_]{4,})\b")
"""The same in other European languages: en mètres, in Metern."""
_EACH = lazy_pattern(r"\s*(?:/ ?| per | an? )([a-z]{3,15})$")
"""For what a sum of money is paid."""
_COUNTED_IN_SIGNS = lazy_pattern(
    r"(?:多少|几|幾|何|몇) ?(?P<unit>[^\W\d_]{1,7}?)(?=[？?。，,.]|$|です|ですか|か[。？]|입니까|인가)"
)
"""How many kilograms, at the end of a question."""
_MULTIPLE = lazy_pattern(r"\bin (thousands|millions|billions|trillions)\b")


@lru_cache(1 << 10)
def unit_asked_for(question: str) -> str:
    """The unit behind the last "in" of a question, or in brackets; empty if it has none."""
    at = question.rfind(" in ") + len(" in")
    unit = question[at : units.end_of(question, at)].strip() if at >= len(" in") else ""
    named = [*_ABROAD.finditer(question)]
    abroad_unit = units_abroad.units().get((named[-1][1].lower(),), "") if named else ""
    return unit or _unit_in_brackets(question) or abroad_unit


def _unit_in_brackets(question: str) -> str:
    """The unit of "the force (N)", "the molar mass (in g/mol)"; empty if none stands in brackets."""
    for found in _BRACKETS.findall(question):
        inner = found.removeprefix("in ").strip()
        if inner and inner[0].isalpha() and units.end_of(f" {inner}", 0) == len(inner) + 1:
            return inner
    return ""


@lru_cache(1 << 10)
def unit_counted(question: str) -> str:
    """The unit behind the last "how many" of a question; empty if it has none: how many minutes."""
    at = question.lower().rfind("how many ") + len("how many")
    unit = question[at : units.end_of(question, at)].strip() if at >= len("how many") else ""
    if unit or at >= len("how many"):
        return unit if unit and conversions.is_common(unit) else ""
    return _unit_counted_abroad(words.sentences(question)[-1])


def _unit_counted_abroad(question: str) -> str:
    """The same of a question in another European language, as a symbol or in English: Wie viele Minuten."""
    language = abroad.language_of(question)
    if not language:
        return ""
    if language in abroad.WITHOUT_SPACES:
        counted = _COUNTED_IN_SIGNS.search(question)
        return answer_forms.UNIT_OF.get(counted["unit"], "") if counted else ""
    heard = abroad.in_digits(question.lstrip("\u00bf "), language).lower().split()
    at = next((at + 2 for at in range(len(heard) - 1) if heard[at : at + 2] == ["how", "many"]), len(heard))
    at += heard[at : at + 1] in (["of"], ["de"], ["di"])
    return units_abroad.units().get(tuple(heard[at : at + 1]), "")


def unit_of_parts(measured: str, question: str) -> str:
    """The unit in which an amount in several is asked for; of money, the first one: 3 euros 75 cents."""
    named = [word for word in measured.split() if word[0].isalpha()]
    if len(named) < 2:  # one unit
        return ""
    unit = unit_counted(question) or unit_asked_for(question)
    return unit or (named[0] if named[0] in ("euros", "euro", "dollars", "dollar", "pounds", "pound") else "")


def in_its_unit(answer: str, text: str, question: str) -> str:
    """A bare number with the unit behind it in the text, if the question asks for another: 80 feet, in inches?"""
    asked_for = unit_asked_for(question)
    place = _last_number(answer, text) if asked_for else -1
    is_followed = place >= 0 and text[place + len(answer) :].strip()
    told = _unit_at(text, place + len(answer)) if is_followed and structure.is_number(answer) else ""
    if not told or text[max(place - 1, 0) : place].strip(" $({*\u2248=~"):
        return answer
    if _is_other(told, asked_for) and not _is_said_in(asked_for, answer, text):
        return f"{answer}\\text{{ {told}}}"
    return answer


def _last_number(number: str, text: str) -> int:
    """Where a number stands last in a text, and not as a part of another one; -1 if it does not."""
    place = text.rfind(number)
    while place > 0 and text[:place].rstrip(".,")[-1:].isdigit() and text[place - 1] != " ":
        place = text.rfind(number, 0, place)
    return place


def _unit_at(text: str, at: int) -> str:
    return text[at : units.end_of(text, at)].strip()


def _is_other(told: str, asked_for: str) -> bool:
    found = conversions.between(*(units.in_text(f"1\\text{{ {name}}}")[1] for name in (told, asked_for)))
    return bool(found) and conversions.IDENTITY not in (found or ())


def _is_said_in(unit: str, answer: str, text: str) -> bool:
    """Whether a text says a number in a unit anywhere: 80 inches (80 feet would be too long)."""
    pieces = text.split(answer)
    starts = [sum(map(len, pieces[:at])) + at * len(answer) for at in range(1, len(pieces))]
    told = (_unit_at(text, start) for start in starts)
    return any(one and not _is_other(one, unit) for one in told)


def with_unit(reference: str, answer: str, question: str) -> str:
    """A bare number as `reference` with the unit that the question asks for, if `answer` has another unit.

    In dollars, 1020 cents is 10.20; in nm, 480 \u00b5m is not 480.
    """
    if number.is_bare(answer):  # as most
        return reference
    given = structure.parse(answer)
    given = given.value if isinstance(given, structure.Equation) else given
    wanted = structure.parse(reference)
    is_bare = (
        isinstance(wanted, Leaf) and wanted.number is not None and not wanted.unit and not reference[-1:].isalpha()
    )
    if not isinstance(given, Leaf) or not given.unit or not is_bare:
        return reference
    for unit, is_counted in ((unit_asked_for(question), False), (unit_counted(question), True)):
        named = units.in_text(f"1\\text{{ {unit}}}")[1] if unit else None
        found = conversions.between(given.unit, named) if named else None
        is_other = found is not None and conversions.IDENTITY not in found
        if is_other and (found or is_counted):  # nothing converts euros to dollars
            return f"{reference}\\text{{ {unit}}}"
    return reference


def without_each(reference: str, answer: str, question: str) -> str:
    """`$1.50 per share` as $1.50, where the reference names no such thing, and the question has it."""
    each = _EACH.search(answer)
    if each is None or _EACH.search(reference) or each[1].lower() not in question.lower():
        return answer
    return answer[: each.start()]


def in_multiples(reference: str, answer: str, question: str) -> str:
    """A bare 2.3 as 2.3 million, where the question asks for millions, and the answer has as many, or counts them."""
    asked_for = _MULTIPLE.search(question)
    given = structure.parse(answer) if asked_for else None
    if not asked_for or not isinstance(given, Leaf) or given.number is None or not structure.is_number(reference):
        return reference
    whole = structure.parse(f"{reference} {asked_for[1].removesuffix('s')}")
    is_alike = isinstance(whole, Leaf) and whole.number is not None and whole.number.value == given.number.value
    return f"{reference} {asked_for[1].removesuffix('s')}" if is_alike else reference
