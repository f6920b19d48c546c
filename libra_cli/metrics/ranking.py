"""Scores in ascending order, a chunk at a time, in little memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHUNK = 1 << 16
"""Items at a time."""


class RankedScores:
    """The scores (N) that are not nan, ranked."""

    def __init__(self, scores: Floats):
        self.scores = scores
        n_known = len(scores) - sum(
            int(np.isnan(scores[begin : begin + CHUNK]).sum()) for begin in range(0, len(scores), CHUNK)
        )
        self.order: NDArray[np.uint32] = np.argsort(scores)[:n_known].astype(np.uint32)  # nan comes last

    def __len__(self) -> int:
        return len(self.order)

    def values(self, labels: Bools) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For each different score, in ascending order and some at a time: the items that have it, and the positives.

        `labels` (N) marks the positive items.
        """
        held = np.zeros(2, np.int64)  # of the last score so far, which may go on in the next chunk
        last: float | None = None
        for begin in range(0, len(self.order), CHUNK):
            index = self.order[begin : begin + CHUNK]
            some, positive = self.scores[index], labels[index]
            begins = np.flatnonzero(np.append(last is None or some[0] != last, some[1:] != some[:-1]))
            sums = np.concatenate([[0], np.cumsum(positive)])
            ends = np.append(begins[1:], len(some))
            before = int(begins[0]) if len(begins) else len(some)
            held += before, sums[before]
            if len(begins):
                counts, positives = ends - begins, sums[ends] - sums[begins]
                if last is not None:
                    counts, positives = np.append(held[0], counts), np.append(held[1], positives)
                held[:] = counts[-1], positives[-1]
                yield counts[:-1], positives[:-1]
            last = float(some[-1])
        if last is not None:
            yield held[:1], held[1:]
