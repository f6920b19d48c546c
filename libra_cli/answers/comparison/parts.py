"""Compares typed answers part by part.

Everything here is three-valued: True, False, or None where the leaves (formulas) could not be compared. How leaves are
compared is given from outside: by text and exact numbers in the parent, by computer algebra in a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from libra_cli.answers.text import cases, latex, number
from libra_cli.answers.values.structure import Answer, Cases, Equation, Leaf, Matrix, Parts
from libra_cli.lazy_pattern import lazy_pattern

Compare = Callable[[Leaf, Leaf], "bool | None"]

_FUNCTION = lazy_pattern(r"[fghyu](?:\^\{-1\})?\(x\)")
_DERIVATIVE = lazy_pattern(r"[fghyu]'(?:\(x\))?|D_\{[fghyu]x\}")
_COORDINATES = ("xyz", "abcd", "uvw", "hk", "pq")
"""Letters whose values a point gives in this order."""
_EXCLUDES = frozenset(("\\neq",))
_SOLUTIONS = frozenset(("S", "L", "\\mathbb{L}", "\\mathbb{S}", "\\mathbb L", "\\mathbb S", "\\mathcal{S}"))
"""Names of the set of all solutions."""
_OF_SOLUTIONS = frozenset(("set", "sequence", "union"))
_ROOT = lazy_pattern(r"x(?:_\{?\d\}?)?")


def same(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Whether two answers are equal; what the reference is decides what is asked for."""
    if isinstance(answer, Equation) and answer.name in _SOLUTIONS and _kind(answer.value) in _OF_SOLUTIONS:
        members = _parts(answer.value)
        answer = members[0] if len(members) == 1 else answer.value
    if reference.text == answer.text and _unit(reference) == _unit(answer):
        return True
    if isinstance(answer, Parts) and "_1" in answer.text:
        answer = _without_indices(answer, reference)
    if isinstance(reference, Equation) or isinstance(answer, Equation):
        return _same_equation(reference, answer, compare)
    if isinstance(reference, Cases) or isinstance(answer, Cases):
        return _same_cases(reference, answer, compare)
    if isinstance(reference, Matrix) or isinstance(answer, Matrix):
        return _same_matrix(reference, answer, compare)
    if isinstance(reference, Parts) or isinstance(answer, Parts):
        return _same_parts(reference, answer, compare)
    return compare(reference, answer)


def _unit(answer: Answer) -> object:
    """Unit of an answer, or those of its parts, which its text leaves out."""
    if isinstance(answer, Leaf):
        return answer.unit
    if isinstance(answer, Parts):
        return tuple(map(_unit, answer.parts))
    return _unit(answer.value) if isinstance(answer, Equation) else None


