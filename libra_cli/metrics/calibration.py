"""Calibration of scores: as ranks and, if they are probabilities, as probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics.ranking import CHUNK, RankedScores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10
CURVE_POINTS = 100


def roc_auc(ranked: RankedScores, labels: Bools) -> float | None:
    """Probability that a positive item scores above a negative one (Mann-Whitney), ties 1/2; None with one class.

    `labels` (N) belong to all scores, the unknown ones too, which do not count; so they do in `pr_auc`.
    """
    n_items = n_positive = 0
    sum_of_ranks = 0.0
    for counts, positives in ranked.values(labels):
        ranks = n_items + np.cumsum(counts) - (counts - 1) / 2
        sum_of_ranks += float((ranks * positives).sum())
        n_items, n_positive = n_items + int(counts.sum()), n_positive + int(positives.sum())
    n_negative = n_items - n_positive
    if not n_positive or not n_negative:
        return None
    return float((sum_of_ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def pr_auc(ranked: RankedScores, labels: Bools) -> float | None:
    """Average precision: the sum over thresholds of precision times the gain in recall, without interpolation.

    Items of equal score share a threshold. None without a positive item.
    """
    above, positives_above = len(ranked), sum(int(positives.sum()) for _, positives in ranked.values(labels))
    n_positive = positives_above
    if not n_positive:
        return None
    terms = np.empty(len(ranked))  # from its end: the highest threshold first
    first = len(terms)
    for counts, positives in ranked.values(labels):
        precision = (positives_above - np.cumsum(positives) + positives) / (above - np.cumsum(counts) + counts)
        terms[first - len(counts) : first] = (precision * positives)[::-1]
        first -= len(counts)
        above, positives_above = above - int(counts.sum()), positives_above - int(positives.sum())
    return float(terms[first:].sum() / float(n_positive))


def brier(probabilities: Floats, labels: Bools) -> float | None:
    """Mean squared difference of the probabilities (N) and the labels (N); None without items."""
    if not len(labels):
        return None
    squares = probabilities - labels
    squares *= squares
    return float(squares.mean())


def reliability(probabilities: Floats, labels: Bools, bins: int = BINS) -> list[dict[str, Any]]:
    """The reliability curve: accuracy and mean score in bins [low, high) of equal width, the last one closed.

    Each bin with items is {low, high, n, mean_score, accuracy}.
    """
    counts, right, sums = np.zeros(bins, np.int64), np.zeros(bins, np.int64), np.zeros(bins)
    for begin in range(0, len(labels), CHUNK):
        some, positive = probabilities[begin : begin + CHUNK], labels[begin : begin + CHUNK]
        bin_N = np.minimum((some * bins).astype(np.int64), bins - 1)
        counts += np.bincount(bin_N, minlength=bins)
        right += np.bincount(bin_N[positive], minlength=bins)
        np.add.at(sums, bin_N, some)
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
    Overwrites `confidence`, which may be large.
    """
    if not len(right):
        return []
    falling = np.negative(confidence, out=confidence)
    of_wrong = falling[~right]
    falling.sort()
    of_wrong.sort()
    n_values = 1
    for begin in range(0, len(falling), CHUNK):
        some = falling[begin : begin + CHUNK + 1]
        n_values += int((some[1:] != some[:-1]).sum())
    kept = np.unique(np.linspace(0, n_values - 1, min(points, n_values)).round().astype(np.int64))
    curve, n_before = [], 0
    for begin in range(0, len(falling), CHUNK):
        some = falling[begin : begin + CHUNK + 1]
        is_last = some[1:] != some[:-1] if len(some) > CHUNK else np.append(some[1:] != some[:-1], True)
        ends = np.flatnonzero(is_last)
        for end in ends[kept[(kept >= n_before) & (kept < n_before + len(ends))] - n_before].tolist():
            count = begin + end + 1
            wrong = int(np.searchsorted(of_wrong, falling[begin + end], side="right"))
            curve.append([count / len(falling), wrong / count])
        n_before += len(ends)
    return curve
