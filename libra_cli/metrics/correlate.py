"""Correlation of two figures over a few judges, with intervals that show how little it may say."""

from __future__ import annotations

from collections.abc import Callable
from math import atanh, sqrt, tanh
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics.bootstrap import CONFIDENCE, interval, is_point

Floats = NDArray[np.float64]
Coefficient = Callable[[Floats, Floats], Floats]


def pearson(x: Floats, y: Floats) -> Floats:
    """Linear correlation (...) over the last axis of x and y (..., N); nan if one of them does not vary."""
    x, y = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    spread = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    together = (x * y).sum(axis=-1)
    return np.asarray(np.divide(together, spread, out=np.full(np.shape(spread), np.nan), where=spread > 1e-300))


def spearman(x: Floats, y: Floats) -> Floats:
    """Correlation (...) of the ranks over the last axis of x and y (..., N); equal values share their mean rank."""
    return pearson(ranks(x), ranks(y))


def ranks(values: Floats) -> Floats:
    """Ranks (..., N) from 1 along the last axis; equal values share their mean rank."""
    below = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    return np.asarray(below + (equal + 1) / 2, dtype=float)


def fisher_interval(r: float, n: int, of_ranks: bool = False, confidence: float = CONFIDENCE) -> list[float] | None:
    """Interval by Fisher's z, with the error 1 / sqrt(n - 3); for ranks sqrt((1 + r^2 / 2) / (n - 3)).

    The error for ranks is from Bonett and Wright, Psychometrika 65, 2000. None for n < 4, if r is undefined,
    or if it is 1 or -1, where the error vanishes whatever n is.
    """
    if n < 4 or not abs(r) <= 1:
        return None
    if abs(r) > 1 - 1e-12:
        return None
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt((1 + r * r / 2 if of_ranks else 1) / (n - 3))
    return [tanh(atanh(r) - reach), tanh(atanh(r) + reach)]


def bootstrap_interval(x: Floats, y: Floats, of: Coefficient, resamples: int, seed: int) -> list[float] | None:
    """Percentile interval of the coefficient over resampled points (N); None if it is undefined for half of them.

    Resamples in which an axis does not vary leave it undefined and do not count. None, too, if all others agree, as for
    points in perfect order: they say nothing about the error.
    """
    picks = np.random.default_rng(seed).integers(0, len(x), size=(resamples, len(x)))
    values = of(x[picks], y[picks])
    kept = values[~np.isnan(values)]
    ends = interval(kept) if len(kept) * 2 > resamples else None
    return None if ends is None or is_point(ends) else ends
