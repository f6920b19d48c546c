"""Typed comparison: what kind of thing each answer is, and whether two of them are equal, part by part.

Everything here is three-valued: True, False, or None where the leaves (formulas) could not be compared. How leaves are
compared is given from outside: by text and exact numbers in the parent, by computer algebra in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from libra_cli.answers import latex, normalize, number, units, words
from libra_cli.answers.number import Number

MAX_PARTS = 64
MAX_DEPTH = 4


@dataclass(frozen=True)
class Leaf:
    """A number, a formula or words."""

    text: str
    number: Number | None = None
    unit: str | None = None

    @property
    def words(self) -> str | None:
        """The letters of an answer in words, in lower case; None for a formula."""
        return " ".join(self.text.lower().split()) if _WORDS.fullmatch(self.text) else None


@dataclass(frozen=True)
class Parts:
    """Several things: `kind` is `list` (bare), `set`, `union`, or `sequence` (in brackets, ordered).

    A list of `alternatives` (joined by "or", "and" or \\pm, or values of one name) is never a sequence, and a sequence
    that is an `interval` for certain (behind \\in, or without an end) is never a list.
    """

    text: str
    kind: str
    parts: tuple[Answer, ...]
    brackets: str = ""
    """Of a sequence: `()`, `(]`, `[)` or `[]`."""
    alternatives: bool = False
    interval: bool = False


@dataclass(frozen=True)
class Matrix:
    """Rows of a matrix or vector."""

    text: str
    rows: tuple[tuple[Answer, ...], ...]


@dataclass(frozen=True)
class Equation:
    """`name = value`; of a chain a = b = c the first and the last side."""

    text: str
    name: str
    value: Answer


Answer = Leaf | Parts | Matrix | Equation
Compare = Callable[[Leaf, Leaf], "bool | None"]

_WORDS = re.compile(r"(?=.*[A-Za-z]{3}|(?i:no|ja|si)$)[A-Za-z][A-Za-z' -]*")
_COMMA = re.compile(r"[,;]\s*(?:\band\b|\bor\b)?|(?<![A-Za-z])(?:and|or)(?![A-Za-z])")
_OR = re.compile(r"(?<![A-Za-z])or(?![A-Za-z])")
_JOINED = re.compile(r"(?<![A-Za-z])(?:and|or)(?![A-Za-z])")
_INEQUALITY = re.compile(r"[<>]|\\(?:leq|geq|lt|gt)(?![A-Za-z])")
_UNION = re.compile(r"\\cup(?![A-Za-z])")
_EQUALS = re.compile(r"(?<![<>!:\\=])=(?!=)")
_RELATION = re.compile(r"[=<>]|\\(?:leq|geq|neq|lt|gt)(?![A-Za-z])")
_PLUS_MINUS = re.compile(r"\\(?:pm|mp)(?![A-Za-z])")
_MEMBER = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?\\in(?![A-Za-z])")
_EVENT = r"[A-Z](?:(?:\\(?:cup|cap|mid|setminus) ?|\||')[A-Z]?)*"
_NAME = re.compile(
    r"(?:\\?[A-Za-z]+(?:_\{?\\?\w+\}?)?(?:\^\{-1\})?'?|[A-Za-z]+(?: [A-Za-z]+)*)(?:\([A-Za-z](?:,[A-Za-z])*\))?"
    rf"|[PEn]\({_EVENT}\)|\|{_EVENT}\||m?\\angle ?[A-Z]{{1,3}}"
)
_SIZE = re.compile(rf"\|{_EVENT}\|=")
"""|A \\cup B| = 5, which is no union."""
_FUNCTION = re.compile(r"[fgh]\(x\)")
_NAMES = re.compile(r"\(([a-z](?:,[a-z])+)\)")
_VARIABLE = re.compile(r"[a-z]")
_ARGUMENT = re.compile(r"([A-Za-z])\(([a-z])\)")
_MATRIX = re.compile(r"\\begin\{([pbB]?matrix|array)\}(?:\{[lcr|]*\})?(.*)\\end\{\1\}", re.DOTALL)
_SET_BUILDER = re.compile(r"\\mid(?![A-Za-z])|\\?\||:")


@lru_cache(normalize.CACHED)
def parse(raw: str) -> Answer:
    """What kind of answer `raw` is."""
    raw = normalize.plain(raw)
    body, unit = units.in_text(normalize.unwrapped(raw) if len(raw) <= normalize.MAX_CHARS else raw)
    return _parse(normalize.normalized(body), unit, 0)


def _parse(text: str, unit: str | None, depth: int) -> Answer:
    leaf = _leaf(text, unit)
    if leaf.number is not None or len(text) > normalize.MAX_CHARS or depth > MAX_DEPTH:
        return leaf
    member = _MEMBER.match(text)
    text = text[member.end() :].strip() if member else text
    if words.phrase(text) == "all reals":
        text = "(-\\infty,\\infty)"
    for make in (_union, _bracketed, _matrix, _equation, _listed, _plus_minus):
        answer = make(text, depth + 1)
        if answer is not None:
            if member is not None and isinstance(answer, Parts) and answer.kind == "sequence":
                return replace(answer, interval=True)
            return answer
    return leaf


def _leaf(text: str, unit: str | None) -> Leaf:
    value = number.parse(text)
    if value is not None or unit is not None:
        return Leaf(text, value, unit)
    body, unit = units.split(text)
    return Leaf(body, number.parse(body), unit) if unit is not None else Leaf(text)


def _all(texts: Sequence[str], depth: int) -> tuple[Answer, ...]:
    return tuple(_parse(text, None, depth) for text in texts)


def _union(text: str, depth: int) -> Answer | None:
    if _SIZE.match(text):
        return None
    parts = latex.split(text, _UNION)
    if len(parts) < 2:  # x<-1 or x>1
        parts = latex.split(text, _OR)
        parts = parts if all(map(_INEQUALITY.search, parts)) else []
    return Parts(text, "union", _all(parts, depth)) if 2 <= len(parts) <= MAX_PARTS else None


def _bracketed(text: str, depth: int) -> Answer | None:
    found = latex.enclosed(text, ("\\{", "(", "["), ("\\}", ")", "]"))
    if found is None or (found[0] == "\\{") != (found[2] == "\\}"):
        return None
    opening, inside, closing = found
    if opening == "\\{":
        if _SET_BUILDER.search(inside):
            return None
        return Parts(text, "set", _flat(_all(latex.split(inside, _COMMA), depth)))
    parts = latex.split(inside, _COMMA)
    rows = [latex.enclosed(part.strip(), ("[",), ("]",)) for part in parts] if opening + closing == "[]" else []
    if len(rows) > 1 and all(rows):  # [[1, 2], [3, 4]]
        cells = [latex.split(row[1], _COMMA) for row in rows if row]
        return Matrix(text, tuple(_all([cell.strip() for cell in row], depth) for row in cells))
    if len(parts) == 1 and opening + closing == "()":
        return _parse(inside.strip(), None, depth)
    if len(parts) == 2 or (2 < len(parts) <= MAX_PARTS and opening + closing in ("()", "[]")):
        endless = len(parts) == 2 and (parts[0] == "-\\infty" or parts[1] == "\\infty")
        return Parts(text, "sequence", _all(parts, depth), opening + closing, interval=endless)
    return None


def _listed(text: str, depth: int) -> Answer | None:
    parts = latex.split(text, _COMMA)
    if not 2 <= len(parts) <= MAX_PARTS or all(map(_INEQUALITY.search, parts)):  # x > 1 and x < 3 hold together
        return None
    found = _flat(_all(parts, depth))
    names = [part.name for part in found if isinstance(part, Equation)]
    joined = _JOINED.search(latex.top_level(text)) is not None or len(found) > len(parts)
    named = len(names) == len(found) == len(set(names))
    alternatives = bool(joined or names) and not named
    return Parts(text, "list", found, alternatives=alternatives)


def _flat(parts: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Lists inside a list are one list: 1 \\pm \\sqrt{5}, -2 has three members."""
    flat: list[Answer] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Parts) and part.kind == "list" else [part])
    return tuple(flat)


