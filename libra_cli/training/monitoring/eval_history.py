"""Evaluation history, saved with each checkpoint so that a resumed run neither repeats nor skips an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]
ACCURACY = "accuracy"
"""The metric that `libra score` measures on a benchmark."""


class EvalHistory:
    """The steps that were evaluated and scored, and the best of them by `metric`.

    `held_out`: digest of the held-out samples; `benchmark`: key of the benchmark. The metric is ACCURACY on the
    benchmark, or a figure of the objective on the held-out samples.
    """

    def __init__(self, metric: str, higher_is_better: bool, held_out: str | None, benchmark: str | None):
        self.metric, self._higher_is_better = metric, higher_is_better
        self._keys = {"held_out": held_out, "benchmark": benchmark}
        self._measured_on = "benchmark" if metric == ACCURACY else "held_out"
        self.best: dict[str, Any] | None = None
        """`step` and value of the metric at the best step so far."""
        self._evaluated = 0
        self._scored: list[int] = []

    def state(self) -> dict[str, Any]:
        """All of it, for the marker of a checkpoint."""
        return {**self._keys, "best": self.best, "evaluated": self._evaluated, "scored": list(self._scored)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continues from a marker; results on other samples are dropped."""
        if not self.best_is_of_other_data(state):
            self.best = state.get("best")
        if state.get("held_out") == self._keys["held_out"]:
            self._evaluated = state.get("evaluated", 0)
        if state.get("benchmark") == self._keys["benchmark"]:
            self._scored = list(state.get("scored", ()))

    def best_is_of_other_data(self, state: Mapping[str, Any]) -> bool:
        """The marker has a best step that another metric chose, or the same one on other data."""
        best, data = state.get("best"), self._measured_on
        return best is not None and (self.metric not in best or state.get(data) != self._keys[data])

    def is_evaluated(self, step: int) -> bool:
        """The held-out samples were evaluated at `step`, the last."""
        return self._evaluated == step

    def is_scored(self, step: int) -> bool:
        """The model of `step` has been scored on the benchmark."""
        return step in self._scored

    def add_evaluation(self, step: int, figures: Figures) -> bool:
        """Records that `step` was evaluated; returns True if it is the best so far."""
        self._evaluated = step
        return self._measured_on == "held_out" and self._is_best(step, figures[self.metric])

    def add_score(self, step: int, figures: Figures) -> bool:
        """Records that the model of `step` was scored; returns True if it is the best so far."""
        self._scored.append(step)
        return self._measured_on == "benchmark" and self._is_best(step, figures[self.metric])

    def _is_best(self, step: int, value: Any) -> bool:
        if value is None or not math.isfinite(value):
            return False
        if self.best is not None:
            before = self.best[self.metric]
            if not (value > before if self._higher_is_better else value < before):
                return False
        self.best = {"step": step, self.metric: value}
        return True
