"""Binary verdicts against binary labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELLS = ("tp", "tn", "fp", "fn", "null_correct", "null_incorrect")
"""Last axis of the counts below; the last two are responses without a readable verdict."""

OF_CORRECT, OF_INCORRECT = (0, 3, 4), (1, 2, 5)
"""The cells of correct and of incorrect responses."""


def cells(labels: NDArray[np.bool_], verdicts: NDArray[np.int8]) -> NDArray[np.int8]:
    """The index in CELLS of each item (N), from labels (N) and verdicts (N: 1, 0, or -1 for none)."""
    of_incorrect, of_correct = np.array([[1, 2, 5], [3, 0, 4]], np.int8)  # -1 is the last index
    return np.where(labels, of_correct[verdicts], of_incorrect[verdicts])


def accuracy(counts: Floats) -> Floats:
    """Share (...) of right verdicts in counts (..., 6); a missing verdict is not right."""
    return ratio(counts[..., 0] + counts[..., 1], counts.sum(axis=-1))


def accuracy_correct(counts: Floats) -> Floats:
    """Share (...) of the correct responses that were judged correct, by counts (..., 6)."""
    return ratio(counts[..., 0], counts[..., OF_CORRECT].sum(axis=-1))


def accuracy_incorrect(counts: Floats) -> Floats:
    """Share (...) of the incorrect responses that were judged incorrect, by counts (..., 6)."""
    return ratio(counts[..., 1], counts[..., OF_INCORRECT].sum(axis=-1))


def macro_f1(counts: Floats) -> Floats:
    """Mean (...) of the F1 of the positive and of the negative class, from counts (..., 6) (the paper's Table 3).

    A missing verdict is a third prediction, which costs the recall of its class. The mean is nan if a class has no F1,
    because it neither occurs nor is predicted.
    """
    tp, tn, fp, fn, null_correct, null_incorrect = np.moveaxis(counts, -1, 0)
    positive = ratio(2 * tp, 2 * tp + fp + fn + null_correct)
    negative = ratio(2 * tn, 2 * tn + fn + fp + null_incorrect)
    return np.asarray((positive + negative) / 2)


def ratio(parts: Floats, wholes: Floats) -> Floats:
    """Elementwise parts / wholes; nan for a whole of 0."""
    parts, wholes = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    return np.divide(parts, wholes, out=np.full(wholes.shape, np.nan), where=wholes > 0)
