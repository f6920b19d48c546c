"""The order in which a run asks its prompts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from libra_cli.stream.shuffle import permutation


@dataclass(frozen=True)
class PromptOrder:
    """Each prompt once per pass, each pass in an order of its own; a rollout may reach into the next pass."""

    prompts: int
    total: int
    """Prompts over all passes."""
    seed: int
    shuffle: bool = True

    def after(self, asked: int, count: int) -> list[tuple[int, int]]:
        """(position, prompt) of the next `count` prompts after the first `asked`; fewer where the last pass ends."""
        found: list[tuple[int, int]] = []
        end = min(asked + count, self.total)
        while asked < end:
            epoch, begin = divmod(asked, self.prompts)
            order = permutation(self.prompts, self.seed, epoch) if self.shuffle else np.arange(self.prompts)
            part = order[begin : begin + end - asked].tolist()
            found += enumerate(part, asked)
            asked += len(part)
        return found
