"""What was seen of a run beside its steps: kept with its checkpoints, so that nothing is done twice or left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class Looks:
    """Losses on the samples `held_out` (their digest) and scores on `benchmark` (what tells it from others)."""

    def __init__(self, held_out: str | None, benchmark: str | None):
        self._on = {"held_out": held_out, "benchmark": benchmark}
        self.best: dict[str, Any] | None = None
        """`step` and `loss` of the lowest loss so far."""
        self._evaluated = 0
        self._scored: list[int] = []

    @property
    def known(self) -> dict[str, Any]:
        """All of it, for a checkpoint's marker."""
        return {**self._on, "best": self.best, "evaluated": self._evaluated, "scored": list(self._scored)}

    def take(self, known: Mapping[str, Any]) -> None:
        """Goes on from a marker; what was seen of other samples counts for nothing."""
        if known.get("held_out") == self._on["held_out"]:
            self.best, self._evaluated = known.get("best"), known.get("evaluated", 0)
        if known.get("benchmark") == self._on["benchmark"]:
            self._scored = list(known.get("scored", ()))

    def compared_elsewhere(self, known: Mapping[str, Any]) -> bool:
        """Whether a marker knows a best step, by other samples."""
        return known.get("best") is not None and known.get("held_out") != self._on["held_out"]

    def evaluated(self, step: int) -> bool:
        """Whether the loss at `step`, the last, is known."""
        return self._evaluated == step

    def scored(self, step: int) -> bool:
        """Whether the model of `step` was scored."""
        return step in self._scored

    def note_loss(self, step: int, loss: float) -> bool:
        """Takes the loss at `step`; whether it is the lowest so far."""
        self._evaluated = step
        if not math.isfinite(loss) or (self.best is not None and loss >= self.best["loss"]):
            return False
        self.best = {"step": step, "loss": loss}
        return True

    def note_score(self, step: int) -> None:
        """The model of `step` was scored."""
        self._scored.append(step)
