"""The figures of each problem, on disk: columns whose means are the figures of a report on reasoning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import passk
from libra_cli.stages.score.answers import grouped_answers
from libra_cli.stages.score.problem_samples import SampleChunk, SampleTable
from libra_cli.stream.hash_numbers import DiskLog

Floats = NDArray[np.float64]

CORRECT = "correct"
"""The first measure, that of each problem whatever its samples are: the share of them that is correct."""

_ROWS = 1 << 16
"""Problems whose figures are in memory at a time."""


class FigureTable:
    """Figures of problems (P, F); nan where a problem has too few samples. As an array: their sums and counts (P, 2 F).

    `measures` names the columns: (measure, k).
    """

    def __init__(self, measures: Sequence[tuple[str, int]]):
        self.measures, self._log = list(measures), DiskLog()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of problems, and of sums and counts."""
        return len(self._log) // (8 * len(self.measures)), 2 * len(self.measures)

    def append(self, values: Floats) -> None:
        """Adds the figures (p, F) of the next problems."""
        self._log.append(values.tobytes())

    def _values(self, begin: int, end: int) -> Floats:
        width = 8 * len(self.measures)
        return np.frombuffer(self._log.read(begin * width, (end - begin) * width)).reshape(end - begin, -1)

    def __getitem__(self, index: slice) -> Floats:
        begin, end, _ = index.indices(self.shape[0])
        values = self._values(begin, end)
        known = ~np.isnan(values)
        return np.concatenate([np.where(known, values, 0.0), known], axis=1)

    def column(self, at: int) -> Floats:
        """The figures of one measure (P)."""
        column = np.empty(self.shape[0])
        for begin in range(0, len(column), _ROWS):
            end = min(begin + _ROWS, len(column))
            column[begin:end] = self._values(begin, end)[:, at]
        return column


class ProblemFigures:
    """Works out the figures of all problems: `n` is the largest number of samples, `ks` the values of k.

    A problem counts in no figure of more samples than it has (mean@n and pass@k alike), but always in CORRECT.
    """

    def __init__(self, table: SampleTable, n: int, ks: Sequence[int], has_scores: bool, seed: int):
        self.notes: list[str] = []
        self._seed, self._has_scores = seed, has_scores
        above_1 = [k for k in ks if k > 1]
        measures = [(CORRECT, 1), ("mean@n", n), *(("pass@k", k) for k in ks)]
        if table.has_answers:
            measures += [("maj@k", k) for k in above_1]
            self.notes.append(
                "majority votes: equivalent answers count together, ties are shared; of more than "
                f"{passk.EXACT_SUBSETS} subsets of k samples, so many are drawn (seed {seed})"
            )
            if has_scores and table.lowest_score < 0:
                self.notes.append("no weighted majority: scores below 0 are no weights")
            elif has_scores:
                measures.append(("weighted_majority", n))
        if has_scores:
            measures += [("best_of_n", k) for k in above_1]
        self.table = FigureTable(measures)
        for chunk in table.chunks(table.has_answers):
            self.table.append(self._of_chunk(chunk))

    def _of_chunk(self, chunk: SampleChunk) -> Floats:
        """The figures (p, F) of some problems."""
        sizes = np.diff(chunk.begins)
        right = np.add.reduceat(chunk.right.astype(np.int64), chunk.begins[:-1])
        values = np.full((len(sizes), len(self.table.measures)), np.nan)
        by_problem: list[tuple[int, str, int]] = []
        for at, (measure, k) in enumerate(self.table.measures):
            if measure in (CORRECT, "mean@n"):
                values[:, at] = np.where(sizes >= k, right / sizes, np.nan)
            elif measure == "pass@k":
                values[:, at] = passk.pass_at_k_of(sizes, right, k)
            else:
                by_problem.append((at, measure, k))
        if not by_problem:
            return values
        for problem, (begin, end) in enumerate(pairwise(chunk.begins.tolist())):
            labels, scores = chunk.right[begin:end].tobytes(), chunk.score[begin:end].tobytes()
            votes = tuple(grouped_answers(*chunk.answers(begin, end))) if chunk.texts else ()
            for at, measure, k in by_problem:
                if k > end - begin:
                    continue
                if measure == "maj@k" and comb(end - begin, k) > passk.EXACT_SUBSETS:
                    # The subsets drawn depend on the seed and the problem only.
                    rng = np.random.default_rng([self._seed, chunk.first + problem])
                    values[problem, at] = passk.majority_at_k(votes, chunk.right[begin:end], k, rng)
                else:
                    values[problem, at] = _figure(measure, k, votes, labels, scores)
        return values


@lru_cache(maxsize=1 << 14)
def _figure(measure: str, k: int, votes: tuple[int, ...], labels: bytes, scores: bytes) -> float:
    """A figure of one problem; many problems have the same samples."""
    correct_N, scores_N = np.frombuffer(labels, np.int8), np.frombuffer(scores)
    if measure == "maj@k":
        return passk.majority_at_k(votes, correct_N, k, None)
    if measure == "best_of_n":
        return passk.best_of_k(scores_N, correct_N, k)
    return passk.vote(votes, correct_N, np.nan_to_num(scores_N))  # no score, no weight
