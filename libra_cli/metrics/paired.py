"""Tests of two judges on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT = 1000
"""Up to so many discordant items the binomial sum is exact, in integers; for more it uses logarithms."""


def mcnemar(first: Floats, second: Floats) -> dict[str, Any]:
    """McNemar's exact test on the values of two judges for the same items (N).

    `b` counts the items on which the first judge is better, `c` the second; `p` is two-sided, from the binomial
    distribution of b in b + c trials at one half (McNemar, Psychometrika 12, 1947).
    """
    b, c = int((first > second).sum()), int((first < second).sum())
    return {"b": b, "c": c, "p": sign_test(b, c)}


def sign_test(b: int, c: int) -> float:
    """Two-sided exact binomial test of b in b + c against one half; 1 if both are 0."""
    n, few = b + c, min(b, c)
    if n <= EXACT:
        return min(1.0, 2 * sum(comb(n, k) for k in range(few + 1)) / 2**n)
    from math import exp, lgamma, log

    terms = (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2) for k in range(few + 1))
    return min(1.0, 2 * sum(map(exp, terms)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests (N), each adjusted for all of them (Holm, Scand. J. Statist. 6, 1979)."""
    order, least = sorted(range(len(p_values)), key=p_values.__getitem__), 0.0
    adjusted = [0.0] * len(p_values)
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = least
    return adjusted


def detectable_difference(standard_error: float, power: float = 0.8, level: float = 0.05) -> float:
    """The true difference that a two-sided test at `level` detects with `power`: (z_1-level/2 + z_power) x error."""
    normal = NormalDist()
    return (normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)) * standard_error
