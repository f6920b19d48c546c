"""Agreement of two annotators, and the confidence interval of a share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from statistics import NormalDist
from typing import Any

Pairs = Mapping[tuple[Any, Any], int]
"""Number of items by (verdict of the first annotator, verdict of the second)."""


def agreement(pairs: Pairs) -> float | None:
    """Share of the items on which both annotators agree; None without items."""
    total = sum(pairs.values())
    return sum(count for (one, other), count in pairs.items() if one == other) / total if total else None


def cohen_kappa(pairs: Pairs) -> float | None:
    """Agreement beyond chance, at most 1: (observed - expected) / (1 - expected).

    By chance each annotator gives each verdict as often as it does, independently of the other (Cohen, Educational and
    Psychological Measurement 20, 1960). None if undefined: without items, and if both always give the same verdict.
    """
    total, observed = sum(pairs.values()), agreement(pairs)
    if observed is None:
        return None
    verdicts = {verdict for pair in pairs for verdict in pair}
    # Integers, so that the products are exact.
    expected = sum(_count(pairs, 0, verdict) * _count(pairs, 1, verdict) for verdict in verdicts)
    return None if expected >= total * total else (observed - expected / total**2) / (1 - expected / total**2)


def _count(pairs: Pairs, annotator: int, verdict: Hashable) -> int:
    """Number of items with this verdict of one annotator (0 or 1)."""
    return sum(count for pair, count in pairs.items() if pair[annotator] == verdict)


def wilson_interval(successes: int, total: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Lower and upper end for the share `successes` / `total`; None if `total` is 0.

    It stays in [0, 1], and has a width even for 0 of n (Wilson, Journal of the American Statistical Association, 1927).
    """
    if not total:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / total, z * z / total
    middle, reach = share + weight / 2, z * ((share * (1 - share) + weight / 4) / total) ** 0.5
    low, high = (middle - reach) / (1 + weight), (middle + reach) / (1 + weight)
    return (0.0 if successes == 0 else low), (1.0 if successes == total else high)