def _plus_minus(text: str, depth: int) -> Answer | None:
    places = list(_PLUS_MINUS.finditer(text))
    if len(places) != 1:
        return None
    before, after = text[: places[0].start()], text[places[0].end() :]
    both = _all([f"{before}{'+' if before else ''}{after}", f"{before}-{after}"], depth)
    return Parts(text, "list", both, alternatives=True)


def _matrix(text: str, depth: int) -> Answer | None:
    found = _MATRIX.fullmatch(text)
    if found is None:
        return None
    rows = [row for row in re.split(r"\\\\", found[2]) if row.strip()]
    if len(rows) > MAX_PARTS:
        return None
    return Matrix(text, tuple(_all([cell.strip() for cell in row.split("&")], depth) for row in rows))


def _equation(text: str, depth: int) -> Answer | None:
    sides = latex.split(text, _EQUALS)
    with_thousands = len(sides) == 2 and _leaf(sides[-1], None).number is not None
    if len(sides) < 2 or (len(latex.split(text, _COMMA)) > 1 and not with_thousands):
        return None
    if _VARIABLE.fullmatch(sides[-1]) and not _NAME.fullmatch(sides[0]):  # 5 = x
        sides.reverse()
    names = _NAMES.fullmatch(sides[0])
    if names:
        values = _parse(sides[-1], None, depth)
        return _named(text, names[1].split(","), values) if depth == 1 else values
    if not _NAME.fullmatch(sides[0]):
        return None
    name, value = _with_usual_argument(sides[0], sides[-1])
    found = _parse(value, None, depth)
    if isinstance(found, Parts) and found.kind == "list":  # f(x) = \\pm x are two
        return replace(found, text=text, parts=tuple(Equation(text, name, part) for part in found.parts))
    return Equation(text, name, found)


