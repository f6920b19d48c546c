"""Reads the result of a calculation that ends a text: F = qE = (1.0e-6)(2.0e4) = 2.0e-2 N, 0.17678 \u2192 0.177.

A sentence is a chain of sides with the signs between them: equations, approximations, arrows, bounds, and the words
that restate ("i.e.", "rounds to"). Its last side is its result, if it is a number or a quantity and nothing else but a
remark; so are the sides before it that say the same in another unit. A result that is not the reference is only
taken from a sentence that says nothing beside its calculation.
"""

from __future__ import annotations

from typing import NamedTuple

from libra_cli.answers import (
    asked_units,
    bases,
    conversions,
    dates,
    equal,
    languages,
    notation,
    quantities,
    structure,
    units,
    vocabulary,
    words,
)
from libra_cli.answers.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 600
"""Length of the longest sentence that is read."""
_MOST_SIDES = 24
_MOST_WORDS = 4
"""Words of what a number counts, or of what leads to a restated result."""
_SIGN = lazy_pattern(
    r"(?P<equals>(?<![<>!=:])=(?![=>])|\\equiv(?![A-Za-z]))"
    r"|(?P<about>[\u2248\u2243\u2245]|\\approx(?:eq)?(?![A-Za-z])|\\simeq(?![A-Za-z])"
    r"|,? (?:which |and |that )?(?:is )?round(?:s|ed|ing)?(?: up| down| off)? to )"
    r"|(?P<least>\u2265|\\geq?(?:slant)?(?![A-Za-z])|>=)|(?P<most>\u2264|\\leq?(?:slant)?(?![A-Za-z])|<=)"
    r"|(?P<arrow>[\u2192\u21d2\u27f9\u27f6]|=>|-+>|\\(?:to|implies|Rightarrow|Longrightarrow|rightarrow)(?![A-Za-z]))"
    r"|(?P<again>,? (?:i\.e\.|that is,?|or(?= (?:about |roughly |approximately )?[\d.])))"
    r"|(?P<so>(?:[,;]|\.\.\.) (?:hence|thus|so|therefore)\b)"
)
_JOINED = lazy_pattern(r"[;,] |[\uff0c\uff1b\u3002]|\b(?:and|or)\b")
_NAME = lazy_pattern(r"[A-Za-z]\w{0,8}")
_UNKNOWN = lazy_pattern(
    r"(?<![A-Za-z])[a-z](?![A-Za-z(])(?=\s*[-+^*/\u00b2\u00b3])|[-+*/^]\s*[a-z](?![A-Za-z(])|\d[a-z](?![A-Za-z])"
)
_CLAUSE = lazy_pattern(r"[;,] |[\uff0c\uff1b\u3002]")
_COMMAND = lazy_pattern(r"\\[A-Za-z]+")
_SYMBOL = 3
"""Letters of the longest symbol or function."""
_IN_DOLLARS = lazy_pattern(r"(?<![\\\d])\$(?=\S)([^$\n]*)(?<=\S)\$(?!\d)")
_BOLD = lazy_pattern(r"\\text(?:bf|it)\{([^{}]*)\}|\*\*([^*\n]*)\*\*|__([^_\n]*)__")
_REMARK = lazy_pattern(
    r"\s*(?:[(\uff08][^()\uff08\uff09]*(?:\([^()]*\)[^()\uff08\uff09]*)*[)\uff09]|(?:,| to| in) ?(?:about |exactly )?"
    r"(?:\w+|\d) ?(?:decimal places?|significant (?:figures?|digits?)|d\.?p\.?|s\.?f\.?|places)"
    r"|,? overall|,? in total|,? altogether)\s*$"
)
_WITH_EQUALITY = lazy_pattern(r"[,;] (?:with |and )?equality\b.{0,80}$")
_AROUND = " ()\uff08\uff09"
_ENDS_OPEN = lazy_pattern(r"(?:\bper|/|\bof)$")
_ABOUT = lazy_pattern(r"^(?:about|approximately|approx\.|roughly|around|exactly|just|only|simply)\s+(?=\S)")
_DECIMAL_COMMA = lazy_pattern(r"(?<![\d.,])(\d+),(\d{1,2}|\d{4,})(?![\d.,])")
_LEAD = lazy_pattern(r"(?P<words>(?:[^\W\d_][\w'\u2019-]*\s+){1,8})(?P<rest>.+)", 0)
_COPULAS = words.table("is are equals of to be get gives have was makes only exactly about")
"""Words that lead to a restated result."""
_DOUBTS = words.table(
    """
    because since if when which where while whereas unless check checking verify not never instead wrong but except
    although though assuming suppose would could might may should each every than more less fewer without no
    """
)
"""Words with which a calculation is a reason, a check or another's result."""
_NO_NOUN = words.table(
    "the a an counts of or and not to more less than times times. each every for in on from with by at is are was"
)
"""Words behind a number that make it another number, or a part of a sentence."""
_LINKS = words.table(
    "and so thus hence therefore then i.e i e ie we get have by using from with the of number total answer value is "
    "or gives giving that it which are finally now substituting"
)
"""Words of a calculation that say nothing beside it."""
_LEAST = ("minimum", "least", "smallest", "minimize", "minimise", "min")
_MOST = ("maximum", "greatest", "largest", "most", "maximize", "maximise", "biggest", "max")


