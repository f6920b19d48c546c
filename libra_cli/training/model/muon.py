"""Muon: orthogonal updates of the matrices inside a model, with which it learns from nothing in fewer steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from libra_cli.training.settings import OptimizerSettings


class MuonAdamW(torch.optim.Optimizer):
    """Muon for the matrices inside the layers; AdamW for embeddings, head and vectors; one rate serves both.

    Muon's updates are scaled to the root mean square of AdamW's ("Muon is Scalable for LLM Training", section 2.2).
    Both parts step on the groups and the state of this optimiser, so that it is saved and loaded as any other.
    """

    def __init__(self, model: nn.Module, outer: set[int], settings: OptimizerSettings):
        """`outer`: the ids of the embeddings' and the head's weights."""
        learned = [p for p in model.parameters() if p.requires_grad]
        inner = [p for p in learned if p.ndim == 2 and id(p) not in outer]
        rest = [p for p in learned if p.ndim != 2 or id(p) in outer]
        decay = settings.weight_decay
        muon = torch.optim.Muon(inner, lr=settings.lr, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        adam = torch.optim.AdamW(
            [{"params": [p for p in rest if p.ndim >= 2], "weight_decay": decay},
             {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0}],
            lr=settings.lr, betas=(settings.beta1, settings.beta2), eps=settings.epsilon, fused=True,
        )  # fmt: skip
        self._parts = (muon, adam)
        super().__init__([*muon.param_groups, *adam.param_groups], {})
        self._share()

    def _share(self) -> None:
        muon, adam = self._parts
        muon.param_groups, adam.param_groups = self.param_groups[:1], self.param_groups[1:]
        muon.state = adam.state = self.state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:  # type: ignore[override]
        """As of any optimiser."""
        super().load_state_dict(dict(state_dict))
        self._share()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update; a closure is not called."""
        for part in self._parts:
            part.step()
