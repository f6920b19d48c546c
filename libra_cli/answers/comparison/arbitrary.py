"""Compares what depends on arbitrary constants: antiderivatives, general solutions, lines and lattices of points.

C_1 e^x + C_2 e^{-x} and A e^{-x} + B e^x are the same family of functions, as are x^2 + C and (x^2 + 1) + C: the
constants are linear, so that two families are equal if their terms span the same space and they differ by a member of
it. A point (2+5t, -1-3t) with one parameter is compared likewise; if that is an integer, its steps must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

from libra_cli.answers.text import formula
from libra_cli.answers.values import normalize, numeric
from libra_cli.answers.values.finding import Finding
from libra_cli.answers.values.structure import Answer, Equation, Leaf, Parts
from libra_cli.lazy_pattern import lazy_pattern

_LETTERS_OF_CONSTANTS = frozenset("a b c d k m p q r A B C D K M lambda alpha beta mu".split())  # noqa: SIM905
_FUNCTION = lazy_pattern(r"[A-Za-z]\((?P<argument>[a-z])\)=(?P<value>.+)", re.DOTALL)
_DECLARATIONS = ("constant", "arbitrary", "real", "\\mathbb{R}", "\\mathbb R", "\u211d", "parameter")
_PARAMETERS = frozenset("t s k n m r u lambda mu alpha".split())  # noqa: SIM905
_INTEGERS = frozenset("knm")
POINTS_MORE, REACH = 4, 4
"""Points beside one for each constant, and how far from 0 they lie."""
CLEAR, NOISE = 1e-6, 1e-10
"""Singular values of unit columns that are certainly not zero, and those that are."""


_CHARS_OF_NAME = 6
_INDEX = lazy_pattern(r"(?<![A-Za-z\\])([Cck])([1-4])(?!\d)")
"""A constant with its index, as people type it: C1."""
_SCALED = lazy_pattern(r"(?:[\d}\u00bd] ?|\d\*)[CK](?![A-Za-z_])[^-+]*$")
"""A number before the only constant of a product, which an arbitrary constant would take up."""


def same_families(reference: str, answer: str) -> bool | None:
    """Whether two formulas with arbitrary constants are the same family; None if one has none, or nobody can say."""
    trees = [formula.readings(_with_letter(text))[:1] for text in (reference, answer)]
    if not all(trees):
        return None
    wanted, given = trees[0][0], trees[1][0]
    constants = _constants_of(wanted)
    variables = formula.symbols(wanted) - set(constants)
    is_scaled = any(map(_SCALED.search, (reference, answer)))
    if is_scaled or not any(name[0].islower() or name[0] == "\\" for name in variables):
        return None  # the capacity in CV^2/2
    others = sorted(formula.symbols(given) - variables)
    are_constants = all(map(_is_constant, others))
    if not constants or not others or not variables or not are_constants:
        return None
    spaces = _spaces(wanted, constants, given, others, sorted(variables))
    return None if spaces is None else _same_spaces(*spaces)


def may_be_same(reference: str, answer: str) -> bool:
    """Whether a formula with other constants, which are not linear, may be the family of the reference."""
    if _SCALED.search(reference):
        return False
    sides = [normalize.normalized(_undeclared(text)).rpartition("=") for text in (reference, answer)]
    trees = [formula.readings(_with_letter(value))[:1] for head, _, value in sides if len(head) <= _CHARS_OF_NAME]
    if len(trees) < 2 or not all(trees):
        return False
    wanted, given = trees[0][0], trees[1][0]
    constants = _constants_of(wanted)
    variables = formula.symbols(wanted) - set(constants)
    others = sorted(formula.symbols(given) - variables)
    are_variables = any(name[0].islower() or name[0] == "\\" for name in variables)  # and no voltage V
    if not constants or not others or not are_variables or not variables <= formula.symbols(given):
        return False
    point = next(iter(numeric.points(sorted(variables))), {})
    return _affine(wanted, constants, point) is not None and _affine(given, others, point) is None


def _constants_of(tree: Any) -> list[str]:
    """The letters of a formula that are arbitrary constants by custom: C, K, C_1 and c_1, or both A and B."""
    names = formula.symbols(tree)
    constants = [name for name in sorted(names) if name in ("C", "K") or name.startswith(("C_", "c_"))]
    return ["A", "B"] if not constants and {"A", "B"} <= names else constants


def same_functions(reference: str, answer: str) -> bool | None:
    """Whether f(x) = cx and f(x) = kx are the same functions; None if their letters are the same, or nobody can say.

    A letter beside the argument of a function is an arbitrary constant if the other answer does not know it.
    """
    found = [_FUNCTION.fullmatch(normalize.normalized(_undeclared(text))) for text in (reference, answer)]
    if found[0] is None or found[1] is None:
        return None
    argument = found[0]["argument"]
    trees = [formula.readings(_with_letter(one["value"]))[:1] for one in found if one]
    if not all(trees):
        return None
    wanted, given = trees[0][0], trees[1][0]
    if found[1]["argument"] != argument:
        given = _renamed(given, found[1]["argument"], argument)
    constants, others = (sorted(formula.symbols(tree) - {argument}) for tree in (wanted, given))
    if constants == others or not constants or len(constants) != len(others):
        return None
    if not all(_is_constant(name) for name in (*constants, *others)):
        return None
    spaces = _spaces(wanted, constants, given, others, [argument])
    return None if spaces is None else _same_spaces(*spaces)


def _undeclared(text: str) -> str:
    """`text` without what it says of its constants: for any real constant a."""
    for mark in (" where ", " for ", " with ", ",", "(where", "(for"):
        at = text.find(mark)
        if at > 0 and any(map(text[at:].__contains__, _DECLARATIONS)):
            return text[:at].rstrip(" ,$")
    return text


def _renamed(tree: Any, name: str, other: str) -> Any:
    if tree[0] == formula.SYMBOL:
        return (formula.SYMBOL, other) if tree[1] == name else tree
    if tree[0] in (formula.NUMBER, formula.CONSTANT):
        return tree
    return (tree[0], *(_renamed(part, name, other) for part in tree[1:]))


def _is_constant(name: str) -> bool:
    """Whether a letter usually stands for a constant, and for no variable."""
    return name.partition("_")[0] in _LETTERS_OF_CONSTANTS


def _with_letter(text: str) -> str:
    """x^2 + const. as x^2 + C, and C1 as C_1."""
    text = _INDEX.sub(r"\1_\2", text)
    word = next(filter(text.rstrip(".").endswith, ("constant", "const")), "")
    return f"{text.rstrip('.').removesuffix(word)}C" if word else text


def _spaces(wanted: Any, constants: Sequence[str], given: Any, others: Sequence[str], names: Sequence[str]) -> Any:
    """Values of the terms of each constant in both families, and of the difference of what has none; None if unsure."""
    import numpy as np

    rows: list[list[float]] = []
    enough = len(constants) + len(others) + POINTS_MORE
    near = chain(numeric.points(names), numeric.points(names, pieces=True))
    for point in near:
        if any(abs(value) > REACH for value in point.values()):
            continue
        parts = [_affine(tree, letters, point) for tree, letters in ((wanted, constants), (given, others))]
        if parts[0] is not None and parts[1] is not None:
            rows.append([*parts[0][1], *parts[1][1], parts[0][0] - parts[1][0]])
        if len(rows) == enough:
            break
    if len(rows) < enough:
        return None
    table = np.array(rows, dtype=float)
    return table[:, : len(constants)], table[:, len(constants) : -1], table[:, -1:]


def _affine(tree: Any, letters: Sequence[str], point: dict[str, Fraction]) -> tuple[float, list[float]] | None:
    """Value at a point without the constants, and the change that each of them makes; None if that is not linear."""

    def value(**constants: int) -> Any:
        return numeric.value_of(tree, {**point, **{letter: Fraction(constants.get(letter, 0)) for letter in letters}})

    origin = value()
    steps = [value(**{letter: 1}) for letter in letters]
    far = value(**{letter: 2 + index for index, letter in enumerate(letters)})
    if origin is None or far is None or None in steps:
        return None
    slopes = [step - origin for step in steps]
    expected = origin + sum((2 + index) * slope for index, slope in enumerate(slopes))
    if abs(far - expected) > NOISE * (abs(far) + abs(origin) + 1):
        return None
    try:
        return float(origin), [float(slope) for slope in slopes]
    except (TypeError, OverflowError):
        return None


def _same_spaces(wanted: Any, given: Any, off: Any) -> bool | None:
    import numpy as np

    ranks = [_rank(table) for table in (wanted, given, np.hstack([wanted, given]), np.hstack([wanted, off]))]
    if None in ranks:
        return None
    return ranks[0] == ranks[1] == ranks[2] == ranks[3]


def _rank(table: Any) -> int | None:
    """Rank of a matrix whose columns are scaled to unit length; None if it is not clear."""
    import numpy as np

    if not np.isfinite(table).all():
        return None
    lengths = np.linalg.norm(table, axis=0)
    kept = table[:, lengths > NOISE * max(1.0, lengths.max(initial=0))]
    if not kept.size:
        return 0
    sizes = np.linalg.svd(kept / np.linalg.norm(kept, axis=0), compute_uv=False)
    if any(NOISE < size / sizes[0] < CLEAR for size in sizes):
        return None
    return int(sum(sizes / sizes[0] >= CLEAR))


def same_points(reference: Answer, answer: Answer, of_integers: bool | None) -> Finding | None:
    """Whether two points with one parameter run through the same points; None if they are no such points.

    `of_integers` says whether the parameter is an integer; None if nobody says.
    """
    line, other = _line(reference), _line(answer)
    if line is None or other is None or len(line[1]) != len(other[1]):
        return None
    (start, step, letter), (other_start, other_step, other_letter) = line, other
    at = next((index for index, size in enumerate(step) if size), None)
    if at is None or not any(other_step):
        return None
    ratio = other_step[at] / step[at]
    shift = (other_start[at] - start[at]) / step[at]
    on_line = all(there == ratio * here for there, here in zip(other_step, step, strict=True)) and all(
        there == here + shift * size for there, here, size in zip(other_start, start, step, strict=True)
    )
    if not on_line or (abs(ratio) == 1 and shift.denominator == 1):
        return Finding(on_line)
    if of_integers is None and not {letter, other_letter} & _INTEGERS:
        return Finding(None, "parameter")
    return Finding(of_integers is False)


def of_integers(reference: str, answer: str) -> bool | None:
    """Whether the parameter of two answers is an integer, if one of them says so."""
    both = reference + answer
    if "Z" in both or "integer" in both:
        return True
    return False if "R" in both or "real" in both else None


def _line(answer: Answer) -> tuple[list[Fraction], list[Fraction], str] | None:
    """Coordinates at 0, what a step of the parameter adds to them, and its name; None for other answers."""
    if not isinstance(answer, Parts) or answer.kind not in ("sequence", "list"):
        return None
    parts = [part.value if isinstance(part, Equation) else part for part in answer.parts]
    texts = [part.text for part in parts if isinstance(part, Leaf)]
    trees = [formula.readings(text)[:1] for text in texts]
    if len(texts) < len(answer.parts) or len(texts) < 2 or not all(trees):
        return None
    names = frozenset().union(*(formula.symbols(tree[0]) for tree in trees))
    if len(names) != 1 or not names <= _PARAMETERS:
        return None
    name = next(iter(names))
    starts, steps = list[Fraction](), list[Fraction]()
    for tree in trees:
        at = [numeric.exact(formula.substituted(tree[0], name, Fraction(place))) for place in (0, 1, 3)]
        if at[0] is None or at[1] is None or at[2] is None or at[2] - at[0] != 3 * (at[1] - at[0]):
            return None
        starts.append(at[0])
        steps.append(at[1] - at[0])
    return starts, steps, name
