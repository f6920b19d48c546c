"""Reads what the end of a text states by the type of the reference: a set, a point, an interval, a formula, a quantity.

A sentence has many numbers and letters; only some of what it holds can be compared with a reference of that type.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.comparison import compounds, vectors
from libra_cli.answers.extraction import asked, bounds_in_words
from libra_cli.answers.sentences import assertions, equations, plain
from libra_cli.answers.sentences.spans import value
from libra_cli.answers.text import function_forms, latex, words
from libra_cli.answers.values import coordinates, named, normalize, notation, part_labels, quantities, structure
from libra_cli.answers.values.structure import Cases, Equation, Leaf, Matrix, Parts
from libra_cli.lazy_pattern import lazy_pattern

_VARIABLES = frozenset("xyzrt")
_RATIO = lazy_pattern(
    r"(?<![\d.,:])(?<!from )(?<!into )(?<!for )(\d+(?:\.\d+)?) to (\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
    r"(?![\d:]|,\d| to| (?:second|minute|hour|day|week|month|year|time|degree|metre|meter|gram)s?\b)"
)
_LAST_RATIO = lazy_pattern(r"(?:\u2192|\u21d2|->|=>|=) ?\$?(\d+(?:\.\d+)?) ?: ?(\d+(?:\.\d+)?)\$?[.!]?$")
_POINT = lazy_pattern(r"\(([^()]{1,40})\)")
_OF_DISTANCE = lazy_pattern(r"\b(?:units?|distance|length|away|magnitude|norm)\b")
_ENDS_PLACE = lazy_pattern(
    r"[\s$.]*(?:,? ?(?:and its|and the|and it has|which has|whose|with|of) "
    r"(?:length|magnitude|norm|distance|modulus)\b.*"
    r"|, a \d ?[x\u00d7] ?\d matrix[\s.]*|(?:,|;|(?:and|which|with|since|as)\b)[^\d=<>]*)?$"
)
"""What may stand behind a point, vector or matrix that a sentence gives."""
_LEADS = words.table(
    "is are equals equal be by give gives get gets obtain obtains yields yield find at point pair solution vector "
    "matrix so hence thus therefore to becomes coordinates i.e namely"
)
"""Words right before one."""
_BESIDE = ("and", "while", "whereas", "$ and $", "$, $", "$ while $", "")
"""What stands between two of which neither follows from the other."""
_OPENINGS = ("(", "[", "{", "\\{", "\\left", "\\langle", "\\begin", "\u27e8")


def stated(tail: str, reference: str, question: str | None = None) -> str | None:
    """The answer of the type of the reference that a text ends in; None if there is none, "" if it is not certain."""
    if reference.isdecimal():
        return None
    if reference.rstrip(" .$}").lower().endswith(compounds.ENDS) or reference.strip(" $")[:1].isupper():
        found = compounds.stated(words.sentences(tail)[-1], reference, question or "")
        if found:
            return found
    if ":" in reference and notation.ratio(reference):
        ended = _LAST_RATIO.search(words.sentences(tail)[-1])
        if ended:
            return f"{ended[1]}:{ended[2]}"
        ratios = _RATIO.findall(words.sentences(tail)[-1])
        return f"{ratios[0][0]}:{ratios[0][1]}" if len(ratios) == 1 and len(set(ratios[0])) == 2 else None
    if "identity" in tail or "zero" in tail:
        of_name = function_forms.named(words.sentences(tail)[-1], reference)
        if of_name:
            return of_name
    components = coordinates.along_axes(words.sentences(tail)[-1])
    if components and (coordinates.size(reference) or vectors.as_tuple(reference, components) != reference):
        return components
    if components and not structure.is_number(reference):
        return ""  # 3 along x and 4 along y, for 3 + 4i
    line = _line(words.sentences(tail)[-1], reference) if "=" in reference else None
    if line:
        return line
    if any(map(reference.__contains__, "<>([\u2264\u2265")) or "\\le" in reference or "\\ge" in reference:
        in_words = bounds_in_words.stated(words.sentences(tail)[-1], reference)
        if in_words is not None:
            return in_words
    said = asked.integers(tail, reference)
    if said is not None:
        return said
    found = named.place(tail, reference)
    if "(" in tail or "[" in tail or "\\begin" in tail or "\u27e8" in tail:
        said = _place_or_matrix(words.sentences(tail)[-1], reference, question or "")
        is_of_names = ") =" in tail or ")=" in tail  # (y, x) = (2, 3)
        is_of_values = bool(said) and not is_of_names and not any(map(str.isalpha, said or ""))
        found = said if found is None or is_of_values else found  # x = 3, y = 7, so they meet at (7, 3)
    return found if found is not None else _last_side(tail, reference)


def is_a_part(answer: str | None, tail: str) -> bool:
    """Whether what was read may be a part of an interval, a point or a set, whose rest is said elsewhere."""
    if answer is None:
        return any(map(str.isdigit, words.sentences(tail)[-1]))
    return structure.is_number(answer)


def is_of_another_size(answer: str, reference: str) -> bool:
    """Whether a reference is a matrix of several rows, or values with names, and the answer one row or one value."""
    wanted = structure.parse(reference) if "," in reference or "&" in reference else None
    if isinstance(wanted, Matrix):
        given = structure.parse(answer)
        if len(wanted.rows) < 2 or not isinstance(given, Parts) or len(given.parts) != len(wanted.rows[0]):
            return False
        return all(isinstance(part, Leaf) for part in given.parts)
    return wanted is not None and bool(named.values(reference)) and structure.is_number(answer.rpartition("=")[2])


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


def _place_or_matrix(sentence: str, reference: str, question: str) -> str | None:
    """The only point, vector or matrix of a sentence, or the one that the question names; "" if it is one of two."""
    wanted = structure.parse(reference)
    if not (isinstance(wanted, (Parts, Matrix)) and (_is_ordered(wanted) or _are_named(wanted))):
        return None
    is_of_values = not any(map(str.isalpha, latex.without_commands(reference)))
    found = list[tuple[str, str, plain.Span]]()
    for span in plain.Reader(sentence).spans:
        head, _, side = value(span.text).rpartition("=")
        side = side.strip()
        is_of_letters = any(map(str.isdigit, reference)) and not any(map(str.isdigit, side))  # the vertex (h, k)
        is_of_letters = is_of_letters or (is_of_values and any(map(str.isalpha, latex.without_commands(side))))
        if side.startswith(_OPENINGS) and not is_of_letters and _is_alike(wanted, structure.parse(side)):
            found.append((head.strip(), side, span))
    if len({side for _, side, _ in found}) > 1:  # the midpoint of (1, 2) and (5, 8) is (3, 5)
        known = _letters_of(question)
        found = [one for one in found if _letters_of(one[1]) not in known] or found
    if len({side for _, side, _ in found}) > 1:
        told = [side for name, side, _ in found if name and _letters_of(name) in _letters_of(question)]
        if len(found) == 2 and len(told) == 1:
            return told[0]
        (_, _, first), (*_, last) = found[-2:]
        are_beside = found[-2][0] and sentence[first.end : last.start].strip(" ,") in _BESIDE
        return "" if are_beside else None
    if not found:
        return None
    name, side, span = found[-1]
    before = sentence[: span.start].rstrip("$ (:").split()
    is_led = bool(name) or not before or before[-1].lower().strip(",.") in _LEADS
    is_led = is_led or sentence[: span.start].rstrip("$ ").endswith((":", "="))
    is_denied = assertions.denies(sentence) or _letters_of(side) in _letters_of(question)
    return side if is_led and not is_denied and _ENDS_PLACE.match(sentence, span.end) else None


def _letters_of(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "$\\{}")


def _is_alike(wanted: structure.Answer, given: structure.Answer) -> bool:
    """Whether two points, vectors or matrices have the same size."""
    if isinstance(wanted, Matrix):
        rows = [len(row) for row in wanted.rows]
        if isinstance(given, Cases):  # \\begin{array}, whose brackets are left out
            return [len(row) for row in given.rows] == rows
        if isinstance(given, Matrix):
            return [len(row) for row in given.rows] == rows
        return 1 in (len(rows), rows[0]) and isinstance(given, Parts) and len(given.parts) == sum(rows)
    if isinstance(wanted, Parts) and isinstance(given, Matrix):
        return sum(map(len, given.rows)) == len(wanted.parts)
    if not (isinstance(wanted, Parts) and isinstance(given, Parts)) or given.kind != "sequence":
        return False
    is_like = given.brackets == wanted.brackets or given.brackets == "()"
    return len(given.parts) == len(wanted.parts) and is_like


def _are_named(answer: structure.Answer) -> bool:
    """Whether it gives values to several names: x = 3, y = 2."""
    return isinstance(answer, Parts) and all(isinstance(part, Equation) for part in answer.parts)


def as_listed(sentence: str, reference: str) -> str | None:
    """The reference, if the numbers of a sentence are those that it lists, in its order."""
    from libra_cli.answers.comparison import equal

    wanted = part_labels.values(reference) or part_labels.listed(reference)
    if len(wanted) < 2 or assertions.denies(sentence) or " or " in sentence or " than " in sentence:
        return None
    spans = [span for span in plain.Reader(sentence).spans if any(map(str.isdigit, span.text.replace("\u03c0", "3")))]
    if len(spans) != len(wanted):
        return None
    pairs = [(one, value(span.text).rpartition("=")[2].strip()) for one, span in zip(wanted, spans, strict=True)]
    decisions = [equal.decide_quickly(*pair) for pair in pairs]
    return reference if all(decision is not None and decision.equal for decision in decisions) else None


def _last_side(tail: str, reference: str) -> str | None:
    """The last side of the equation that ends a text, if it is of the type of the reference."""
    if "=" not in tail:
        return None
    name, side = equations.last_side(words.sentences(tail)[-1])
    if not side or len(side) > normalize.MAX_CHARS:
        return None
    name = f"\\Delta {name}" if name and f"\\Delta {name}" in tail else name
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
