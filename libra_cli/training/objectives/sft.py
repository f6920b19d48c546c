"""Supervised fine-tuning (paper, section 4): the negative log-likelihood of the targets."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from libra_cli.training.objectives.base import Loss, TokenBatch


class SftObjective:
    """The weighted sum of the targets' negative log-probabilities; reports their mean in nats."""

    linear = True

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        loss = -log_probs_N.detach().double().sum()
        return Loss(-(log_probs_N * batch.weight).sum(), {"loss": loss, "targets": len(log_probs_N)})

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"] / sums["targets"]}