class _Side(NamedTuple):
    """A side of a chain, and the kind of the sign before it."""

    sign: str
    """Empty before the first side."""
    text: str


def result(sentence: str, reference: str, question: str | None) -> str | None:
    """The result that a sentence calculates, if the reference is a number or a quantity; None if it is not certain."""
    if len(sentence) > MAX_CHARS or not _SIGN.search(sentence):
        return None
    reference = quantities.measured(reference) or reference
    wanted = structure.parse(reference)
    if not isinstance(wanted, Leaf) or wanted.number is None or notation.clock(reference) or dates.is_date(reference):
        return None
    sides = _sides(_WITH_EQUALITY.sub("", _in_line(sentence)))
    if not 2 <= len(sides) <= _MOST_SIDES or not _is_bound_asked_for(sides, question or ""):
        return None
    if not _is_chain(sides):
        return None
    spoken = " ".join(side.text for side in sides[:-1])
    if not _DOUBTS.isdisjoint(word.lower() for word in words.split(spoken)) or "?" in sentence:
        return None
    last = sides[-1]
    found, lead = _value(last.text), ""
    if found is None and last.sign in ("again", "arrow", "so"):
        found, lead = _restated(last.text)
    if found is None or not _has_digit(spoken):
        return None
    exact = _value(sides[-2].text) if last.sign == "about" else None  # 5/36 ≈ 13.9%
    for value in (found, *_same_before(sides, found), *filter(None, (exact,))):
        if _is_reference(value, reference, question):
            return value
    before = filter(None, (_value(side.text) for side in sides[:-1]))
    is_said_before = last.sign in ("equals", "so") and any(_is_reference(one, reference, question) for one in before)
    is_led = not lead or lead in _COPULAS
    is_whole = is_led and not is_said_before and all(map(_is_calculation, sides[:-1]))
    return found if is_whole else None


def _in_line(sentence: str) -> str:
    """A sentence without the marks that only set its formulas and its bold text."""
    text = _IN_DOLLARS.sub(r" \1 ", sentence) if "$" in sentence else sentence
    if "\\text" in text or "**" in text or "__" in text:
        text = _BOLD.sub(lambda bold: bold[1] or bold[2] or bold[3] or "", text)
    return text.replace("\\left", "").replace("\\right)", ")").strip()


def _sides(text: str) -> list[_Side]:
    found, sign, start = list[_Side](), "", 0
    for mark in _SIGN.finditer(text):
        found.append(_Side(sign, text[start : mark.start()].strip()))
        sign, start = str(mark.lastgroup), mark.end()
    found.append(_Side(sign, text[start:].strip()))
    return found


def _is_chain(sides: list[_Side]) -> bool:
    """Whether the last side follows from a calculation, and not from names and unknowns: x = 2 and x = -3."""
    if not any(side.sign in ("equals", "about", "least", "most", "arrow") for side in sides):
        return False
    if sides[-1].sign not in ("equals", "about"):
        return True
    left = _COMMAND.sub(" ", _JOINED.split(sides[-2].text)[-1].strip())
    is_name = _NAME.fullmatch(left) is not None
    is_first = len(sides) == 2 or left != _COMMAND.sub(" ", sides[-2].text).strip()
    return not is_first or not (is_name or _UNKNOWN.search(left))


