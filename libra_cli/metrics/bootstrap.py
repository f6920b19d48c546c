"""Cluster bootstrap: intervals for figures of dependent items, such as the samples of one problem.

It draws problems with replacement, each with all of its items (Field and Welsh, Journal of the Royal Statistical
Society B 69, 2007), within strata: a stratum holds the problems of the same groups, because a benchmark fixes the size
of each subset. So no group is ever empty.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Figures = Callable[[Floats], Floats]
"""Computes figures (b, F) from the totals (b, S) of several resamples."""

CHUNK_BYTES = 1 << 26
"""Memory for the weights of the resamples drawn at a time."""
CONFIDENCE = 0.95


def strata_of(counts: Ints) -> Ints:
    """Returns a stratum for each cluster, given its items (C, G) in each group; clusters of the same groups share one.

    Clusters that would be alone in a stratum share another one, because alone they would never vary.
    """
    _, strata_C = np.unique(counts > 0, axis=0, return_inverse=True)
    strata_C = strata_C.reshape(-1)
    alone_C = np.bincount(strata_C)[strata_C] < 2
    strata_C[alone_C] = strata_C.max(initial=0) + 1
    return np.unique(strata_C, return_inverse=True)[1].reshape(-1).astype(np.int64)


def weights(strata: Ints, resamples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draws how often each cluster is in each resample: (B, C), multinomial within the strata (C)."""
    drawn_B_C = np.zeros((resamples, len(strata)), dtype=np.int32)
    for stratum in range(int(strata.max(initial=-1)) + 1):
        members = np.flatnonzero(strata == stratum)
        picks = rng.integers(0, len(members), size=(resamples, len(members)))
        picks += np.arange(resamples)[:, None] * len(members)
        drawn = np.bincount(picks.ravel(), minlength=resamples * len(members)).reshape(resamples, -1)
        drawn_B_C[:, members] = drawn
    return drawn_B_C


def resampled(sums: Floats, strata: Ints, figures: Figures, resamples: int, seed: int) -> Floats:
    """Computes the figures (B, F) of each resample.

    `sums` (C, S) are the totals of each cluster; `figures` computes (b, F) from the totals (b, S) of several resamples.
    The same seed draws the same problems for every judge of the same problems.
    """
    rng = np.random.default_rng(seed)
    chunk = max(1, min(resamples, CHUNK_BYTES // (12 * max(1, len(strata)))))
    chunks = []
    for begin in range(0, resamples, chunk):
        drawn = weights(strata, min(chunk, resamples - begin), rng)
        chunks.append(figures(drawn.astype(np.float64) @ sums))
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
