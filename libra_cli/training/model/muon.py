"""Muon: orthogonalised updates for the matrices inside a model; trains from scratch in fewer steps than AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from libra_cli.training.settings import OptimizerSettings


class MuonAdamW(torch.optim.Optimizer):
    """Muon for the matrices inside the layers; AdamW for embeddings, head and vectors; one learning rate for both.

    Muon's updates are scaled to the root mean square of AdamW's ("Muon is Scalable for LLM Training", section 2.2).
    Both parts share the groups and the state of this optimizer, so it is saved and loaded like any other.
    """

    def __init__(self, model: nn.Module, embedding_ids: set[int], settings: OptimizerSettings):
        """`embedding_ids`: `id` of each weight of the embeddings and the head."""
        trainable = [p for p in model.parameters() if p.requires_grad]
        inner = [p for p in trainable if p.ndim == 2 and id(p) not in embedding_ids]
        rest = [p for p in trainable if p.ndim != 2 or id(p) in embedding_ids]
        decay = settings.weight_decay
        muon = torch.optim.Muon(inner, lr=settings.lr, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        adam = torch.optim.AdamW(
            [
                {"params": [p for p in rest if p.ndim >= 2], "weight_decay": decay},
                {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
            ],
            lr=settings.lr,
            betas=(settings.beta1, settings.beta2),
            eps=settings.epsilon,
            fused=True,
        )
        self._parts = (muon, adam)
        super().__init__([*muon.param_groups, *adam.param_groups], {})
        self._share()

    def _share(self) -> None:
        muon, adam = self._parts
        muon.param_groups, adam.param_groups = self.param_groups[:1], self.param_groups[1:]
        muon.state = adam.state = self.state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Loads the state of both parts."""
        super().load_state_dict(dict(state_dict))
        self._share()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Takes one step; does not call a closure."""
        for part in self._parts:
            part.step()
