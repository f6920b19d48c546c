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
    """The number of steps of a run; why, if there is one, or if there are fewer than `most` (--max-steps)."""
    text, passes = n_steps(steps), f"{epochs:g} epoch{'' if epochs == 1 else 's'}"
    if most is not None and steps < most:
        return f"{text} (the data ends after {passes}; --max-steps is {most:,})"
    if steps == 1 and most is None:
        fit = "fits" if epochs == 1 else "fit"
        return f"{text} ({passes} of the data {fit} into one batch; a smaller --batch-size makes more steps)"
    return text


def n_steps(steps: int) -> str:
    """A number of steps in words."""
    return f"{steps:,} step{'' if steps == 1 else 's'}"
