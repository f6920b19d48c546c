"""Log-probabilities of whole samples, from any model that gives those of micro-batches, on all ranks."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from libra_cli.training.data.micro_batch import MicroBatch
from libra_cli.training.data.sources import StepBatch
from libra_cli.training.distributed.world import World
from libra_cli.training.trainer import TrainBatches


class LogProbModel(Protocol):
    """A model spread over the ranks."""

    def log_probs(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of this rank's targets (float32 [N]), without gradient."""


def log_probs_of(model: LogProbModel, batch: StepBatch, batches: TrainBatches, world: World) -> dict[int, np.ndarray]:
    """Log-probabilities of the targets of each sample (float32 [targets]), on all ranks; all ranks call it."""
    pieces: list[tuple[int, np.ndarray]] = []
    for micro_batch, _ in batches.micro_batches(batch, world):
        values, owners = model.log_probs(micro_batch).cpu().numpy(), micro_batch.samples
        # Ranks that share a row each hold a stretch of it: the pieces of a sample are in the order of ranks.
        pieces += [(int(sample), values[owners == sample]) for sample in dict.fromkeys(owners.tolist())]
    found: dict[int, list[np.ndarray]] = {index: [] for index in batch.indices}
    for of_rank in world.all_gather(pieces):
        for sample, values in of_rank:
            found[sample].append(values)
    empty = np.empty(0, np.float32)
    return {sample: np.concatenate([empty, *parts]) for sample, parts in found.items()}
