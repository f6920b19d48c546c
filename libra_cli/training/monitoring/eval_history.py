"""Evaluation history, saved with each checkpoint so that a resumed run neither repeats nor skips an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class EvalHistory:
    """Values of `metric` on held-out samples (`held_out` is their digest), and scored steps (`benchmark`: its key)."""

    def __init__(self, metric: str, higher_is_better: bool, held_out: str | None, benchmark: str | None):
        self.metric, self._higher_is_better = metric, higher_is_better
        self._keys = {"held_out": held_out, "benchmark": benchmark}
        self.best: dict[str, Any] | None = None
        """`step` and value of the metric at the best step so far."""
        self._evaluated = 0
        self._scored: list[int] = []

    def state(self) -> dict[str, Any]:
        """All of it, for the marker of a checkpoint."""
        return {**self._keys, "best": self.best, "evaluated": self._evaluated, "scored": list(self._scored)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continues from a marker; results on other samples are dropped."""
        if state.get("held_out") == self._keys["held_out"]:
            best = state.get("best")
            self.best = best if best is not None and self.metric in best else None
            self._evaluated = state.get("evaluated", 0)
        if state.get("benchmark") == self._keys["benchmark"]:
            self._scored = list(state.get("scored", ()))

    def best_is_of_other_samples(self, state: Mapping[str, Any]) -> bool:
        """The marker has a best step that other held-out samples, or another metric, chose."""
        best = state.get("best")
        return best is not None and (state.get("held_out") != self._keys["held_out"] or self.metric not in best)

    def is_evaluated(self, step: int) -> bool:
        """The metric at `step`, the last, is known."""
        return self._evaluated == step

    def is_scored(self, step: int) -> bool:
        """The model of `step` has been scored on the benchmark."""
        return step in self._scored

    def add_evaluation(self, step: int, value: float) -> bool:
        """Records the metric at `step`; returns True if it is the best so far."""
        self._evaluated = step
        if not math.isfinite(value):
            return False
        if self.best is not None:
            before = self.best[self.metric]
            if not (value > before if self._higher_is_better else value < before):
                return False
        self.best = {"step": step, self.metric: value}
        return True

    def add_score(self, step: int) -> None:
        """Records that the model of `step` has been scored."""
        self._scored.append(step)
