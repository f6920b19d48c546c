"""Where to cut scores: the threshold of the best accuracy, and what choosing it on the same items adds to that."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ThresholdItems(NamedTuple):
    """Items (N) whose scores can be cut."""

    scores: Floats
    """nan where there is none; such an item is right as far as `fixed` says."""
    labels: NDArray[np.bool_]
    groups: Ints
    """The subset of each item, from 0."""
    fixed: NDArray[np.bool_]
    """Whether an item without a score is right, whatever the threshold."""
    counts: NDArray[np.bool_]
    """Whether an item is one of those that accuracy is a share of."""

    def take(self, mask: NDArray[np.bool_]) -> ThresholdItems:
        """The items of `mask`."""
        return ThresholdItems(
            self.scores[mask], self.labels[mask], self.groups[mask], self.fixed[mask], self.counts[mask]
        )


def searched(items: ThresholdItems) -> tuple[float, float] | None:
    """The threshold with the highest plain mean of the groups' accuracies, and that mean; None without scores.

    All cuts are tried: between two neighbouring scores in the middle, and outside them. Of equally good ones the lowest
    counts. A score above the threshold means correct.
    """
    known = ~np.isnan(items.scores)
    if not known.any():
        return None
    values, at = np.unique(items.scores[known], return_inverse=True)
    gains = _gains(items, known, at.reshape(-1), len(values))
    best = int(gains.argmax())
    return float(_cuts(values)[best]), float(gains[best])


def _gains(items: ThresholdItems, known: NDArray[np.bool_], at: Ints, n_values: int) -> Floats:
    """The mean of the groups' accuracies at each cut (V + 1); cut v calls the values from v on correct."""
    labels, groups = items.labels[known], items.groups[known]
    total = np.zeros(n_values + 1)
    present = np.unique(items.groups[items.counts])
    for group in present:
        mine = groups == group
        up = np.bincount(at[mine], weights=np.where(labels[mine], -1.0, 1.0), minlength=n_values)
        right = labels[mine].sum() + items.fixed[(items.groups == group) & ~known].sum()
        total += (right + np.concatenate([[0.0], np.cumsum(up)])) / (items.groups == group)[items.counts].sum()
    return total / len(present)


def _cuts(values: Floats) -> Floats:
    """Thresholds (V + 1): below all sorted `values` (V), between each two, and the highest one."""
    middles = (values[:-1] + values[1:]) / 2
    middles = np.where(middles < values[1:], middles, values[:-1])  # two neighbouring doubles have no middle
    return np.concatenate([[values[0] - 1], middles, values[-1:]])


def folds_of(clusters: Ints, folds: int, seed: int) -> Ints:
    """A fold for each item (N): problems are shuffled and dealt out, and keep their items together."""
    n_clusters = int(clusters.max(initial=-1)) + 1
    dealt = np.random.default_rng(seed).permutation(n_clusters) % max(1, folds)
    return dealt[clusters].astype(np.int64)


def cross_fitted(items: ThresholdItems, folds: Ints) -> tuple[list[float], Floats]:
    """The threshold chosen without each fold, and for each item (N) the one chosen without its own fold.

    nan where the other folds have no scores.
    """
    chosen, of_item = [], np.full(len(items.scores), np.nan)
    for fold in np.unique(folds):
        found = searched(items.take(folds != fold))
        if found is not None:
            chosen.append(found[0])
            of_item[folds == fold] = found[0]
    return chosen, of_item
