"""The learning rate as a function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Warm-up from 0 to `peak`, then down to `floor` at the last step (or `peak` throughout: constant)."""

    peak: float
    floor: float
    steps: int
    warmup: float
    """Share of the steps, or, from 1 on, their number."""
    shape: str = "cosine"

    @property
    def warmup_steps(self) -> int:
        return math.ceil(self.warmup * self.steps) if self.warmup < 1 else int(self.warmup)

    def at(self, step: int) -> float:
        """Learning rate of `step`, from 0."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        if self.shape == "constant":
            return self.peak
        done = (step - self.warmup_steps) / max(1, self.steps - 1 - self.warmup_steps)
        left = (1 + math.cos(math.pi * min(done, 1.0))) / 2 if self.shape == "cosine" else 1 - min(done, 1.0)
        return self.floor + (self.peak - self.floor) * left


def how_many(steps: int, epochs: float, most: int | None) -> str:
    """The number of steps of a run, and if there are fewer than `most` (--max-steps), why."""
    text = f"{steps:,} step{'' if steps == 1 else 's'}"
    if most is None or steps >= most:
        return text
    return f"{text} (the data ends after {epochs:g} epoch{'' if epochs == 1 else 's'}; --max-steps is {most:,})"
