"""The user's own DeepSpeed build_config: what is taken, what is filled in, what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from libra_cli.exits import Fatal
from libra_cli.training.distributed import deepspeed_config
from libra_cli.training.distributed.deepspeed_engine import build_config
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import EngineSettings, OptimizerSettings

AUTO = {  # the form that trainers on transformers hand around
    "train_batch_size": "auto",
    "gradient_clipping": "auto",
    "bf16": {"enabled": "auto"},
    "fp16": {"enabled": "auto", "loss_scale": 0},
    "optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "eps": 1e-6, "weight_decay": "auto"}},
    "scheduler": {"type": "WarmupLR", "params": {"warmup_num_steps": "auto"}},
    "zero_optimization": {"stage": 2, "reduce_bucket_size": "auto", "overlap_comm": True},
}


@pytest.fixture
def own(tmp_path: Path) -> Any:
    def write(content: Any) -> str:
        (tmp_path / "own.json").write_text(json.dumps(content))
        return str(tmp_path / "own.json")

    return write


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    return World()


def test_auto_means_ours(own: Any, world: World) -> None:
    optimizer = OptimizerSettings(lr=0.5, beta1=0.8)
    found = build_config(EngineSettings(deepspeed=own(AUTO)), optimizer, torch.bfloat16, world)
    assert found["bf16"] == {"enabled": True, "check_grad_overflow": True}
    assert found["zero_optimization"] == {"stage": 2, "overlap_comm": True}
    assert found["optimizer"]["params"] == {"lr": 0.5, "betas": [0.8, 0.999], "eps": 1e-6, "weight_decay": 0.0}
    assert found["gradient_clipping"] == 1.0
    assert not {"scheduler", "fp16"} & found.keys()


def test_what_is_said_is_kept(own: Any, world: World) -> None:
    given = {
        "bf16": {"immediate_grad_update": True},
        "zero_optimization": {"stage": 3},
        "comms_logger": {"enabled": True},
    }
    found = build_config(EngineSettings(deepspeed=own(given)), OptimizerSettings(), torch.bfloat16, world)
    assert found["bf16"] == {"enabled": True, "check_grad_overflow": True, "immediate_grad_update": True}
    assert found["comms_logger"] == {"enabled": True}
    plain = build_config(
        EngineSettings(deepspeed=own({"bf16": {"enabled": "auto"}})), OptimizerSettings(), torch.float32, world
    )
    assert not plain["bf16"].get("enabled")


def test_other_optimizers_are_not_given_what_they_do_not_know(own: Any) -> None:
    read = deepspeed_config.read(own({"optimizer": {"type": "SGD", "params": {"momentum": 0.9}}}))
    deepspeed_config.fill_optimizer(read, asdict(OptimizerSettings(lr=0.25)))
    assert read["optimizer"]["params"] == {"momentum": 0.9, "lr": 0.25}


@pytest.mark.parametrize(
    ("given", "dtype", "said"),
    [
        ({"gradient_clipping": 0.5}, torch.float32, "gradient_clipping cannot be set here; leave it out, use --clip"),
        ({"scheduler": {"type": "WarmupLR"}}, torch.float32, "scheduler cannot be set here"),
        (
            {"optimizer": {"type": "Adam", "params": {"lr": 0.1}}},
            torch.float32,
            "lr cannot be set here; leave it out, use --lr",
        ),
        ({"fp16": {"enabled": True}}, torch.float32, "fp16 is not supported"),
        ({"bf16": {"enabled": True}}, torch.float32, "bf16 is not what --dtype says"),
        ({"bf16": {"enabled": False}}, torch.bfloat16, "bf16 is not what --dtype says"),
        ({"zero_optimization": {"stage": 0}}, torch.bfloat16, "bf16 needs ZeRO"),
        ([], torch.float32, "write one JSON object"),
    ],
)
def test_what_does_not_go_together_is_refused(
    own: Any, world: World, given: Any, dtype: torch.dtype, said: str
) -> None:
    with pytest.raises(Fatal, match=said):
        build_config(EngineSettings(deepspeed=own(given)), OptimizerSettings(), dtype, world)


def test_an_offload_without_zero_is_refused(world: World) -> None:
    for zero, offload, least in ((0, "optimizer", 1), (2, "all", 3)):
        with pytest.raises(Fatal, match=f"--offload {offload} needs ZeRO {least} at least"):
            build_config(EngineSettings(zero=zero, offload=offload), OptimizerSettings(), torch.float32, world)
