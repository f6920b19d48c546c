"""Responses of the policy in memory, with what is known of each token, as the samples that an update learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libra_cli.training.data.sources import Annotations, StepBatch
from libra_cli.training.data.tokenization import Encoded


@dataclass
class Trajectory:
    """One response of the policy after its prompt; further turns may follow, targets are what the policy wrote."""

    encoded: Encoded
    """Token ids of prompt and response, and the mask of the targets."""
    name: str
    """For messages."""
    sampler_logp: np.ndarray | None = None
    """float32 [targets]: log-probabilities that the sampler reported."""
    advantage: float | np.ndarray = 0.0
    """One for all targets, or one for each."""
    old_logp: np.ndarray | None = None
    """float32 [targets]: log-probabilities by the trainer before the updates."""
    ref_logp: np.ndarray | None = None
    """float32 [targets]: log-probabilities under the reference policy."""
    token_weight: np.ndarray | None = None
    """float32 [targets]: factors of the weights of the targets."""

    @classmethod
    def of_response(
        cls, prompt_ids: Sequence[int], response_ids: Sequence[int] | np.ndarray, name: str, **known: Any
    ) -> Trajectory:
        """One whose targets are the tokens of the response."""
        ids = np.concatenate([np.asarray(prompt_ids, np.int32), np.asarray(response_ids, np.int32)])
        return cls(Encoded(ids, np.arange(len(ids)) >= len(prompt_ids)), name, **known)

    @property
    def n_targets(self) -> int:
        """The first token of a sample is never one."""
        return int(self.encoded.loss_mask[1:].sum())


class Trajectories:
    """Trajectories as `Samples`; a mini-batch is a choice of them with a weight for each.

    Raises ValueError for a trajectory with an array that has not one finite value for each target.
    """

    def __init__(self, trajectories: Sequence[Trajectory]):
        self._trajectories = trajectories
        self.lengths = np.array([len(each.encoded.ids) for each in trajectories], dtype=np.int64)
        self.n_targets = np.array([each.n_targets for each in trajectories], dtype=np.int64)
        for each in trajectories:
            for field in ("sampler_logp", "advantage", "old_logp", "ref_logp", "token_weight"):
                value = getattr(each, field)
                if value is None:
                    continue
                shape = np.shape(value)
                if shape != (each.n_targets,) and not (field == "advantage" and shape == ()):
                    raise ValueError(f"{each.name}: {field} has shape {shape}, but there are {each.n_targets} targets")
                if not np.isfinite(value).all():
                    raise ValueError(f"{each.name}: {field} is not finite")

    def __len__(self) -> int:
        return len(self._trajectories)

    def __getitem__(self, index: int) -> Trajectory:
        return self._trajectories[index]

    def sample(self, index: int) -> Encoded:
        return self._trajectories[index].encoded

    def name(self, index: int) -> str:
        return self._trajectories[index].name

    def mini_batch(self, indices: Sequence[int], weights: Sequence[float]) -> StepBatch:
        """What one update learns from: these trajectories, each target with the weight of its trajectory.

        Raises ValueError if an array is known of some of them and not of others.
        """

        def known(field: str) -> dict[int, Any] | None:
            values = {index: getattr(self[index], field) for index in indices}
            missing = [self.name(index) for index, value in values.items() if value is None]
            if len(missing) == len(values):
                return None
            if missing:
                raise ValueError(f"{missing[0]}: no {field}, but others of the mini-batch have it")
            return values

        factors = [self[index].token_weight for index in indices]
        weight = {
            index: each if factor is None else each * factor
            for index, each, factor in zip(indices, weights, factors, strict=True)
        }
        return StepBatch(
            self,
            [(index,) for index in indices],
            Annotations(weight, known("advantage"), known("old_logp"), known("ref_logp"), known("sampler_logp")),
        )
