"""Compares a function in pieces with a formula, by their values on both sides of every boundary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from libra_cli.answers import cases, formula, numeric, relation

MAX_ENDS = 12
_STEPS = (Fraction(0), *(sign * Fraction(size, 7) for size in (1, 44, 2001) for sign in (1, -1)))


def same(reference: str, answer: str) -> bool | None:
    """Whether a function in pieces and a formula have equal values; None if they are something else."""
    split = cases.rows(reference), cases.rows(answer)
    if bool(split[0]) == bool(split[1]):
        return None
    pieces, other = (split[0], answer) if split[0] else (split[1], reference)
    trees = formula.readings(other.rpartition("=")[2])[:1]
    values = [formula.readings(value)[:1] for value, _ in pieces]
    conditions = [None if text == cases.OTHERWISE else relation.numbers(text) for _, text in pieces]
    if not trees or not all(values) or None in conditions[:-1]:
        return None
    if conditions[-1] is None and pieces[-1][1] != cases.OTHERWISE:
        return None
    names = formula.symbols(trees[0]).union(*(formula.symbols(value[0]) for value in values))
    names |= {condition.variable for condition in conditions if condition and condition.variable}
    ends = sorted({end for condition in conditions if condition for end in condition.ends})
    if len(names) != 1 or not ends or len(ends) > MAX_ENDS:
        return None
    (name,) = names
    holds = [condition.holds if condition else (lambda _point: True) for condition in conditions]
    return _agree(trees[0], [value[0] for value in values], holds, name, ends)


def _agree(
    tree: formula.Tree,
    values: Sequence[formula.Tree],
    holds: Sequence[Callable[[Fraction], bool]],
    name: str,
    ends: Sequence[Fraction],
) -> bool | None:
    agreed = 0
    for end in ends:
        for step in _STEPS:
            point = end + step
            piece = next((value for value, inside in zip(values, holds, strict=True) if inside(point)), None)
            wanted: Any = None if piece is None else numeric.value_of(piece, {name: point})
            given: Any = numeric.value_of(tree, {name: point})
            if (wanted is None) != (given is None):
                return None if piece is not None else False
            if wanted is not None and abs(wanted - given) > relation.CLOSE * max(1, abs(wanted)):
                return False
            agreed += wanted is not None
    return True if agreed >= 3 else None
