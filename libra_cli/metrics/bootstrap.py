"""Cluster bootstrap: intervals for figures of dependent items, such as the samples of one problem.

It draws problems with replacement, each with all of its items (Field and Welsh, Journal of the Royal Statistical
Society B 69, 2007), within strata: a stratum holds the problems of the same groups, because a benchmark fixes the size
of each subset. So no group is ever empty.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.signedinteger[Any]]
Figures = Callable[[Floats], Floats]
"""Computes figures (b, F) from the totals (b, S) of several resamples."""

CHUNK_BYTES = 1 << 26
"""Memory for the weights of the resamples drawn at a time."""
BLOCK_BYTES = 1 << 25
"""Memory for the totals of the clusters that are added up at a time."""
MANY = 1 << 18
"""Draws at a time in a stratum of more clusters."""
CONFIDENCE = 0.95


class Addends(NamedTuple):
    """What N items add to the totals of their clusters: each one its weight, or 1, to one of `width` cells."""

    cells: Integers
    weights: NDArray[Any] | None
    width: int


class ItemTotals:
    """Totals (C, S) of C clusters, by the items (N) in `clusters`; the cells of several Addends follow one another."""

    def __init__(self, clusters: Integers, n_clusters: int, *addends: Addends):
        self._clusters, self._addends = clusters, addends
        self.shape = n_clusters, sum(each.width for each in addends)
        self._table: Floats | None = None
        if 8 * n_clusters * self.shape[1] <= BLOCK_BYTES:
            self._table = np.concatenate([self._column(each).reshape(n_clusters, -1) for each in addends], axis=1)

    def _column(self, addends: Addends) -> Floats:
        cells, weights, width = addends
        column = np.zeros(self.shape[0] * width)
        for begin in range(0, len(cells), MANY):
            some = slice(begin, begin + MANY)
            at = self._clusters[some].astype(np.intp) * width + cells[some]
            np.add.at(column, at, np.ones(len(at)) if weights is None else weights[some].astype(np.float64))
        return column

    def whole(self) -> Floats:
        """The totals of all clusters together (S)."""
        return self._added(None) if self._table is None else np.asarray(self._table.sum(axis=0))

    def drawn(self, weights_B_C: NDArray[np.int32]) -> Floats:
        """The totals (B, S) if clusters count as often as `weights_B_C` (B, C) says."""
        if self._table is not None:
            return weights_B_C.astype(np.float64) @ self._table
        return np.stack([self._added(of_cluster) for of_cluster in weights_B_C])

    def _added(self, of_cluster: NDArray[np.int32] | None) -> Floats:
        totals = np.zeros(self.shape[1])
        for begin in range(0, len(self._clusters), MANY):
            some, first = slice(begin, begin + MANY), 0
            times = None if of_cluster is None else of_cluster[self._clusters[some]]
            for cells, weights, width in self._addends:
                each = weights[some] if weights is not None else None
                each = times if each is None else each if times is None else times * each
                totals[first : first + width] += np.bincount(cells[some], weights=each, minlength=width)
                first += width
        return totals


class ClusterTotals(Protocol):
    """Totals (C, S) of clusters, as an array or read from disk in slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of clusters and of their totals."""

    def __getitem__(self, index: slice, /) -> Floats:
        """Totals of some consecutive clusters."""


def strata_of_groups(groups: Integers) -> Integers:
    """A stratum for each cluster (C), which are in one group each; those of the same group share one.

    Clusters that would be alone in a stratum share the last one. They are numbered as by `ClusterGroups.strata`.
    """
    sizes_G = np.bincount(groups)
    several = np.flatnonzero(sizes_G > 1)[::-1]
    strata_G = np.full(len(sizes_G), len(several), np.int32)
    strata_G[several] = np.arange(len(several))
    return strata_G[groups]


def weights(strata: Integers, resamples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draws how often each cluster is in each resample: (B, C), multinomial within the strata (C)."""
    n_strata = int(strata.max(initial=-1)) + 1
    if n_strata == 1:
        return _drawn(len(strata), resamples, rng)
    drawn_B_C = np.zeros((resamples, len(strata)), dtype=np.int32)
    for stratum in range(n_strata):
        members = np.flatnonzero(strata == stratum)
        drawn_B_C[:, members] = _drawn(len(members), resamples, rng)
    return drawn_B_C


