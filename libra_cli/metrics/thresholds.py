"""Thresholds of scores: the one with the best accuracy, on the same items or cross-fitted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics.ranking import CHUNK, RankedScores

Floats = NDArray[np.float64]
Integers = NDArray[np.signedinteger[Any]]


class ThresholdItems(NamedTuple):
    """Items (N) whose scores a threshold turns into verdicts."""

    scores: Floats
    """nan for no score; such an item is right if `fixed` says so."""
    labels: NDArray[np.bool_]
    groups: Integers
    """The subset of each item, from 0."""
    fixed: NDArray[np.bool_]
    """Whether an item without a score is right, whatever the threshold."""
    counts: NDArray[np.bool_]
    """Whether an item counts in the accuracy."""


class ThresholdSearch:
    """Finds the best threshold for all of the items, or for some of them; `ranked` are their scores."""

    def __init__(self, items: ThresholdItems, ranked: RankedScores | None = None):
        self._items, self._ranked = items, ranked or RankedScores(items.scores)
        self._n_groups = int(items.groups.max(initial=-1)) + 1
        # So many rows at a time that a table of them and the groups is small.
        self._chunk = min(CHUNK, max(1 << 10, (1 << 21) // max(1, self._n_groups)))

    def best(self, chosen: NDArray[np.bool_] | None = None) -> tuple[float, float] | None:
        """The threshold with the highest plain mean of the groups' accuracies, and that mean; None without scores.

        Tries a threshold between each two neighbouring scores, and one outside at either end; of equally good
        thresholds the lowest wins. A score above the threshold means correct. `chosen` (N) marks the items to look at.
        """
        right, ns = self._all_correct(chosen)
        present = np.flatnonzero(ns)
        gains = np.zeros(self._n_groups)
        best_accuracy, best_threshold, last = -np.inf, 0.0, None

        def accuracies(right_K_G: Floats) -> Floats:
            """The mean over the groups, added up one after another."""
            return np.add.accumulate((right_K_G[:, present] / ns[present]).T)[-1] / len(present)

        for begin in range(0, len(self._ranked), self._chunk):
            index = self._ranked.order[begin : begin + self._chunk]
            if chosen is not None:
                index = index[chosen[index]]
            if not len(index):
                continue
            scores, groups = self._items.scores[index], self._items.groups[index].astype(np.intp)
            # The thresholds below each item that has another score than the one before it.
            is_new = np.append(last is None or scores[0] != last, scores[1:] != scores[:-1])
            segments = np.cumsum(is_new)  # 0: goes on with the last score of the chunk before
            shape = int(segments[-1]) + 1, self._n_groups
            gain = np.where(self._items.labels[index], -1.0, 1.0)
            gains_K_G = np.bincount(
                segments * self._n_groups + groups, weights=gain, minlength=shape[0] * shape[1]
            ).reshape(shape)
            below_K_G = gains + np.cumsum(gains_K_G, axis=0)
            news = np.flatnonzero(is_new)
            if len(news):
                of_threshold = accuracies(right + below_K_G[:-1])
                at = int(of_threshold.argmax())
                if of_threshold[at] > best_accuracy:
                    high = float(scores[news[at]])
                    low = last if news[at] == 0 else float(scores[news[at] - 1])
                    best_accuracy, best_threshold = float(of_threshold[at]), _between(low, high)
            gains, last = below_K_G[-1], float(scores[-1])
        if last is None:
            return None
        none_correct = float(accuracies((right + gains)[None])[0])
        return (last, none_correct) if none_correct > best_accuracy else (best_threshold, best_accuracy)

    def _all_correct(self, chosen: NDArray[np.bool_] | None) -> tuple[Floats, Floats]:
        """By group (G): how many are right if every item with a score is called correct, and how many count."""
        items, right, ns = self._items, np.zeros(self._n_groups), np.zeros(self._n_groups)
        for begin in range(0, len(items.scores), CHUNK):
            some = slice(begin, begin + CHUNK)
            known = ~np.isnan(items.scores[some])
            is_right, counts = np.where(known, items.labels[some], items.fixed[some]), items.counts[some]
            if chosen is not None:
                is_right, counts = is_right & chosen[some], counts & chosen[some]
            right += np.bincount(items.groups[some], weights=is_right, minlength=self._n_groups)
            ns += np.bincount(items.groups[some], weights=counts, minlength=self._n_groups)
        return right, ns


def _between(low: float | None, high: float) -> float:
    """A threshold between two neighbouring scores, or below the lowest one; two neighbouring doubles have no middle."""
    if low is None:
        return high - 1
    middle = (low + high) / 2
    return middle if middle < high else low


def folds_of(clusters: Integers, folds: int, seed: int) -> Integers:
    """Returns a fold for each item (N); problems are dealt out at random and keep their items together."""
    dealt = np.arange(int(clusters.max(initial=-1)) + 1, dtype=np.int32)
    np.random.default_rng(seed).shuffle(dealt)
    dealt %= max(1, folds)
    return np.asarray(dealt.astype(np.int8 if folds < 128 else np.int32)[clusters])


def cross_fitted(items: ThresholdItems, folds: Integers, ranked: RankedScores | None = None) -> Floats:
    """Returns the threshold for each fold (F), chosen on the other folds; nan if these have no scores."""
    search = ThresholdSearch(items, ranked)
    found = [search.best(folds != fold) for fold in range(int(folds.max(initial=-1)) + 1)]
    return np.array([np.nan if best is None else best[0] for best in found])
