"""Reads the result of a calculation that ends a text: F = qE = (1.0e-6)(2.0e4) = 2.0e-2 N, 0.17678 \u2192 0.177.

A sentence is a chain of sides with the signs between them: equations, approximations, arrows, bounds, and the words
that restate ("i.e.", "rounds to"). Its last side is its result, if it is a number or a quantity and nothing else but a
remark; so are the sides before it that say the same in another unit. A result that is not the reference is only
taken from a sentence that says nothing beside its calculation.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction import bases
from libra_cli.answers.languages import answer_forms
from libra_cli.answers.sentences import asked_units
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import conversions, dates, notation, quantities, structure, units
from libra_cli.answers.values.structure import Leaf
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
_SIZED = lazy_pattern(r"\\(?:left|right)(?![A-Za-z])", one_of=("\\left", "\\right"))
_COMMAND = lazy_pattern(r"\\[A-Za-z]+", one_of=("\\",))
_SYMBOL = 3
"""Letters of the longest symbol or function."""
_IN_DOLLARS = lazy_pattern(r"(?<![\\\d])\$(?=\S)([^$\n]*)(?<=\S)\$(?!\d)")
_BOLD = lazy_pattern(r"\\text(?:bf|it)\{([^{}]*)\}|\*\*([^*\n]*)\*\*|__([^_\n]*)__")
_REMARK = lazy_pattern(
    r"\s*(?:[(\uff08][^()\uff08\uff09]*(?:\([^()]*\)[^()\uff08\uff09]*)*[)\uff09]|(?:,| to| in) ?(?:about |exactly )?"
    r"(?:\w+|\d) ?(?:decimal places?|significant (?:figures?|digits?)|d\.?p\.?|s\.?f\.?|places)"
    r"|,? overall|,? in total|,? altogether)\s*$",
    one_of=(
        *("(", "\uff08", "sf", "dp", "d.p", "s.f", "place", " overall", " in total"),
        *(" altogether", "significant"),
    ),
)
_WITH_EQUALITY = lazy_pattern(r"[,;] (?:with |and )?equality\b.{0,80}$", one_of=("equality",))
_AROUND = " ()\uff08\uff09"
_ENDS_OPEN = lazy_pattern(r"(?:\bper|/|\bof)$")
_ABOUT = lazy_pattern(
    r"^(?:about|approximately|approx\.|roughly|around|exactly|just|only|simply)\s+(?=\S)",
    one_of=("just", "only", "about", "around", "simply", "approx", "exactly", "roughly"),
)
_DECIMAL_COMMA = lazy_pattern(r"(?<![\d.,])(\d+),(\d{1,2}|\d{4,})(?![\d.,])", one_of=(",",))
_LEAD = lazy_pattern(r"(?P<words>(?:[^\W\d_][\w'\u2019-]*\s+){1,8})(?P<rest>.+)")
_COPULAS = words.table("is are equals of to be get gives have was makes only exactly about")
"""Words that lead to a restated result."""
_DOUBTS = words.table(
    """
    because since car weil da puisque denn pois porque perché
    if when which where while whereas unless check checking verify not never instead wrong but except
    although though assuming suppose would could might may should each every than more less fewer without no
    attained achieved reached occurs occur occurring
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


def is_inside(answer: str, text: str, reference: str) -> bool:
    """Whether an equation is the end of a chain in `text`, or only brings a ratio into the form of `reference`."""
    right = answer.rpartition("=")[2]
    if right.count("{") != right.count("}") or right.count("(") != right.count(")"):
        return False
    if ":" in reference and all(":" in side for side in answer.split("=")):
        return True
    return f"={answer}".replace(" ", "") in text[-MAX_CHARS:].replace(" ", "").replace("$", "")


class _Side(NamedTuple):
    """A side of a chain, and the kind of the sign before it."""

    sign: str
    """Empty before the first side."""
    text: str