def _is_bound_asked_for(sides: list[_Side], question: str) -> bool:
    """Whether a chain has no bounds, or the question asks for the least or greatest value that they state."""
    signs = {side.sign for side in sides} & {"least", "most"}
    if not signs:
        return True
    asked = set(words.split(question.lower()))
    return len(signs) == 1 and not asked.isdisjoint(_LEAST if "least" in signs else _MOST)


def _value(side: str) -> str | None:
    """A side that is a number, or a quantity with what it counts; without its remark."""
    bare = side.rstrip(" .\u3002!;*")
    remark = _REMARK.search(bare)
    inside = remark[0].strip(_AROUND) if remark else ""
    if inside in languages.UNIT_OF or units.end_of(f" {inside}", 0) > 1:  # 27 (cm^2)
        return None
    text = _ABOUT.sub("", bare[: remark.start()] if remark else bare).strip(" ~*")
    if not _has_digit(text):
        return None
    text = _DECIMAL_COMMA.sub(r"\1{,}\2", text)
    if notation.based(text):
        return text
    if (measured := _quantity(text)) is not None:
        return measured
    pieces = text.split()
    for at in range(1, min(_MOST_WORDS + 1, len(pieces))):  # 3 mol H2O, 3.011 × 10²³ molecules
        kept, noun = pieces[:-at], pieces[-at]
        is_noun = noun[0].isalpha() and noun.isalnum() and units.end_of(f" {noun}", 0) <= len(noun)
        if not is_noun or noun.lower() in _NO_NOUN:
            return None
        if (measured := _quantity(" ".join(kept))) is not None:
            return measured
    return None


def _quantity(text: str) -> str | None:
    """A number or quantity, with its unit set apart: 62.5\\text{ L}; None for anything else."""
    found = structure.parse(text)
    if not isinstance(found, Leaf) or _ENDS_OPEN.search(text):
        return None
    if not _NO_NOUN.isdisjoint((found.unit or "").lower().split()):  # 10 counts the electrons
        return None
    return text if found.number is not None else quantities.measured(text)


def _restated(side: str) -> tuple[str | None, str]:
    """The value of "a return of 6.5%" and the word before it."""
    led = _LEAD.match(side)
    if led is None:
        return None, ""
    heard = words.split(led["words"])
    is_denied = not (_DOUBTS | vocabulary.DENIES).isdisjoint(word.lower() for word in heard)
    return (None, "") if is_denied or not heard else (_value(led["rest"]), heard[-1].lower())


def _same_before(sides: list[_Side], found: str) -> list[str]:
    """The sides before the last one that give the same quantity in another unit."""
    same = list[str]()
    last = structure.parse(found)
    for at in range(len(sides) - 2, 0, -1):
        value = _value(sides[at].text) if sides[at + 1].sign in ("equals", "about", "again") else None
        earlier = structure.parse(value) if value else None
        if not (value and isinstance(earlier, Leaf) and isinstance(last, Leaf) and earlier.unit and last.unit):
            break
        between = conversions.between(earlier.unit, last.unit)
        if not between or quantities.converted(last, earlier, between) is False:
            break
        same.append(value)
    return same


def _is_reference(value: str, reference: str, question: str | None) -> bool:
    wanted = asked_units.with_unit(reference, value, question) if question else reference
    wanted = asked_units.in_multiples(bases.like(wanted, value, question), value, question) if question else wanted
    decided = equal.decide_quickly(wanted, value)
    return decided is not None and decided.equal is True


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_calculation(side: _Side) -> bool:
    """Whether a side has no words beside its formula, but for its label, units and links."""
    if not _has_digit(side.text) and not side.sign:  # Equity = ...
        return True
    last = _CLAUSE.split(side.text)[-1]
    heard = (word for word in words.split(_COMMAND.sub(" ", last)) if len(word) > _SYMBOL)
    return all(word.lower() in _LINKS or units.end_of(f" {word}", 0) > len(word) for word in heard)
