"""Cluster bootstrap: intervals for figures of dependent items, such as the samples of one problem.

It draws problems with replacement, each with all of its items (Field and Welsh, Journal of the Royal Statistical
Society B 69, 2007), within strata: a stratum holds the problems of the same groups, because a benchmark fixes the size
of each subset. So no group is ever empty.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
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


class ClusterTotals(Protocol):
    """Totals (C, S) of clusters, as an array or read from disk in slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of clusters and of their totals."""

    def __getitem__(self, index: slice, /) -> Floats:
        """Totals of some consecutive clusters."""


def strata_of(counts: Ints) -> Ints:
    """Returns a stratum for each cluster, given its items (C, G) in each group; clusters of the same groups share one.

    Clusters that would be alone in a stratum share another one, because alone they would never vary.
    """
    _, strata_C = np.unique(counts > 0, axis=0, return_inverse=True)
    strata_C = strata_C.reshape(-1)
    alone_C = np.bincount(strata_C)[strata_C] < 2
    strata_C[alone_C] = strata_C.max(initial=0) + 1
    return np.unique(strata_C, return_inverse=True)[1].reshape(-1).astype(np.int64)


def strata_of_groups(groups: Integers) -> Integers:
    """`strata_of` for clusters (C) that are in one group each, in less memory."""
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


def resampled(sums: ClusterTotals, strata: Integers, figures: Figures, resamples: int, seed: int) -> Floats:
    """Computes the figures (B, F) of each resample.

    `sums` (C, S) are the totals of each cluster; `figures` computes (b, F) from the totals (b, S) of several resamples.
    The same seed draws the same problems for every judge of the same problems.
    """
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK_BYTES // (8 * max(1, sums.shape[1])))
    if len(strata) <= block:
        sums = sums[:]
    chunk = max(1, min(resamples, CHUNK_BYTES // (12 * max(1, len(strata)))))
    chunks = []
    for begin in range(0, resamples, chunk):
        drawn = weights(strata, min(chunk, resamples - begin), rng)
        totals = np.zeros((len(drawn), sums.shape[1]))
        for first in range(0, len(strata), block):
            some = slice(first, first + block)
            totals += drawn[:, some].astype(np.float64) @ sums[some]
        chunks.append(figures(totals))
    return np.concatenate(chunks) if chunks else np.empty((0, 0))


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