def _named(text: str, names: Sequence[str], values: Answer) -> Answer | None:
    """(x,y) = (2,3) as x = 2, y = 3."""
    if not isinstance(values, Parts) or len(values.parts) != len(names):
        return None
    return Parts(
        text, "list", tuple(Equation(text, name, value) for name, value in zip(names, values.parts, strict=True))
    )


def _with_usual_argument(name: str, value: str) -> tuple[str, str]:
    """f(t) = 2t as f(x) = 2x."""
    argument = _ARGUMENT.fullmatch(name)
    if argument is None or argument[2] == "x" or re.search(r"(?<![A-Za-z\\])x(?![A-Za-z])", value):
        return name, value
    return f"{argument[1]}(x)", re.sub(rf"(?<![A-Za-z\\]){argument[2]}(?![A-Za-z])", "x", value)


# -- comparison -------------------------------------------------------------------------------------------------------


def leaves(answer: Answer) -> Iterator[Leaf]:
    """Its numbers, formulas and words."""
    if isinstance(answer, Leaf):
        yield answer
    elif isinstance(answer, Equation):
        yield from leaves(answer.value)
    else:
        parts = answer.parts if isinstance(answer, Parts) else [cell for row in answer.rows for cell in row]
        for part in parts:
            yield from leaves(part)


