"""Tests of two judges on the same items."""

from __future__ import annotations

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


def detectable_difference(standard_error: float, power: float = 0.8, level: float = 0.05) -> float:
    """The true difference that a two-sided test at `level` detects with `power`: (z_1-level/2 + z_power) x error."""
    normal = NormalDist()
    return (normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)) * standard_error
