"""What an objective is given and what it returns; the trainer core knows objectives by this protocol only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

from torch import Tensor


@dataclass(frozen=True)
class TokenBatch:
    """The N target tokens of one micro-batch, sample after sample; every tensor is [N].

    Weights come from counts over the whole step, so neither ranks nor micro-batches change the loss. A unit of packing
    (a pair, a group) is whole in one micro-batch, and its samples are neighbours in the order of the unit.
    """

    sample: Tensor
    """int64: the sample of each target, numbered from 0 within the micro-batch."""
    n_samples: int
    weight: Tensor
    """float32: the share of a target in the step's loss."""
    advantage: Tensor | None = None
    old_logp: Tensor | None = None
    """Log-probabilities under the policy before the update, by the trainer's own forward pass."""
    ref_logp: Tensor | None = None
    """Log-probabilities under the reference policy."""
    sampler_logp: Tensor | None = None
    """Log-probabilities that the sampler reported as it generated the samples."""
    label: Tensor | None = None
    """What is known of the whole sample: 1 if it is desirable and 0 if not, or how likely its pair is the right way
    around."""
    baseline: Tensor | None = None
    """What is subtracted from the reward of the whole sample."""

    def slice(self, part: slice) -> TokenBatch:
        """The same for a range of the targets."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{name: value[part] for name, value in values.items() if isinstance(value, Tensor)})


class Loss(NamedTuple):
    """The loss of a micro-batch."""

    total: Tensor
    """Scalar to minimise; the step's loss is the sum over its micro-batches."""
    sums: Mapping[str, Tensor | float]
    """Figures that add up over micro-batches and ranks."""
    maxima: Mapping[str, Tensor | float] = MappingProxyType({})
    """Figures of which a step keeps the largest, by names that `sums` has not; -inf where a micro-batch has none."""


class Objective(Protocol):
    """A loss as a function of log-probabilities, or of a reward model's scores at the targets.

    Must accept a micro-batch without targets (N = 0).
    """

    linear: bool
    """d total / d log_probs does not depend on log_probs: the head computes gradients in the forward pass."""

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        """The loss of targets with these log-probabilities (nats, float32)."""

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        """What a step reports, from the sums (and maxima) over all its micro-batches and ranks."""
