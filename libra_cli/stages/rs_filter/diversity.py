"""Orders samples of one prompt so that the first ones differ as much as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from libra_cli.records.shingles import shingles, words

SHINGLE_WORDS = 5


def spread(texts: Sequence[str], n: int, stopped: Callable[[], bool] = lambda: False) -> list[int]:
    """The indices of all texts, with `n` that are far apart before the others.

    Greedy farthest-point selection by the Jaccard distance of runs of five words: starting with the first text, it
    takes the one whose nearest taken text is farthest away, the earlier one in a tie. It makes at most `n` comparisons
    a text, and none once `stopped`.
    """
    runs = [np.array(shingles(words(text), SHINGLE_WORDS), np.uint32) for text in texts]
    nearness = np.zeros(len(texts))
    taken = [0]
    while len(taken) < min(n, len(texts)) and not stopped():
        last = runs[taken[-1]]
        for index, other in enumerate(runs):
            shared = len(np.intersect1d(last, other, assume_unique=True))
            nearness[index] = max(nearness[index], shared / (len(last) + len(other) - shared))
        nearness[taken] = np.inf
        taken.append(int(nearness.argmin()))
    chosen = set(taken)
    return taken + [index for index in range(len(texts)) if index not in chosen]