class _Chain:
    """The sides of a sentence that calculates, beside the number that is asked for."""

    def __init__(self, sentence: str, reference: str, question: str | None):
        self.reference, self.question = reference, question or ""
        text = _IN_DOLLARS.sub(r" \1 ", sentence) if "$" in sentence else sentence
        if "\\text" in text or "**" in text or "__" in text:
            text = _BOLD.sub(lambda bold: bold[1] or bold[2] or bold[3] or "", text)
        text, sign, start = _WITH_EQUALITY.sub("", _SIZED.sub("", text).strip()), "", 0
        self.sides: list[_Side] = []
        for mark in _SIGN.finditer(text):
            self.sides.append(_Side(sign, text[start : mark.start()].strip()))
            sign, start = str(mark.lastgroup), mark.end()
        self.sides.append(_Side(sign, text[start:].strip()))

    @property
    def is_read(self) -> bool:
        """Whether it says of its last side that it is the result, and nothing that limits or denies that."""
        if not 2 <= len(self.sides) <= _MOST_SIDES or not self._is_bound_asked_for() or not self._is_calculated():
            return False
        spoken = " ".join(side.text for side in self.sides[:-1])
        return _DOUBTS.isdisjoint(word.lower() for word in words.split(spoken)) and _has_digit(spoken)

    def _is_calculated(self) -> bool:
        """Whether the last side follows from a calculation, and not from names and unknowns: x = 2 and x = -3."""
        if not any(side.sign in ("equals", "about", "least", "most", "arrow") for side in self.sides):
            return False
        if self.sides[-1].sign not in ("equals", "about"):
            return True
        before = self.sides[-2].text
        left = _COMMAND.sub(" ", _JOINED.split(before)[-1].strip())
        is_first = len(self.sides) == 2 or left != _COMMAND.sub(" ", before).strip()
        return not is_first or not (_NAME.fullmatch(left) or _UNKNOWN.search(left))

    def _is_bound_asked_for(self) -> bool:
        """Whether it has no bounds, or the question asks for the least or greatest value that they state."""
        signs = {side.sign for side in self.sides} & {"least", "most"}
        asked = set(words.split(self.question.lower()))
        return not signs or (len(signs) == 1 and not asked.isdisjoint(_LEAST if "least" in signs else _MOST))

    def result(self) -> str | None:
        """The last side, or one before it that says the same and is the reference; None if it is not certain."""
        last = self.sides[-1]
        found, lead = _value(last.text), ""
        if found is None and last.sign in ("again", "arrow", "so"):
            found, lead = _restated(last.text)
        if found is None:
            return None
        exact = _value(self.sides[-2].text) if last.sign == "about" else None  # 5/36 ≈ 13.9%
        for value in (found, *self._same_before(found), *filter(None, (exact,))):
            if self._is_reference(value):
                return value
        before = filter(None, (_value(side.text) for side in self.sides[:-1]))
        others = (value for value in before if _amount(value) != _amount(found))  # 1240/500 = 2.48 J
        is_said_before = last.sign in ("equals", "so") and any(map(self._is_reference, others))
        is_led = not lead or lead in _COPULAS
        return found if is_led and not is_said_before and all(map(_is_calculation, self.sides[:-1])) else None

    def _same_before(self, found: str) -> list[str]:
        """The sides before the last one that give the same quantity in another unit."""
        same = list[str]()
        last = structure.parse(found)
        for side, following in zip(self.sides[-2:0:-1], self.sides[:1:-1], strict=True):
            value = _value(side.text) if following.sign in ("equals", "about", "again") else None
            earlier = structure.parse(value) if value else None
            if not (value and isinstance(earlier, Leaf) and isinstance(last, Leaf) and earlier.unit and last.unit):
                break
            between = conversions.between(earlier.unit, last.unit)
            if not between or quantities.converted(last, earlier, between) is False:
                break
            same.append(value)
        return same

    def _is_reference(self, value: str) -> bool:
        wanted = self.reference
        if self.question:
            wanted = bases.like(asked_units.with_unit(wanted, value, self.question), value, self.question)
            wanted = asked_units.in_multiples(wanted, value, self.question)
        decided = equal.decide_quickly(wanted, value)
        return decided is not None and decided.equal is True


def result(sentence: str, reference: str, question: str | None) -> str | None:
    """The result that a sentence calculates, if the reference is a number or a quantity; None if it is not certain."""
    if len(sentence) > MAX_CHARS or "?" in sentence or not _SIGN.search(sentence):
        return None
    reference = quantities.measured(reference) or reference
    wanted = structure.parse(reference)
    if not isinstance(wanted, Leaf) or wanted.number is None or notation.clock(reference) or dates.is_date(reference):
        return None
    chain = _Chain(sentence, reference, question)
    return chain.result() if chain.is_read else None


def _value(side: str) -> str | None:
    """A side that is a number, or a quantity with what it counts; without its remark."""
    bare = side.rstrip(" .\u3002!;*")
    remark = _REMARK.search(bare)
    inside = remark[0].strip(_AROUND) if remark else ""
    if inside in answer_forms.UNIT_OF or units.end_of(f" {inside}", 0) > 1:  # 27 (cm^2)
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


def _amount(text: str) -> Fraction | None:
    """The number of a quantity, whatever its unit."""
    found = structure.parse(text)
    return found.number.value if isinstance(found, Leaf) and found.number else None


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_calculation(side: _Side) -> bool:
    """Whether a side has no words beside its formula, but for its label, units and links."""
    if not _has_digit(side.text) and not side.sign:  # Equity = ...
        return True
    last = _CLAUSE.split(side.text)[-1]
    heard = (word for word in words.split(_COMMAND.sub(" ", last)) if len(word) > _SYMBOL)
    return all(word.lower() in _LINKS or units.end_of(f" {word}", 0) > len(word) for word in heard)
