"""`libra sft --optimizer muon`: torch's Muon inside the layers, AdamW around them, saved and loaded as one."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from libra_cli.exits import Fatal
from libra_cli.training.distributed.deepspeed_engine import build_config
from libra_cli.training.distributed.world import World
from libra_cli.training.model.muon import MuonAdamW
from libra_cli.training.settings import EngineSettings, OptimizerSettings

SETTINGS = OptimizerSettings(optimizer="muon", lr=0.02, weight_decay=0.1, beta1=0.8, beta2=0.9)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.inside = nn.Embedding(5, 6), nn.Linear(6, 3)

    def loss(self, seed: int) -> torch.Tensor:
        drawn = torch.randint(5, (4,), generator=torch.Generator().manual_seed(seed))
        return self.inside(self.table(drawn)).square().sum()


def small() -> Small:
    torch.manual_seed(7)
    return Small()


def muon(model: Small) -> MuonAdamW:
    return MuonAdamW(model, {id(model.table.weight)}, SETTINGS)


def learn(model: Small, *optimizers: torch.optim.Optimizer, seeds: range) -> list[torch.Tensor]:
    for seed in seeds:
        model.zero_grad()
        model.loss(seed).backward()
        for optimizer in optimizers:
            optimizer.step()
    return [p.detach().clone() for p in model.parameters()]


def test_it_is_torchs_muon_inside_and_adamw_around() -> None:
    one, two = small(), small()
    inside = torch.optim.Muon([two.inside.weight], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    table = torch.optim.AdamW([two.table.weight], lr=0.02, weight_decay=0.1, betas=(0.8, 0.9))
    vector = torch.optim.AdamW([two.inside.bias], lr=0.02, weight_decay=0.0, betas=(0.8, 0.9))
    for a, b in zip(learn(one, muon(one), seeds=range(4)),
                    learn(two, inside, table, vector, seeds=range(4)), strict=True):  # fmt: skip
        torch.testing.assert_close(a, b)


def test_what_is_saved_and_loaded_goes_on_alike() -> None:
    model = small()
    before = muon(model)
    learn(model, before, seeds=range(3))
    other, saved = copy.deepcopy(model), copy.deepcopy(before.state_dict())
    after = muon(other)
    after.load_state_dict(saved)
    for group in after.param_groups + before.param_groups:
        group["lr"] = 0.01
    for a, b in zip(learn(model, before, seeds=range(3, 6)), learn(other, after, seeds=range(3, 6)), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(("stage", "dtype"), [(2, torch.float32), (0, torch.bfloat16)])
def test_matrices_in_pieces_are_refused(stage: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    with pytest.raises(Fatal, match=r"--optimizer muon needs whole matrices in float32.*--zero 0 and --dtype fp32"):
        build_config(EngineSettings(zero=stage), SETTINGS, dtype, World())
