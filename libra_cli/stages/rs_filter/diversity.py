"""Orders samples of one prompt so that the first ones differ as much as possible."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from libra_cli.records.shingles import shingles, words

SHINGLE_WORDS = 5
LANDMARKS = 256
"""First texts with which all others are compared."""
COMPARISONS = 32
"""Later texts with which each of the others is compared at most."""
RARE = 8
"""Rarest runs of a text by which texts like it are found."""


def spread(texts: Sequence[str], n: int, stopped: Callable[[], bool] = lambda: False) -> list[int]:
    """The indices of all texts, with `n` that are far apart before the others.

    Greedy farthest-point selection by the Jaccard distance of runs of five words: starting with the first text, it
    takes the one whose nearest taken text is farthest away, the earlier one in a tie. Time grows in proportion to the
    texts: each is compared with the first LANDMARKS taken ones and, of those behind them, with at most COMPARISONS that
    share one of its rarest runs. It stops once `stopped`.
    """
    shingled, n = ShingledTexts(texts), min(n, len(texts))
    nearness = np.zeros(len(texts))
    taken = [0]
    for landmark in taken:  # which grows
        if len(taken) >= n or len(taken) > LANDMARKS or stopped():
            break
        np.maximum(nearness, shingled.similarities(landmark), out=nearness)
        nearness[taken] = np.inf
        taken.append(int(nearness.argmin()))
    if len(taken) < n and not stopped():
        _take_more(shingled, nearness, taken, n, stopped)
    chosen = set(taken)
    return taken + [index for index in range(len(texts)) if index not in chosen]


def _take_more(
    shingled: ShingledTexts, nearness: np.ndarray, taken: list[int], n: int, stopped: Callable[[], bool]
) -> None:
    """Adds to `taken` up to `n`: `nearness` can only grow, so the least is compared again before it is taken."""
    new = len(taken) - 1  # the last one is no landmark
    by_run: dict[int, list[int]] = defaultdict(list)
    for run in shingled.rarest(taken[-1]):
        by_run[run].append(new)
    compared_until, compared = [new] * len(nearness), [0] * len(nearness)
    left = set(range(len(nearness))).difference(taken)
    heap = [(float(nearness[index]), index) for index in sorted(left)]
    heapq.heapify(heap)
    while len(taken) < n and not stopped():
        near, index = heapq.heappop(heap)
        rarest = shingled.rarest(index)
        alike = {place for run in rarest for place in by_run.get(run, ())[-COMPARISONS:]}
        alike = {place for place in alike if place >= compared_until[index]}
        others = sorted(alike)[: COMPARISONS - compared[index]]
        compared[index] += len(others)
        compared_until[index] = len(taken)
        nearer = max([near, *(shingled.similarity(index, taken[place]) for place in others)])
        if nearer > near:
            heapq.heappush(heap, (nearer, index))
            continue
        for run in rarest:
            by_run[run].append(len(taken))
        taken.append(index)


class ShingledTexts:
    """The distinct runs of words of each text, as numbers from 0."""

    def __init__(self, texts: Sequence[str]):
        runs = [np.array(shingles(words(text), SHINGLE_WORDS), np.uint32) for text in texts]
        self._sizes = np.array([len(one) for one in runs])
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)])
        distinct, self._all = np.unique(np.concatenate(runs), return_inverse=True)
        self._texts_with = np.bincount(self._all)
        """Number of texts that have each run."""
        self._is_wanted = np.zeros(len(distinct), bool)

    def similarities(self, index: int) -> np.ndarray:
        """The Jaccard similarity of one text with each."""
        own = self._of(index)
        self._is_wanted[own] = True
        shared = np.add.reduceat(self._is_wanted[self._all], self._starts[:-1], dtype=np.int64)
        self._is_wanted[own] = False
        return shared / (len(own) + self._sizes - shared)

    def similarity(self, one: int, other: int) -> float:
        """The Jaccard similarity of two texts."""
        own, others = self._of(one), self._of(other)
        shared = len(np.intersect1d(own, others, assume_unique=True))
        return shared / (len(own) + len(others) - shared)

    def rarest(self, index: int) -> list[int]:
        """The RARE runs of a text that fewest others have, but at least one."""
        own = self._of(index)
        counts = self._texts_with[own]
        own, counts = own[counts > 1], counts[counts > 1]
        return own[np.argsort(counts, kind="stable")[:RARE]].tolist()

    def _of(self, index: int) -> np.ndarray:
        return self._all[self._starts[index] : self._starts[index + 1]]
