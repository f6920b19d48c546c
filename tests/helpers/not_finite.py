"""NaN at a step of one's choice, on a rank of one's choice: what a bad sample or a broken device does to a run."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from libra_cli.training.model.policy import PolicyModel
from libra_cli.training.trainer import Trainer

LOSS, GRADIENT = "loss", "gradient"


def patch(kind: str, at_rank: int, at_step: int) -> None:
    """From now on the passes of step `at_step` have NaN on that rank: in a log-probability, or in the gradient only."""
    take_step, forward = Trainer._take_step, PolicyModel.forward
    step = 0

    def noted(self: Trainer) -> None:
        nonlocal step
        step = self.step + 1
        take_step(self)
        step = 0

    def poisoned(self: PolicyModel, *args: Any) -> Any:
        log_probs_N = forward(self, *args)
        rank = dist.get_rank() if dist.is_initialized() else 0
        if step != at_step or rank != at_rank or not log_probs_N.requires_grad:
            return log_probs_N
        if kind == LOSS:
            factor_N = torch.ones_like(log_probs_N)
            factor_N[0] = torch.nan
            return log_probs_N * factor_N
        log_probs_N.register_hook(lambda slope_N: slope_N * torch.nan)
        return log_probs_N

    Trainer._take_step = noted  # type: ignore[method-assign]
    PolicyModel.forward = poisoned  # type: ignore[method-assign]
