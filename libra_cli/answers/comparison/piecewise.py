"""Compares a function in pieces with a formula, by their values on both sides of every boundary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from libra_cli.answers.comparison import relation
from libra_cli.answers.text import cases, formula
from libra_cli.answers.values import numeric

MAX_ENDS, MIN_AGREED = 12, 3
_STEPS = (Fraction(0), *(sign * Fraction(size, 7) for size in (1, 44, 2001) for sign in (1, -1)))


_INTEGERS = tuple(map(Fraction, range(1, 9)))
_PARITIES: dict[str, Callable[[Fraction], bool]] = {
    "even": lambda point: point % 2 == 0,
    "odd": lambda point: point % 2 == 1,
}


class _Pieces(NamedTuple):
    """The formulas of a function and where each holds."""

    trees: list[formula.Tree]
    holds: list[Callable[[Fraction], bool]]
    of_integers: bool
    """A condition says even or odd."""
    ends: set[Fraction]
    names: frozenset[str]


def same(reference: str, answer: str) -> bool | None:
    """Whether a function in pieces has the values of another one, or of a formula; None if neither is in pieces."""
    split = cases.rows(reference), cases.rows(answer)
    if not any(split):
        return None
    wanted, given = (
        _pieces(rows or [(text.rpartition("=")[2], cases.OTHERWISE)])
        for rows, text in zip(split, (reference, answer), strict=True)
    )
    if wanted is None or given is None:
        return None
    ends, names = sorted(wanted.ends | given.ends), wanted.names | given.names
    of_integers = wanted.of_integers or given.of_integers
    if len(names) != 1 or not (ends or of_integers) or len(ends) > MAX_ENDS:
        return None
    points = _INTEGERS if of_integers else [end + step for end in ends for step in _STEPS]
    return _agree(wanted, given, next(iter(names)), points)


def _pieces(rows: Sequence[tuple[str, str]]) -> _Pieces | None:
    pieces = _Pieces([], [], False, set(), frozenset())
    for value, text in rows:
        trees = formula.readings(value)[:1]
        name, _, parity = text.partition(" ")
        if parity in _PARITIES:
            pieces.trees.extend(trees)
            pieces.holds.append(_PARITIES[parity])
            if not trees:
                return None
            pieces = pieces._replace(of_integers=True, names=pieces.names | {name} | formula.symbols(trees[0]))
            continue
        condition = None if text == cases.OTHERWISE else relation.where(text)
        if not trees or (condition is None and (text, value) != (cases.OTHERWISE, rows[-1][0])):
            return None
        pieces.trees.append(trees[0])
        pieces.holds.append(condition.holds if condition else lambda _point: True)
        pieces.ends.update(condition.ends if condition else ())
        variable = {condition.variable} if condition and condition.variable else frozenset[str]()
        pieces = pieces._replace(names=pieces.names | formula.symbols(trees[0]) | variable)
    return pieces


def _agree(wanted: _Pieces, given: _Pieces, name: str, points: Sequence[Fraction]) -> bool | None:
    agreed = 0
    for point in points:
        there, here = (_value(pieces, name, point) for pieces in (wanted, given))
        if there is None or here is None:
            if (there is None) != (here is None):
                return None
            continue
        if abs(there - here) > relation.CLOSE * max(1, abs(there)):
            return False
        agreed += 1
    return True if agreed >= MIN_AGREED else None


def _value(pieces: _Pieces, name: str, point: Fraction) -> Any:
    tree = next((tree for tree, holds in zip(pieces.trees, pieces.holds, strict=True) if holds(point)), None)
    return None if tree is None else numeric.value_of(tree, {name: point})