def same(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Whether two answers are equal; what the reference is decides what is asked for."""
    if reference.text == answer.text and _unit(reference) == _unit(answer):
        return True
    if isinstance(reference, Equation) or isinstance(answer, Equation):
        return _same_equation(reference, answer, compare)
    if isinstance(reference, Matrix) or isinstance(answer, Matrix):
        return _same_matrix(reference, answer, compare)
    if isinstance(reference, Parts) or isinstance(answer, Parts):
        return _same_parts(reference, answer, compare)
    return compare(reference, answer)


def _unit(answer: Answer) -> str | None:
    return answer.unit if isinstance(answer, Leaf) else None


def _whole(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Kinds that differ on the surface (x \\neq 2 and a union of intervals): only computer algebra can tell."""
    return compare(Leaf(reference.text), Leaf(answer.text))


def _same_equation(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if isinstance(reference, Equation) and isinstance(answer, Equation):
        if reference.name == answer.name or {_FUNCTION.sub("y", one.name) for one in (reference, answer)} == {"y"}:
            return same(reference.value, answer.value, compare)
        return _whole(reference, answer, compare)
    equation, other = (reference, answer) if isinstance(reference, Equation) else (answer, reference)
    if _RELATION.search(other.text):
        return _whole(reference, answer, compare)
    assert isinstance(equation, Equation)
    return same(equation.value, other, compare) if equation is reference else same(other, equation.value, compare)


def _same_matrix(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if isinstance(reference, Matrix) and isinstance(answer, Matrix):
        if [len(row) for row in reference.rows] != [len(row) for row in answer.rows]:
            return False
        return _ordered(_cells(reference), _cells(answer), compare)
    matrix, other = (reference, answer) if isinstance(reference, Matrix) else (answer, reference)
    assert isinstance(matrix, Matrix)
    vector = 1 in (len(matrix.rows), len(matrix.rows[0]) if matrix.rows else 0)
    if vector and isinstance(other, Parts) and other.brackets == "()":
        return _ordered(_cells(matrix), other.parts, compare)
    return False if isinstance(other, Leaf) and other.number else _whole(reference, answer, compare)


def _cells(matrix: Matrix) -> list[Answer]:
    return [cell for row in matrix.rows for cell in row]


def _same_parts(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if any(isinstance(one, Leaf) and one.text.startswith("\\{") for one in (reference, answer)):
        return _whole(reference, answer, compare)  # a set by its condition
    unordered = ("list", "set")
    ref_kind, kind = _kind(reference), _kind(answer)
    for one, other in ((reference, answer), (answer, reference)):
        if isinstance(one, Leaf) and one.number and _kind(other) == "list":
            single = number.is_listed(other.text, one.number.value)
            if single is not False:
                return single
    if _are_named(reference) and not any(isinstance(part, Equation) for part in _parts(answer)):
        return _ordered(_parts(reference), _parts(answer), compare)
    if ref_kind == kind == "sequence":
        return _same_sequence(reference, answer, compare)
    if {ref_kind, kind} == {"sequence", "list"}:
        return _same_unbracketed(reference, answer, compare)
    if {ref_kind, kind} == {"set", "sequence"}:  # {2,5} is not (2,5), but {(2,5)} may be
        there, here = (_parts(one) if _kind(one) == "set" else (one,) for one in (reference, answer))
        return _covered(there, here, compare)
    if {ref_kind, kind} == {"set", "leaf"} and "\\emptyset" in (reference.text, answer.text):
        return False  # the set that holds the empty set is not empty
    if ref_kind == kind == "list" and len(_parts(reference)) > len(_parts(answer)):
        return False  # prime factors, roots with their multiplicity
    if ref_kind == kind == "union" or (ref_kind in (*unordered, "leaf") and kind in (*unordered, "leaf")):
        return _covered(_parts(reference), _parts(answer), compare)
    for one in (reference, answer):
        if isinstance(one, Leaf) and one.number is not None:
            return False  # a number is no pair and no interval
        if isinstance(one, Leaf) and _EQUALS.search(one.text) and "sequence" in (ref_kind, kind):
            return None  # nor is an equation, though its solutions may be meant
    return _whole(reference, answer, compare)


def _are_named(answer: Answer) -> bool:
    """Whether it is a list such as x = 2, y = 3, whose values belong to names (x_1 = 2, x_2 = 3 are two roots)."""
    names = [part.name.partition("_")[0] for part in _parts(answer) if isinstance(part, Equation)]
    return len(names) == len(_parts(answer)) == len(set(names)) > 1


def _kind(answer: Answer) -> str:
    return answer.kind if isinstance(answer, Parts) else "leaf"


def _parts(answer: Answer) -> tuple[Answer, ...]:
    return answer.parts if isinstance(answer, Parts) else (answer,)


def _brackets(answer: Answer) -> str:
    return answer.brackets if isinstance(answer, Parts) else ""


def _same_sequence(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Tuples and intervals: of two members the brackets count, for they may be the ends of an interval."""
    if _brackets(answer) != _brackets(reference) and len(_parts(reference)) == 2:
        return False
    return _ordered(_parts(reference), _parts(answer), compare)


def _same_unbracketed(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """A sequence and a list: a list with commas only may be a tuple whose brackets were left out."""
    assert isinstance(reference, Parts)
    assert isinstance(answer, Parts)
    sequence, bare = (reference, answer) if reference.kind == "sequence" else (answer, reference)
    if bare.alternatives or sequence.interval or (sequence.brackets != "()" and len(sequence.parts) == 2):
        return False
    return _ordered(reference.parts, answer.parts, compare)


def _ordered(references: Sequence[Answer], answers: Sequence[Answer], compare: Compare) -> bool | None:
    if len(references) != len(answers):
        return False
    return _every(same(one, other, compare) for one, other in zip(references, answers, strict=True))


def _covered(references: Sequence[Answer], answers: Sequence[Answer], compare: Compare) -> bool | None:
    """Whether every member of one is a member of the other: order does not count, nor how often one is said."""
    table = [[same(one, other, compare) for other in answers] for one in references]
    return _every([*(_any(row) for row in table), *(_any(column) for column in zip(*table, strict=True))])


def _every(verdicts: Iterable[bool | None]) -> bool | None:
    found: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        found = None if verdict is None else found
    return found


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    """True if one verdict is; else None if one is undecided; else False."""
    seen = list(verdicts)
    return True if True in seen else (None if None in seen else False)
