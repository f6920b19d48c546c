"""Log-probabilities of whole samples by the model in training before an update, or by its reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch

from libra_cli.training.data.micro_batch import MicroBatch
from libra_cli.training.data.sources import StepBatch
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World
from libra_cli.training.trainer import TrainBatches


class LogProbModel(Protocol):
    """A model that is spread over the ranks as the one in training is."""

    def log_probs(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of this rank's targets (float32 [N]), without gradient."""


def measured_log_probs(
    engine: TrainEngine,
    batches: TrainBatches,
    batch: StepBatch,
    world: World,
    model: LogProbModel | None = None,
    stop_if_asked: Callable[[], None] = lambda: None,
) -> dict[int, np.ndarray]:
    """Log-probabilities of the targets of each sample of `batch`: index -> float32 [targets]. A collective.

    `model` measures instead of the one in training, as a reference does. All ranks call `stop_if_asked` together.

    In evaluation mode; all ranks get all samples, since an update splits its mini-batch over them in another way.
    """
    pieces: dict[int, list[np.ndarray]] = {index: [] for index in batch.indices}
    engine.train(False)
    measured: list[tuple[np.ndarray, torch.Tensor]] = []
    try:
        for micro_batch, _ in batches.micro_batches(batch, world):
            stop_if_asked()
            measured.append((micro_batch.samples, (model or engine).log_probs(micro_batch)))
    finally:
        engine.train()
    own = []
    for samples, log_probs_N in measured:
        starts = np.flatnonzero(np.diff(samples, prepend=-1))
        own.append((samples[starts], starts[1:], log_probs_N.float().cpu().numpy()))
    for rank in world.all_gather(own):  # ranks that share a row hold its stretches in their order
        for indices, ends, values_N in rank:
            for index, values in zip(indices, np.split(values_N, ends), strict=False):
                pieces[int(index)].append(values)
    return {index: np.concatenate([np.empty(0, np.float32), *parts]) for index, parts in pieces.items()}