def _whole(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Kinds that differ on the surface (x \\neq 2 and a union of intervals): only computer algebra can tell."""
    return compare(Leaf(reference.text), Leaf(answer.text))


def _same_equation(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if isinstance(reference, Equation) and isinstance(answer, Equation):
        is_other_index = "_" in reference.name and "_" in answer.name  # x_1 is not x_2
        if reference.name == answer.name or (not is_other_index and _name(reference.name) == _name(answer.name)):
            return same(reference.value, answer.value, compare)
        heads = reference.name.partition("_"), answer.name.partition("_")
        is_indexed_once = heads[0][0] == heads[1][0] and (not heads[0][1]) is not (not heads[1][1])
        if is_indexed_once and same(reference.value, answer.value, compare):  # v_{esc} for v
            return True
        if ":" in reference.name and sorted(reference.name.split(":")) == sorted(answer.name.split(":")):
            return _same_ratio(reference, answer, compare)
        return _whole(reference, answer, compare)
    if (
        isinstance(reference, Equation)
        and isinstance(answer, Parts)
        and _are_named(answer)
        and reference.text.count("=") == 1
    ):
        told = [part for part in answer.parts if isinstance(part, Equation) and part.name == reference.name]
        if told:
            return same(reference.value, told[0].value, compare)
    equation, other = (reference, answer) if isinstance(reference, Equation) else (answer, reference)
    assert isinstance(equation, Equation)
    values = _values_of(equation.name, other)
    if values is not None:
        is_first = equation is reference
        return same(equation.value if is_first else values, values if is_first else equation.value, compare)
    if latex.has(other.text, latex.RELATIONS):
        return _whole(reference, answer, compare)
    return same(equation.value, other, compare) if equation is reference else same(other, equation.value, compare)


def _values_of(name: str, answer: Answer) -> Parts | None:
    """The values that an answer gives to one name, x = 2 or x = -3; None for any other answer."""
    if not isinstance(answer, Parts) or not answer.alternatives:
        return None
    values = [part.value if isinstance(part, Equation) and part.name == name else part for part in answer.parts]
    if not all(isinstance(value, Leaf) and value.number for value in values):
        return None
    return replace(answer, text=",".join(value.text for value in values), parts=tuple(values))


def _name(name: str) -> str:
    """A name in one notation: f(x) and y, dy/dx and f'(x), the inverse of a function and y, x_1 and x."""
    if _DERIVATIVE.fullmatch(name):
        return "y'"
    if _ROOT.fullmatch(name):
        return "x"
    return _FUNCTION.sub("y", name)


def _without_indices(answer: Parts, reference: Answer) -> Parts:
    """x_1 = -2, x_2 = 2 as x = -2, x = 2, if the reference has no such names."""
    equations = [part for part in answer.parts if isinstance(part, Equation)]
    names = {part.name.rpartition("_")[0] for part in equations}
    if (
        _kind(reference) == "sequence"
        or "_" in reference.text
        or len(equations) < len(answer.parts)
        or len(names) != 1
        or "" in names
    ):
        return answer
    name = names.pop()
    return replace(answer, parts=tuple(replace(part, name=name) for part in equations), alternatives=True)


def _same_ratio(reference: Equation, answer: Equation, compare: Compare) -> bool | None:
    """a : b = 7 : 32 is b : a = 32 : 7."""
    terms = [dict(zip(one.name.split(":"), one.value.text.split(":"), strict=False)) for one in (reference, answer)]
    if any(len(found) < reference.name.count(":") + 1 for found in terms):
        return None
    ratios = [Leaf(":".join(found[name] for name in sorted(found))) for found in terms]
    return compare(*ratios)


def _same_cases(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Whether the pieces under equal conditions are equal, in whatever order."""
    if not isinstance(reference, Cases) or not isinstance(answer, Cases) or len(reference.rows) != len(answer.rows):
        return _whole(reference, answer, compare)
    left, verdicts = list(answer.rows), list[bool | None]()
    for value, condition in sorted(reference.rows, key=lambda row: row[1].text == cases.OTHERWISE):
        alike = [row for row in left if row[1].text == condition.text or compare(condition, row[1])]
        if not alike and len(left) == 1 and cases.OTHERWISE in (condition.text, left[0][1].text):
            alike = list(left)
        if len(alike) != 1:
            return _whole(reference, answer, compare)
        left.remove(alike[0])
        verdicts.append(same(value, alike[0][0], compare))
    return _every(verdicts)


def _same_matrix(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if isinstance(reference, Matrix) and isinstance(answer, Matrix):
        if [len(row) for row in reference.rows] != [len(row) for row in answer.rows]:
            return False
        return _ordered(_cells(reference), _cells(answer), compare)
    matrix, other = (reference, answer) if isinstance(reference, Matrix) else (answer, reference)
    assert isinstance(matrix, Matrix)
    vector = 1 in (len(matrix.rows), len(matrix.rows[0]) if matrix.rows else 0)
    is_vector = isinstance(other, Parts) and (
        other.brackets == "()" or (other.brackets == "[]" and matrix is reference) or _is_bare(other)
    )
    if vector and is_vector and isinstance(other, Parts):
        return _ordered(_cells(matrix), other.parts, compare)
    return False if isinstance(other, Leaf) and other.number else _whole(reference, answer, compare)


def _is_bare(answer: Parts) -> bool:
    """Whether it is values with commas between them, which may be a vector without its brackets."""
    return answer.kind == "list" and not answer.alternatives and not answer.brackets


def _cells(matrix: Matrix) -> list[Answer]:
    return [cell for row in matrix.rows for cell in row]


def _same_parts(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    if any(isinstance(one, Leaf) and one.text.startswith("\\{") for one in (reference, answer)):
        return _whole(reference, answer, compare)  # a set by its condition
    for one, other in ((reference, answer), (answer, reference)):
        terms = [term.strip() for term in one.text.split(":")] if isinstance(one, Leaf) and ":" in one.text else []
        if terms and terms == [part.text for part in _parts(other)]:  # 36 : 48 and 36, 48
            return None
        if isinstance(one, Leaf) and latex.has(one.text, _EXCLUDES) and _kind(other) in ("list", "set"):
            return None  # which may list the values that are left out
    unordered = ("list", "set")
    ref_kind, kind = _kind(reference), _kind(answer)
    for one, other in ((reference, answer), (answer, reference)):
        if isinstance(one, Leaf) and one.number and _kind(other) == "list":
            single = number.is_listed(other.text, one.number.value)
            if single is not False:
                return single
    points = [one.name for one in (reference, answer) if isinstance(one, Parts) and one.name]
    if points and "leaf" in (ref_kind, kind):
        return _whole(reference, answer, compare)
    if len(set(points)) > 1:  # A(1, 2) and B(1, 2): the name may be asked for
        return _ordered(_parts(reference), _parts(answer), compare) and None
    if _are_named(reference) and not any(isinstance(part, Equation) for part in _parts(answer)):
        return _ordered(_parts(reference), _parts(answer), compare)
    if ref_kind == kind == "sequence":
        return _same_sequence(reference, answer, compare)
    if {ref_kind, kind} == {"sequence", "list"}:
        return _same_unbracketed(reference, answer, compare)
    if {ref_kind, kind} == {"set", "sequence"}:  # {2,5} is not (2,5), but {(2,5)} may be
        there, here = (_parts(one) if _kind(one) == "set" else (one,) for one in (reference, answer))
        return _covered(there, here, compare)
    if {ref_kind, kind} <= {"set", "list"} and any(map(_is_set, (*_parts(reference), *_parts(answer)))):
        return _same_members(_parts(reference), _parts(answer), compare)
    if {ref_kind, kind} == {"set", "leaf"} and "\\emptyset" in (reference.text, answer.text):
        return False  # the set that holds the empty set is not empty
    if ref_kind == kind == "list" and len(_parts(reference)) > len(_parts(answer)):
        return False  # prime factors, roots with their multiplicity
    if ref_kind == kind == "union" or (ref_kind in (*unordered, "leaf") and kind in (*unordered, "leaf")):
        return _covered(_parts(reference), _parts(answer), compare)
    for one in (reference, answer):
        if isinstance(one, Leaf) and one.number is not None:
            return False  # a number is no pair and no interval
        if isinstance(one, Leaf) and latex.has(one.text, latex.EQUALS) and "sequence" in (ref_kind, kind):
            return None  # nor is an equation, though its solutions may be meant
    return _whole(reference, answer, compare)


def _same_members(references: Sequence[Answer], answers: Sequence[Answer], compare: Compare) -> bool | None:
    """Compare members of which some are sets: {{1}, {2}} is not {1, 2}."""
    verdicts = []
    for is_set in (True, False):
        there, here = ([one for one in members if _is_set(one) is is_set] for members in (references, answers))
        verdicts.append(_covered(there, here, compare) if there and here else not (there or here))
    return _every(verdicts)


def _is_set(answer: Answer) -> bool:
    return _kind(answer) == "set" or answer.text == "\\emptyset"


def _are_named(answer: Answer) -> bool:
    """Whether it is a list such as x = 2, y = 3, whose values belong to names (x_1 = 2, x_2 = 3 are two roots)."""
    names = [part.name.partition("_")[0] for part in _parts(answer) if isinstance(part, Equation)]
    return len(names) == len(_parts(answer)) == len(set(names)) > 1


def _by_name(answer: Parts) -> Parts:
    """y = 5, x = 2 in the order of a point (x, y)."""
    named = {part.name: part for part in answer.parts if isinstance(part, Equation)}
    order = next((order for order in _COORDINATES if len(order) >= len(named) and set(named) <= set(order)), "")
    by_name = sorted(answer.parts, key=lambda part: order.find(part.name if isinstance(part, Equation) else ""))
    return replace(answer, parts=tuple(by_name))


def _kind(answer: Answer) -> str:
    return answer.kind if isinstance(answer, Parts) else "leaf"


def _parts(answer: Answer) -> tuple[Answer, ...]:
    return answer.parts if isinstance(answer, Parts) else (answer,)


def _brackets(answer: Answer) -> str:
    return answer.brackets if isinstance(answer, Parts) else ""


def _same_sequence(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """Tuples and intervals: of two members the brackets count, for they may be the ends of an interval."""
    if _brackets(answer) != _brackets(reference) and len(_parts(reference)) == 2:
        is_list = _brackets(reference) == "[]" and _falls(reference)  # [6, 1] is no interval
        if not is_list or _brackets(answer) != "()":
            return False
    return _ordered(_parts(reference), _parts(answer), compare)


def _falls(answer: Answer) -> bool:
    """Whether the first of two numbers is the larger one."""
    first, second = (part.number if isinstance(part, Leaf) else None for part in _parts(answer))
    return bool(first and second and first.value > second.value)


def _same_unbracketed(reference: Answer, answer: Answer, compare: Compare) -> bool | None:
    """A sequence and a list: a list with commas only may be a tuple whose brackets were left out."""
    assert isinstance(reference, Parts)
    assert isinstance(answer, Parts)
    sequence, bare = (reference, answer) if reference.kind == "sequence" else (answer, reference)
    if answer is sequence and sequence.brackets == "[]" and len(sequence.parts) == 2 and not sequence.interval:
        return None if _covered(bare.parts, sequence.parts, compare) else False  # of code, or an interval
    if sequence is reference and _are_named(bare):
        answer = _by_name(bare)
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
