"""Readers of sentences that give what is asked for first, and then something else: the same in another unit, a fact.

"The atomic number of oxygen is 8; its atomic mass is about 16", "Water boils at 100 °C, which is 212 °F".
"""

from __future__ import annotations

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction import conclusions
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import asked_units
from libra_cli.answers.sentences.extracted import UNDECIDED, Extraction
from libra_cli.answers.text import words
from libra_cli.answers.values import structure, units
from libra_cli.lazy_pattern import lazy_pattern

_FACT = lazy_pattern(
    r"; (?=(?:(?:i(?:t|ts)|the|their|whose|he|she|they|all|babies|only|another) )"
    r"|(?!minus|plus)[A-Za-z]+s (?:have|has|are|were|is) )"
    r"|, (?:and |but )?(?=(?:while|whereas|and its|(?:its|the (?:other|remaining|rest))) )"
    r"|, (?=which (?:brings|was|were|has|had) )"
    r"|, (?=(?P<time>(?:(?:only |just |about )?(?:\d+|[a-z]+) )(?:years?|days?|months?|weeks?|decades?|hours?"
    r"|centur(?:y|ies)) (?:before|after|earlier|later) ))"
    r"|, (?=on the |(?:one|\d) (?:more|fewer|less) than )"
)
"""Where a sentence goes on with another fact."""
_OF_OTHER = lazy_pattern(r"(?:its|the|their|his|her) ([a-z]+)(?: of [a-z ]{1,20})? (?:being|is|are|was|measures) ")
"""What a further fact is about."""
_NUMBER = lazy_pattern(r"(?<![\w.,])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
_OPEN_HEADS = words.table(
    "since because if when as given although while suppose assume let for after before first once out unlike not no"
)
_CONCLUDES = words.table(
    """
    so thus hence therefore answer total altogether actually instead wait sorry rather giving overall together sum
    correct should must but except or
    """
)
_TURNED = words.table("not never without neither except difference longer older than")
_DENIED = words.table("not neither nor none never no don't didn't doesn't aren't isn't weren't can't")
_REST = words.table("left remain remains remaining rest other others")
_ASKING = words.table("what which many much when where year does long find calculate compute have how")
_STEM, _SHORTEST = 5, 3

_QUANTITY = r"[$\u20ac\u00a3]?\d[\d,.]*(?<=\d) ?[^\W\d_]*(?:[\u00b0%/][^\W\d_]*)?[\u00b2\u00b3]?(?: [a-z]{1,12}){0,3}?"
_TWICE = lazy_pattern(
    rf"(?P<first>{_QUANTITY}(?:,? and {_QUANTITY})?(?: long| high| tall| wide| deep| away)?)"
    r"(?:,? (?:or|which (?:is|equals|corresponds to|comes to)|i\.e\.,?|that is,?|equivalently,?|equal to)"
    r" (?:about |approximately |roughly |exactly |equivalently )?| \((?:or |i\.e\. |about |= ?|\u2248 ?)?)"
    rf"(?P<second>{_QUANTITY})(?:,? (?:or|and) (?P<third>{_QUANTITY}))?(?: long| high| in total| altogether)?\)?[.!]*$"
)
"""A quantity in two or three units: 2 hours and 30 minutes, or 150 minutes."""
_ADJECTIVE = lazy_pattern(r" (?:long|high|tall|wide|deep|away)$")
_SIGNS_OF_TWICE = (" or ", "which", "i.e.", "that is", " (", "quivalent", "equal to")


def in_two_units(prose: Prose) -> Extraction | None:
    """`It took 2 hours and 30 minutes, or 150 minutes`: of one quantity the value in the unit that is asked for."""
    last = prose.sentences[-1]
    if prose.cut or not structure.is_number(prose.reference) or not any(map(last.__contains__, _SIGNS_OF_TWICE)):
        return None
    found = _TWICE.search(words.sentences(prose.in_digits)[-1])
    parts = [_measured(part) for part in found.groups() if part] if found else []
    if found is None or None in parts or len(_NUMBER.findall(last[: -len(found[0])])) > 0:
        return None
    told = [part for part in parts if part]
    values = [part.removeprefix("\\$").partition("\\")[0].strip() for part in told]
    unit = asked_units.unit_asked_for(prose.question) if prose.question else ""
    unit = unit or (asked_units.unit_counted(prose.question) if prose.question else "")
    unit = f"degrees {unit}" if unit in ("Celsius", "Fahrenheit") else unit
    measured = [f"{value}\\text{{ {unit}}}" for value in values]
    in_unit = [value for value, *both in zip(values, measured, told, strict=True) if unit and _are_same(*both)]
    if len(in_unit) == 1:
        return Extraction(in_unit[0])
    if unit or not all(_are_same(told[0], other) for other in told[1:]):
        return None
    if prose.reference[-1:].isalpha() or "\\text" in prose.reference:
        return Extraction(told[0])
    return Extraction(prose.reference) if prose.reference.lstrip("\\$") in values else None


def _are_same(one: str, other: str) -> bool:
    """Whether two quantities are equal for certain."""
    decided = equal.decide_quickly(one, other)
    return decided is not None and decided.equal is True


def _measured(text: str) -> str | None:
    """A number and its unit as a quantity, 2.5\\\\text{ hours}; None if the unit is unknown."""
    text = _ADJECTIVE.sub("", text.strip())
    end = max((at + 1 for at, char in enumerate(text) if char.isdigit()), default=0)
    if " and " in text:  # 2 hours and 30 minutes
        both = [_measured(part) for part in text.replace(", and ", " and ").split(" and ", 1)]
        return None if None in both else text.replace(", and ", " ").replace(" and ", " ")
    unit = text[end:].strip()
    if not unit and text[:1] in "$\u20ac\u00a3":
        return text.replace("$", "\\$")
    return f"{text[:end]}\\text{{ {unit}}}" if unit and units.end_of(f" {unit}", 0) == len(unit) + 1 else None


def before_fact(prose: Prose) -> Extraction | None:
    """`There are 46 such integers; the other 53 are divisible by neither`: what the first clause says of the question.

    Undecided if the reference is only in what follows.
    """
    last = prose.sentences[-1]
    if not prose.question or prose.cut or not structure.is_number(prose.reference):
        return None
    if not (", " in last or "; " in last) or sum(map(str.isdigit, last)) < 2:
        return None
    sentence = words.sentences(prose.in_digits)[-1]
    fact = _FACT.search(sentence)
    if fact is None:
        return None
    head, behind = sentence[: fact.start()].strip(), sentence[fact.end() :]
    heard, later = words.split(head.lower()), words.split(behind.lower())
    asked = words.sentences(prose.question)[-1].lower()
    known = {*_NUMBER.findall(prose.question)}
    new = [value for value in _NUMBER.findall(head) if value not in known]
    if len(new) != 1 or not heard or heard[0] in _OPEN_HEADS or "=" in sentence:
        return None
    asked_words = set(words.split(asked))
    is_of_difference = "more than" not in asked and "less than" not in asked and "greater than" not in asked
    if not (_TURNED | {"more", "fewer"} if is_of_difference else _TURNED - {"than"}).isdisjoint(
        asked_words
    ) or not _CONCLUDES.isdisjoint(later):
        return None
    if not _REST.isdisjoint(asked_words) and not _REST.isdisjoint(later):
        return None
    if not _is_about(head, behind, prose.question, asked, bool(fact["time"])):
        return None
    found = conclusions.concluded(f"{head}.")
    is_plain = len(_NUMBER.findall(head)) == 1 and _DENIED.isdisjoint(heard)
    is_plain = is_plain and (head.startswith(new[0]) or f" in {new[0]}" in head)
    value = new[0] if is_plain and not found.answer else found.answer
    if not value or found.compares or not structure.is_number(value):
        return None
    decided = equal.decide_quickly(prose.reference, value)
    if decided is None or decided.equal is None:
        return None
    is_open = not decided.equal and any(one.replace(",", "") == prose.reference for one in _NUMBER.findall(behind))
    named = _OF_OTHER.match(behind)
    is_open = is_open and (named is None or named[1].lower()[:_STEM] in asked)  # its supplement being 75
    return UNDECIDED if is_open else Extraction(value)


def _is_about(head: str, behind: str, question: str, asked: str, of_time: bool) -> bool:
    """Whether the beginning of a sentence answers a question, and not what follows."""
    stems = [word[:_STEM] for word in names.tokens(asked) if len(word) > _SHORTEST and word not in _ASKING]
    first, later = ({word[:_STEM] for word in names.tokens(part)} for part in (head, behind))
    numbers = set(_NUMBER.findall(question))
    if numbers and numbers <= set(_NUMBER.findall(head)) and numbers.isdisjoint(_NUMBER.findall(behind)):
        return True
    if not stems:
        return False
    if of_time:
        return stems[-1] in first
    told, other = first.intersection(stems), later.intersection(stems)
    return bool(told) and (other <= told or not _DENIED.isdisjoint(words.split(behind.lower())))
