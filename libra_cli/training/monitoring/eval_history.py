"""Evaluation history, saved with each checkpoint so that a resumed run neither repeats nor skips an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
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
        """`step` and value of the metric at the best step so far; the model before training is none.

        Also `refused` if rows of the benchmark were: how many, and what identifies them.
        """
        self.start: float | None = None
        """Value of the metric before training, if it was measured."""
        self._start_rows: dict[str, Any] = {}
        """`refused`, as in `best`."""
        self._evaluated = -1
        self._scored: list[int] = []

    def state(self) -> dict[str, Any]:
        """All of it, for the marker of a checkpoint."""
        start = {} if self.start is None else {"start": {self.metric: self.start, **self._start_rows}}
        found = {"best": self.best, "evaluated": self._evaluated, "scored": list(self._scored)}
        return {**self._keys, **found, **start}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continues from a marker; results on other samples are dropped."""
        if not self.best_is_of_other_data(state):
            self.best = state.get("best")
        if state.get(self._measured_on) == self._keys[self._measured_on]:
            start = state.get("start", {})
            self.start, self._start_rows = start.get(self.metric), _rows_of(start)
        if state.get("held_out") == self._keys["held_out"]:
            self._evaluated = state.get("evaluated", -1)
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
        return self._measured_on == "held_out" and self._add(step, figures[self.metric])

    def add_score(self, step: int, figures: Figures, refused: str = "") -> bool:
        """Records that the model of `step` was scored; returns True if it is the best so far.

        `refused` identifies the rows that count in no figure, `figures["refused"]` of them. Only steps that were
        measured on the same rows are compared: one with more rows than the best step takes its place, one with other
        rows does not.
        """
        self._scored.append(step)
        if self._measured_on != "benchmark":
            return False
        return self._add(step, figures[self.metric], {"refused": [figures["refused"], refused]} if refused else {})

    def is_comparable(self, figures: Figures, refused: str) -> bool:
        """Whether the best step so far, if there is one, was measured on the same rows as a score to be added."""
        is_asked = self._measured_on == "benchmark" and figures[self.metric] is not None
        return self.best is None or not is_asked or bool(refused == _refused(self.best)[1])

    def describe(self, value: float) -> str:
        """A value of the metric in words, with what it was measured on."""
        return f"{self._words(value)} on the {'benchmark' if self.metric == ACCURACY else 'held-out rows'}"

    @property
    def without_gain(self) -> str | None:
        """That no step was better than the model before training, in words; None if one was, or nobody knows."""
        if self.start is None or self.best is None or self._is_better(self.best[self.metric], self.start):
            return None
        if _rows_of(self.best) != self._start_rows:
            return None
        found = f"{self._words(self.best[self.metric])} at the best step, {self._words(self.start)} before"
        return f"no step is better than the model before training: {found}"

    def _words(self, value: float) -> str:
        return f"{self.metric} {value:.1%}" if self.metric == ACCURACY else f"{self.metric} {value:.4g}"

    def _add(self, step: int, value: Any, rows: Mapping[str, Any] = MappingProxyType({})) -> bool:
        """Takes the metric at a step; returns True if it is the best so far. Step 0 is before training."""
        if value is None or not math.isfinite(value):
            return False
        if not step:
            self.start, self._start_rows = float(value), dict(rows)
            return False
        if self.best is not None:
            if _rows_of(self.best) != rows:
                is_best = _refused(rows)[0] < _refused(self.best)[0]
            else:
                is_best = self._is_better(value, self.best[self.metric])
            if not is_best:
                return False
        self.best = {"step": step, self.metric: value, **rows}
        return True

    def _is_better(self, value: float, before: float) -> bool:
        return value > before if self._higher_is_better else value < before


def _rows_of(measured: Mapping[str, Any]) -> dict[str, Any]:
    """`refused` of a value, if rows were."""
    return {"refused": measured["refused"]} if "refused" in measured else {}


def _refused(measured: Mapping[str, Any]) -> tuple[int, str]:
    """How many rows are in no figure, and what identifies them."""
    n, which = measured.get("refused", (0, ""))
    return n, which
