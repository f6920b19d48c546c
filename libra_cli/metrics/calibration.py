"""Calibration of scores: as ranks and, if they are probabilities, as probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10
CURVE_POINTS = 100


def roc_auc(scores: Floats, labels: Bools) -> float | None:
    """Probability that a positive item scores above a negative one (Mann-Whitney), ties 1/2; None with one class."""
    n_positive, n_negative = int(labels.sum()), int((~labels).sum())
    if not n_positive or not n_negative:
        return None
    _, value, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[value.reshape(-1)[labels]].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def pr_auc(scores: Floats, labels: Bools) -> float | None:
    """Average precision: the sum over thresholds of precision times the gain in recall, without interpolation.

    Items of equal score share a threshold. None without a positive item.
    """
    if not labels.any():
        return None
    values, value = np.unique(-scores, return_inverse=True)
    value = value.reshape(-1)
    positives = np.bincount(value, weights=labels, minlength=len(values))
    precision = np.cumsum(positives) / np.cumsum(np.bincount(value, minlength=len(values)))
    return float((precision * positives).sum() / positives.sum())


def brier(probabilities: Floats, labels: Bools) -> float | None:
    """Mean squared difference of the probabilities (N) and the labels (N); None without items."""
    return float(((probabilities - labels) ** 2).mean()) if len(labels) else None


def reliability(probabilities: Floats, labels: Bools, bins: int = BINS) -> list[dict[str, Any]]:
    """The reliability curve: accuracy and mean score in bins [low, high) of equal width, the last one closed.

    Each bin with items is {low, high, n, mean_score, accuracy}.
    """
    bin_N = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    counts = np.bincount(bin_N, minlength=bins)
    sums = np.bincount(bin_N, weights=probabilities, minlength=bins)
    right = np.bincount(bin_N, weights=labels, minlength=bins)
    return [
        {
            "low": index / bins,
            "high": (index + 1) / bins,
            "n": int(counts[index]),
            "mean_score": float(sums[index] / counts[index]),
            "accuracy": float(right[index] / counts[index]),
        }
        for index in range(bins)
        if counts[index]
    ]


def expected_error(curve: list[dict[str, Any]]) -> float | None:
    """Expected calibration error of a reliability curve: mean |probability - accuracy| over items; None if empty."""
    total = sum(part["n"] for part in curve)
    return sum(part["n"] * abs(part["mean_score"] - part["accuracy"]) for part in curve) / total if total else None


def risk_coverage(confidence: Floats, right: Bools, points: int = CURVE_POINTS) -> list[list[float]]:
    """Points [coverage, risk]: the share of wrong verdicts among the most confident ones (El-Yaniv and Wiener, 2010).

    Verdicts of equal confidence share a point. A long curve is thinned to `points`, evenly, with its last point.
    """
    values, value = np.unique(-confidence, return_inverse=True)
    counts = np.cumsum(np.bincount(value.reshape(-1), minlength=len(values)))
    wrong = np.cumsum(np.bincount(value.reshape(-1), weights=~right, minlength=len(values)))
    if not len(values):
        return []
    kept = np.unique(np.linspace(0, len(values) - 1, min(points, len(values))).round().astype(np.int64))
    return [[float(counts[step] / counts[-1]), float(wrong[step] / counts[step])] for step in kept]
