"""Samples of one prompt that differ as much as they can."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from libra_cli.records.shingles import shingles, words

SHINGLE_WORDS = 5


def spread(texts: Sequence[str], n: int, stopped: Callable[[], bool] = lambda: False) -> list[int]:
    """The places of all texts, `n` that are far apart before the others.

    Greedy: the first one is taken, and then again and again the one whose nearest taken one is the farthest, by the
    share of runs of five words that two texts do not share (Jaccard distance); of several the first. At most `n` times
    the number of texts are compared. Once `stopped` no more are.
    """
    runs = [np.array(shingles(words(text), SHINGLE_WORDS), np.uint32) for text in texts]
    nearness = np.zeros(len(texts))
    taken = [0]
    while len(taken) < min(n, len(texts)) and not stopped():
        last = runs[taken[-1]]
        nearness = np.maximum(nearness, [_similarity(last, other) for other in runs])
        nearness[taken] = np.inf
        taken.append(int(nearness.argmin()))
    chosen = set(taken)
    return taken + [place for place in range(len(texts)) if place not in chosen]


def _similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The Jaccard similarity of two sorted sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
