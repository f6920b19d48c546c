"""Thresholds of scores: the one with the best accuracy, on the same items or cross-fitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ThresholdItems(NamedTuple):
    """Items (N) whose scores a threshold turns into verdicts."""

    scores: Floats
    """nan for no score; such an item is right if `fixed` says so."""
    labels: NDArray[np.bool_]
    groups: Ints
    """The subset of each item, from 0."""
    fixed: NDArray[np.bool_]
    """Whether an item without a score is right, whatever the threshold."""
    counts: NDArray[np.bool_]
    """Whether an item counts in the accuracy."""

    def take(self, mask: NDArray[np.bool_]) -> ThresholdItems:
        """The items of `mask`."""
        return ThresholdItems(
            self.scores[mask], self.labels[mask], self.groups[mask], self.fixed[mask], self.counts[mask]
        )


def searched(items: ThresholdItems) -> tuple[float, float] | None:
    """Returns the threshold with the highest plain mean of the groups' accuracies, and that mean; None without scores.

    Tries a threshold between each two neighbouring scores, and one outside at either end; of equally good thresholds
    the lowest wins. A score above the threshold means correct.
    """
    known = ~np.isnan(items.scores)
    if not known.any():
        return None
    values, value = np.unique(items.scores[known], return_inverse=True)
    value = value.reshape(-1)
    # Below all values, between each two, and at the highest one; two neighbouring doubles have no middle.
    middles = (values[:-1] + values[1:]) / 2
    middles = np.where(middles < values[1:], middles, values[:-1])
    candidates = np.concatenate([[values[0] - 1], middles, values[-1:]])

    # The accuracy of each candidate v, which calls the values from v on correct, summed over the groups.
    labels, groups = items.labels[known], items.groups[known]
    total = np.zeros(len(values) + 1)
    present = np.unique(items.groups[items.counts])
    for group in present:
        in_group = groups == group
        gain = np.bincount(value[in_group], weights=np.where(labels[in_group], -1.0, 1.0), minlength=len(values))
        right = labels[in_group].sum() + items.fixed[(items.groups == group) & ~known].sum()
        total += (right + np.concatenate([[0.0], np.cumsum(gain)])) / (items.groups == group)[items.counts].sum()
    accuracies = total / len(present)
    best = int(accuracies.argmax())
    return float(candidates[best]), float(accuracies[best])


def folds_of(clusters: Ints, folds: int, seed: int) -> Ints:
    """Returns a fold for each item (N); problems are dealt out at random and keep their items together."""
    n_clusters = int(clusters.max(initial=-1)) + 1
    dealt = np.random.default_rng(seed).permutation(n_clusters) % max(1, folds)
    return dealt[clusters].astype(np.int64)


def cross_fitted(items: ThresholdItems, folds: Ints) -> tuple[list[float], Floats]:
    """Returns the threshold chosen without each fold, and for each item (N) the one chosen without its own fold.

    The latter is nan if the other folds have no scores.
    """
    of_folds, of_item = [], np.full(len(items.scores), np.nan)
    for fold in np.unique(folds):
        best = searched(items.take(folds != fold))
        if best is not None:
            of_folds.append(best[0])
            of_item[folds == fold] = best[0]
    return of_folds, of_item
