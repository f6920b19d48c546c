"""What the trainer learns from: samples, the units that packing keeps together, and the batch of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from libra_cli.exits import Fatal
from libra_cli.training.data.packing import SampleOrder, Unit


class Samples(Protocol):
    """Encoded samples by index, on disk or in memory."""

    lengths: Any
    """int64 [S]: tokens of each sample."""
    n_targets: Any
    """int64 [S]: tokens of each sample that the loss is taken on."""

    def __len__(self) -> int: ...

    def sample(self, index: int) -> Any:
        """An `Encoded` sample: token ids and loss mask."""

    def name(self, index: int) -> str:
        """A name for messages."""


@dataclass(frozen=True)
class Annotations:
    """What an objective needs to know of samples besides their tokens, as `TokenBatch` names it.

    Each maps the index of a sample to one value for all its targets, or to an array with a value for each of them.
    """

    weight: Mapping[int, float | np.ndarray]
    """Share of each target in the loss of the step."""
    advantage: Mapping[int, float | np.ndarray] | None = None
    old_logp: Mapping[int, np.ndarray] | None = None
    ref_logp: Mapping[int, np.ndarray] | None = None
    sampler_logp: Mapping[int, np.ndarray] | None = None
    label: Mapping[int, float] | None = None
    baseline: Mapping[int, float] | None = None


@dataclass(frozen=True)
class StepBatch:
    """What one update learns from, or one evaluation measures."""

    samples: Samples
    units: Sequence[Unit]
    """Samples of the step; those of one unit always share a micro-batch."""
    annotations: Annotations
    figures: Mapping[str, float] = field(default_factory=dict)
    """What the report of the step says of it besides the loss."""

    @property
    def indices(self) -> list[int]:
        """All samples, unit by unit."""
        return [index for unit in self.units for index in unit]

    @property
    def n_targets(self) -> int:
        """Targets of the whole batch, over all ranks."""
        return int(self.samples.n_targets[self.indices].sum())


class SourceStopped(Exception):
    """A stop was requested while a batch was being made; no batch came of it, on any rank."""


class SourceFailed(Exception):
    """A batch could not be made, for which all ranks have the same cause: `failure`. They may still save."""

    def __init__(self, failure: Fatal):
        super().__init__(str(failure))
        self.failure = failure


class StepSource(Protocol):
    """Yields the batch of each step, the same on all ranks; a resumed run gets the batches that it would have had."""

    batch_size: int
    """Samples of a step."""

    @property
    def steps(self) -> int:
        """Steps of the whole run, unless --max-steps is less; a source may find while it runs that there are fewer."""

    def batch(self, step: int) -> StepBatch:
        """The batch of `step`, from 0. All ranks call it at the same time, so it may generate on all of them.

        Raises SourceStopped or SourceFailed on all of them.
        """

    def epoch(self, step: int) -> float:
        """Passes over the data after `step` steps."""

    def state(self) -> dict[str, Any]:
        """What a resumed run needs besides the step to get the same batches (JSON); empty if nothing."""

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        """Continues after `step` steps with the `state` saved then. Raises Fatal if it cannot."""


def mean_over_targets(samples: Samples, indices: Sequence[int]) -> StepBatch:
    """A batch of single samples whose loss is the mean over all their targets."""
    weight = 1 / int(samples.n_targets[list(indices)].sum())
    return StepBatch(samples, [(index,) for index in indices], Annotations(dict.fromkeys(indices, weight)))


class EpochSource:
    """Samples of a store in the order of epochs; the loss of a step is the mean over its targets."""

    def __init__(self, samples: Samples, order: SampleOrder):
        self._samples, self._order = samples, order
        self.batch_size, self.steps = order.batch_size, order.steps

    def batch(self, step: int) -> StepBatch:
        return mean_over_targets(self._samples, self._order.batch(step))

    def epoch(self, step: int) -> float:
        order = self._order
        return min(step * order.batch_size, order.total) / order.samples

    def state(self) -> dict[str, Any]:
        return {}

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        """Does nothing: the step alone determines the batch."""
