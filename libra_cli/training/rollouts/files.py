"""Which files the rollouts of a run have, and which of them a checkpoint still needs."""

from __future__ import annotations

import re
from pathlib import Path

from libra_cli.training.rollouts.rollout import Rollout
from libra_cli.training.run_dir import ROLLOUTS

_WEIGHTS = "weights-"


class RolloutFiles:
    """The rollouts of the run in `folder`, and the weights that samplers work with ahead of it.

    `updates`: steps that learn from a rollout; `async_steps`: as the option of that name.
    """

    def __init__(self, folder: Path, updates: int, async_steps: int):
        self._run, self._folder = folder, folder / ROLLOUTS
        self._updates, self._async_steps = updates, async_steps

    def rollout(self, number: int) -> Path:
        """Where a rollout is saved."""
        return self._folder / f"{number}.npz"

    def weights(self, step: int) -> Path:
        """Where the weights after `step` steps are saved, by which a rollout is sampled ahead."""
        return self._folder / f"{_WEIGHTS}{step}.safetensors"

    def keep(self, rollout: Rollout) -> None:
        """Writes the rollout, and removes what no checkpoint continues with."""
        rollout.save(self.rollout(rollout.number))
        steps = [
            int(found.group(1))
            for path in (self._run / "checkpoints").glob("step-*")
            if (found := re.fullmatch(r"step-(\d+)", path.name))
        ]
        rollouts = {step // self._updates for step in steps} | {rollout.number, rollout.number - 1}
        weights = {self._began_ahead(step) for step in [*steps, rollout.number * self._updates]}
        needed = {*map(self.rollout, rollouts), *map(self.weights, weights)}
        for path in [*self._folder.glob("*.npz"), *self._folder.glob(f"{_WEIGHTS}*.safetensors")]:
            if path not in needed and path.stem.removeprefix(_WEIGHTS).isdigit():
                path.unlink()

    def _began_ahead(self, step: int) -> int:
        """The steps after which the rollout began that is sampled ahead when `step` steps are done."""
        return max(0, -(-step // self._updates) * self._updates - self._async_steps)
