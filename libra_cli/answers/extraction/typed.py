"""Reads what the end of a text states by the type of the reference: a set, a point, an interval, a formula, a quantity.

A sentence has many numbers and letters; only some of what it holds can be compared with a reference of that type.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.comparison import compounds
from libra_cli.answers.extraction import asked
from libra_cli.answers.sentences import assertions, plain
from libra_cli.answers.text import function_forms, latex, words
from libra_cli.answers.values import named, normalize, notation, quantities, structure
from libra_cli.answers.values.structure import Equation, Leaf, Matrix, Parts
from libra_cli.lazy_pattern import lazy_pattern

_VARIABLES = frozenset("xyzrt")
_RATIO = lazy_pattern(r"(?<![\d.:])(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)(?![\d:]| to)")
_POINT = lazy_pattern(r"\(([^()]{1,40})\)")
_OF_DISTANCE = lazy_pattern(r"\b(?:units?|distance|length|away|magnitude|norm)\b")
_OPENINGS = ("(", "[", "{", "\\{", "\\left", "\\langle", "\\begin", "\u27e8")


def stated(tail: str, reference: str) -> str | None:
    """The answer of the type of the reference that a text ends in; None if there is none, "" if it is denied."""
    if reference.isdecimal():
        return None
    if reference.rstrip(" .$}").lower().endswith(compounds.ENDS) or reference.strip(" $")[:1].isupper():
        found = compounds.stated(words.sentences(tail)[-1], reference)
        if found:
            return found
    if ":" in reference and notation.ratio(reference):
        ratios = _RATIO.findall(words.sentences(tail)[-1])
        return f"{ratios[0][0]}:{ratios[0][1]}" if len(ratios) == 1 and len(set(ratios[0])) == 2 else None
    if "identity" in tail or "zero" in tail:
        of_name = function_forms.named(words.sentences(tail)[-1], reference)
        if of_name:
            return of_name
    line = _line(words.sentences(tail)[-1], reference) if "=" in reference else None
    if line:
        return line
    said = asked.integers(tail, reference)
    return said if said is not None else named.place(tail, reference) or _last_side(tail, reference)


def is_a_part(answer: str | None, tail: str) -> bool:
    """Whether what was read may be a part of an interval, a point or a set, whose rest is said elsewhere."""
    if answer is None:
        return any(map(str.isdigit, words.sentences(tail)[-1]))
    return structure.is_number(answer)


def point_before(said: Sequence[str], reference: str) -> str | None:
    """The point that the sentence before a last one about its distance gives, or what stands before ", which"."""
    wanted = structure.parse(reference)
    size = len(wanted.parts) if isinstance(wanted, Parts) else 0
    if not reference.strip(" $").startswith("(") or not _OF_DISTANCE.search(said[-1]):
        return None
    head = said[-1].partition(", which")[0]
    earlier = head if head != said[-1] else said[-2] if len(said) > 1 else ""
    points = [point[0] for point in _POINT.finditer(earlier) if point[1].count(",") == size - 1]
    return points[-1] if points and earlier.rstrip(" .$").endswith(points[-1]) else None


def _last_side(tail: str, reference: str) -> str | None:
    """The last side of the equation that ends a text, if it is of the type of the reference."""
    if "=" not in tail:
        return None
    name, side = assertions.last_side(words.sentences(tail)[-1])
    if not side or len(side) > normalize.MAX_CHARS:
        return None
    wanted, given = structure.parse(reference), structure.parse(side)
    if isinstance(wanted, Equation):
        wanted = wanted.value
    is_vector = isinstance(wanted, Leaf) and "\\mathbf" in reference and isinstance(given, (Parts, Matrix))
    if is_vector and _is_ordered(given):
        return side
    if isinstance(wanted, (Parts, Matrix)):
        is_alike = _is_ordered(wanted) is _is_ordered(given) and side.startswith(_OPENINGS)
        return side if isinstance(given, (Parts, Matrix)) and is_alike else None
    if not isinstance(wanted, Leaf) or not isinstance(given, Leaf) or wanted.words:
        return None
    if wanted.text == "\\emptyset":
        return "\\emptyset" if side == "{}" else None
    if quantities.is_quantity(reference):
        measured = quantities.with_units(wanted, given)[1]  # 0.002 A has a unit beside 2 mA
        return side if isinstance(measured, Leaf) and measured.number and measured.unit else None
    is_formula = not wanted.number and _letters(wanted.text) and _letters(given.text)
    return f"{name} = {side}" if is_formula and name else side if is_formula else None


def _line(sentence: str, reference: str) -> str | None:
    """The last equation of a sentence, if it is one of a line or a curve as the reference, and solved for no letter."""
    wanted = structure.parse(reference)
    letters = set(latex.without_commands(reference)) & _VARIABLES
    if isinstance(wanted, Parts) or len(letters) < 2:
        return None
    text = next((span.text.strip("$ ") for span in reversed(plain.Reader(sentence).spans) if span.relation), "")
    left, equals, _ = text.partition("=")
    is_line = equals and len(left.strip()) > 1 and "(" not in left
    return text if is_line and letters <= set(latex.without_commands(text)) else None


def _is_ordered(answer: structure.Answer) -> bool:
    return isinstance(answer, Matrix) or (isinstance(answer, Parts) and answer.kind == "sequence")


def _letters(text: str) -> bool:
    """Whether a text is a formula with letters."""
    from libra_cli.answers.text import formula

    trees = formula.readings(text)[:1]
    return bool(trees) and bool(formula.symbols(trees[0]))