def _drawn(n: int, resamples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """How often each of n clusters is drawn in each resample (B, n); many draws in pieces, of the same numbers."""
    if n <= MANY:
        picks = rng.integers(0, n, size=(resamples, n))
        picks += np.arange(resamples)[:, None] * n
        return np.bincount(picks.ravel(), minlength=resamples * n).reshape(resamples, -1).astype(np.int32)
    drawn = np.zeros((resamples, n), dtype=np.int32)
    ones = np.ones(MANY, dtype=np.int32)
    for of_resample in drawn:
        for begin in range(0, n, MANY):
            picks = rng.integers(0, n, size=min(MANY, n - begin))
            np.add.at(of_resample, picks, ones[: len(picks)])
    return drawn


def resampled(
    sums: ClusterTotals | ItemTotals, strata: Integers, figures: Figures, resamples: int, seed: int
) -> Floats:
    """Computes the figures (B, F) of each resample.

    `sums` (C, S) are the totals of each cluster; `figures` computes (b, F) from the totals (b, S) of several resamples.
    The same seed draws the same problems for every judge of the same problems.
    """
    rng = np.random.default_rng(seed)
    if not isinstance(sums, ItemTotals) and 8 * len(strata) * sums.shape[1] <= BLOCK_BYTES:
        sums = sums[:]
    chunk = max(1, min(resamples, CHUNK_BYTES // (12 * max(1, len(strata)))))
    chunks = []
    for begin in range(0, resamples, chunk):
        drawn = weights(strata, min(chunk, resamples - begin), rng)
        chunks.append(figures(sums.drawn(drawn) if isinstance(sums, ItemTotals) else _added_up(sums, drawn)))
    return np.concatenate(chunks) if chunks else np.empty((0, 0))


def _added_up(sums: ClusterTotals, drawn: NDArray[np.int32]) -> Floats:
    """The totals (B, S) of clusters (C, S) that are `drawn` (B, C) so often, some clusters at a time."""
    block = max(1, BLOCK_BYTES // (8 * max(1, sums.shape[1])))
    totals = np.zeros((len(drawn), sums.shape[1]))
    for first in range(0, drawn.shape[1], block):
        some = slice(first, first + block)
        totals += drawn[:, some].astype(np.float64) @ sums[some]
    return totals


def interval(values: Floats, confidence: float = CONFIDENCE) -> list[float] | None:
    """Percentile interval of resampled values (B); None if there are none, or some are undefined."""
    if not len(values) or np.isnan(values).any():
        return None
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return [float(low), float(high)]


def is_point(ends: list[float]) -> bool:
    """Whether an interval has no width: its resamples do not vary, so they say nothing about the error."""
    return isclose(*ends, rel_tol=0, abs_tol=1e-12)


def p_value(differences: Floats) -> float | None:
    """Two-sided p-value: how often the resampled differences (B) are 0 or have the other sign; never quite 0."""
    if not len(differences) or np.isnan(differences).any():
        return None
    below, above = (differences <= 0).sum(), (differences >= 0).sum()
    return float(min(1.0, 2 * (1 + min(below, above)) / (1 + len(differences))))


def described(resamples: int, seed: int, unit: str, n_units: int) -> dict[str, Any] | None:
    """The settings of the bootstrap for a report; None without resamples."""
    if not resamples:
        return None
    return {"resamples": resamples, "seed": seed, "unit": unit, "n_units": n_units}
