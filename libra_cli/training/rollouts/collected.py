"""The responses of one rollout, as filters leave them: sampled again and again until there are enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from libra_cli.training.rewards import RewardBatch
from libra_cli.training.rollouts.rollout import GradedResponse

_MOST = 4
"""Prompts to sample in one round, for each of the rollout's: a few that left little say little of the others."""


class CollectedResponses:
    """Up to `prompts` x `samples` responses to learn from; other prompts replace what filters drop."""

    def __init__(self, prompts: int, samples: int):
        self._samples, self._size, self._most = samples, prompts * samples, _MOST * prompts
        self._left = self._sources = 0
        self.responses: list[GradedResponse] = []
        self.advantages: list[float | np.ndarray] = []
        self.learned = np.empty(0, bool)
        """bool [responses]: the loss counts it."""
        self.filtered_prompts = 0
        """Prompts of which no response is learned from, and which others replace."""

    @property
    def prompts(self) -> int:
        """Prompts that the responses answer."""
        return len({each.position for each in self.responses})

    @property
    def wanted(self) -> int:
        """Prompts to sample now: as many as fill the rollout if filters leave as much of each as they did so far.

        At most four times the prompts of the rollout: one of which a single response was left would ask for as many
        prompts as responses are missing.
        """
        missing = self._size - len(self.responses)
        needed = -(-missing * self._sources // self._left) if self._left else -(-missing // self._samples)
        return min(needed, self._most)

    def add(self, responses: Sequence[GradedResponse], rewarded: RewardBatch, is_last: bool) -> np.ndarray:
        """Takes what filters leave of P x G responses, in their order, up to the size of the rollout.

        Returns bool [P * G]: the loss counts it.

        A response that the loss leaves out (`mask_truncated`) is no filter's. `is_last`: nothing more will be sampled,
        and dropped responses, which are not learned from, fill the rest.
        """
        teaching_P = rewarded.keep_P_G.any(axis=1)
        left = (rewarded.passed_P_G & np.expand_dims(teaching_P, 1)).reshape(-1)
        self._left, self._sources = self._left + int(left.sum()), self._sources + int(teaching_P.sum())
        missing = self._size - len(self.responses)
        taken = np.flatnonzero(left)[:missing]
        if is_last:
            taken = np.sort(np.concatenate([taken, np.flatnonzero(~left)[: missing - len(taken)]]))
        else:
            self.filtered_prompts += int((~teaching_P).sum())
        advantages = rewarded.advantages
        self.responses += [responses[i] for i in taken]
        self.advantages += [advantages[i] for i in taken]
        learned = np.isin(np.arange(left.size), taken) & rewarded.keep_P_G.reshape(-1)
        self.learned = np.concatenate([self.learned, learned[taken]])
        return learned
