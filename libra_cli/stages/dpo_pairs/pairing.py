"""Chooses the pairs of one query: each of a better and a worse response, each response at most once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
"""Numbers of the chosen and of the rejected response."""


@dataclass(frozen=True)
class PairRule:
    """What makes a pair."""

    by_score: bool = False
    """Pair responses by the distance of their scores, instead of correct ones with incorrect ones."""
    margin: float = 0.0
    """The chosen response's score must be above the rejected one's by at least this, and by more than 0."""
    matching: str = "random"
    per_query: int | None = None
    """Pairs of a query, at most."""


def pairs_of(values: Sequence[float], lengths: Sequence[int], rule: PairRule) -> list[Pair]:
    """The pairs of a query, from the values of its responses (in an order drawn from the seed) and their lengths.

    Of correct and incorrect responses min(#correct, #incorrect) pairs are made (paper, section 7).
    """
    if rule.by_score:
        pairs = _by_score(values, rule.margin)
    else:
        better = [n for n, value in enumerate(values) if value == 1]
        worse = [n for n, value in enumerate(values) if value == 0]
        if rule.matching == "length":
            pairs = _closest(better, worse, lengths)
        else:
            pairs = list(zip(better, worse, strict=False))
    return pairs[: rule.per_query]


def _by_score(values: Sequence[float], margin: float) -> list[Pair]:
    """The best with the worst, the second best with the second worst, and so on, the widest distance first."""
    order = sorted(range(len(values)), key=lambda n: -values[n])
    pairs = zip(order[: len(order) // 2], reversed(order[(len(order) + 1) // 2 :]), strict=True)
    return [(a, b) for a, b in pairs if values[a] - values[b] >= margin and values[a] > values[b]]


def _closest(better: Sequence[int], worse: Sequence[int], lengths: Sequence[int]) -> list[Pair]:
    """The pairs whose lengths differ least in sum, those that differ least first.

    With both sides sorted by length no two pairs of a best choice cross, so a table of (scarce side, other side) gives
    it: pair each of the scarce side, in order, with one of the others, in order.
    """
    swapped = len(better) > len(worse)
    few, many = (worse, better) if swapped else (better, worse)
    if not few:
        return []
    few, many = (sorted(side, key=lambda n: (lengths[n], n)) for side in (few, many))
    few_F, many_M = (np.array([lengths[n] for n in side], np.float64) for side in (few, many))
    costs_F_M = np.abs(few_F[:, None] - many_M)
    taken = _least(costs_F_M)
    pairs = [(few[f], many[m]) for f, m in enumerate(taken)]
    pairs = [(many_one, few_one) for few_one, many_one in pairs] if swapped else pairs
    return sorted(pairs, key=lambda pair: abs(lengths[pair[0]] - lengths[pair[1]]))


def _least(costs_F_M: NDArray[np.float64]) -> list[int]:
    """For each row a column, rising with the rows, so that the sum of costs is least."""
    n_few, n_many = costs_F_M.shape
    best_F_M = np.full((n_few + 1, n_many + 1), np.inf)  # of the first f rows and m columns
    best_F_M[0] = 0.0
    for f in range(1, n_few + 1):
        best_F_M[f, 1:] = np.minimum.accumulate(best_F_M[f - 1, :-1] + costs_F_M[f - 1])
    columns, m = [], n_many
    for f in range(n_few, 0, -1):
        while best_F_M[f, m - 1] == best_F_M[f, m]:
            m -= 1
        m -= 1
        columns.append(m)
    return columns[::-1]
