"""Figures of several responses to each problem: pass@k, majority vote, best of n."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT_SUBSETS = 2000
"""Up to so many subsets of k of n samples all of them vote; of more, so many are drawn."""


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Probability that one of k drawn samples is correct: 1 - C(n - c, k) / C(n, k) (Chen et al., arXiv 2107.03374)."""
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} needs {k} samples, there are {n}")
    return 1 - comb(n - correct, k) / comb(n, k)


def pass_at_k_of(sizes: Ints, correct: Ints, k: int) -> Floats:
    """`pass_at_k` of problems (P) with `sizes` samples, of which `correct` are; nan for those with fewer than k."""
    width = int(sizes.max(initial=0)) + 1
    pairs, pair_of_problem = np.unique(sizes * width + correct, return_inverse=True)
    values = [pass_at_k(pair // width, pair % width, k) if pair // width >= k else np.nan for pair in pairs.tolist()]
    return np.array(values)[pair_of_problem]


def vote(groups: Sequence[int], correct: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Probability that the answer with the most votes is correct; one of those that share the first place is drawn.

    `groups` numbers the answers of the samples (-1: no answer, so no vote); `weights` weigh the votes. If the samples
    of an answer differ in `correct`, each is equally likely to be the response. 0 without a vote.
    """
    groups_N, right_N = np.asarray(groups), np.asarray(correct, dtype=float)
    votes_N = np.ones(len(groups_N)) if weights is None else np.asarray(weights, dtype=float)
    answered = groups_N >= 0
    if not answered.any():
        return 0.0
    total = np.bincount(groups_N[answered], weights=votes_N[answered])
    sizes = np.bincount(groups_N[answered])
    right = np.bincount(groups_N[answered], weights=right_N[answered])
    first = (sizes > 0) & np.isclose(total, total[sizes > 0].max(), rtol=1e-12, atol=0)
    return float((right[first] / sizes[first]).mean())


def majority_at_k(groups: Sequence[int], correct: ArrayLike, k: int, rng: np.random.Generator | None) -> float:
    """Mean of `vote` over the subsets of k of the n samples: over all of them, or EXACT_SUBSETS that `rng` draws."""
    from itertools import combinations

    n = len(groups)
    if not 1 <= k <= n:
        raise ValueError(f"maj@{k} needs {k} samples, there are {n}")
    if comb(n, k) <= EXACT_SUBSETS:
        subsets = np.array(list(combinations(range(n), k)))
    else:
        assert rng is not None, "there are too many subsets to take all"
        subsets = rng.random((EXACT_SUBSETS, n)).argpartition(k - 1, axis=1)[:, :k]

    # `vote` with equal weights on all subsets at once.
    groups_N, correct_N = np.asarray(groups), np.asarray(correct, dtype=float)
    n_groups = int(groups_N.max(initial=-1)) + 1
    if not n_groups:
        return 0.0
    one_hot = np.zeros((n, n_groups))
    answered = np.flatnonzero(groups_N >= 0)
    one_hot[answered, groups_N[answered]] = 1.0
    votes_S_A = one_hot[subsets].sum(axis=1)
    right_S_A = (one_hot * correct_N[:, None])[subsets].sum(axis=1)
    most = votes_S_A.max(axis=1, keepdims=True)
    first = (votes_S_A == most) & (most > 0)
    shares = np.divide(right_S_A, votes_S_A, out=np.zeros_like(right_S_A), where=votes_S_A > 0)
    return float(((shares * first).sum(axis=1) / np.maximum(first.sum(axis=1), 1)).mean())


def best_of(scores: ArrayLike, correct: ArrayLike) -> float:
    """Probability that the best-scored sample is correct; one of those that share the first place is drawn.

    A sample without a score (nan) is chosen only if none has one.
    """
    scores_N = np.where(np.isnan(np.asarray(scores, dtype=float)), -np.inf, np.asarray(scores, dtype=float))
    return float(np.asarray(correct, dtype=float)[scores_N == scores_N.max()].mean())


def best_of_k(scores: ArrayLike, correct: ArrayLike, k: int) -> float:
    """Exact mean of `best_of` over all subsets of k of the n samples.

    From the highest score down: a subset has this best score if it holds samples of it and none of a higher score.
    """
    scores_N, right_N = np.asarray(scores, dtype=float), np.asarray(correct, dtype=float)
    n = len(scores_N)
    if not 1 <= k <= n:
        raise ValueError(f"best of {k} needs {k} samples, there are {n}")
    scores_N = np.where(np.isnan(scores_N), -np.inf, scores_N)
    left, value = n, 0.0
    for score in np.unique(scores_N)[::-1]:
        equal = scores_N == score
        with_this_best = comb(left, k) - comb(left - int(equal.sum()), k)
        value += with_this_best / comb(n, k) * float(right_N[equal].mean())
        left -= int(equal.sum())
    return value
