"""Predictions from a run's own times: what its events say, and what follows for other devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.grpo.predicted import calibrated
from libra_cli.training.model import policy
from libra_cli.training.monitoring.calibration import measured_rollouts
from libra_cli.training.settings import (
    BatchSettings,
    DataSettings,
    EngineSettings,
    GrpoRunSettings,
    ModelSettings,
    OptimizerSettings,
    RolloutSettings,
    SaveSettings,
    WatchSettings,
)

MODEL = ModelSettings("libra-mini/weak")
SETTINGS = GrpoRunSettings(
    MODEL, DataSettings(), BatchSettings(batch_size=8, max_length=512), OptimizerSettings(), EngineSettings(),
    SaveSettings("out"), WatchSettings(), rollout=RolloutSettings(prompts=4, samples=4, max_tokens=64),
)  # fmt: skip
CONFIG = {"model": "libra-mini/weak", "revision": None, "samples": 4, "kl": 1e-3, "old_log_probs": "sampler",
          "lora_rank": None}  # fmt: skip
GPU = {"devices": 8, "device": "NVIDIA A100-SXM4-80GB", "device_gb": 85.0, "sampler": "vllm", "engines": 4}
CPU = {"devices": 1, "device": "CPU", "device_gb": 8.0, "sampler": "transformers", "engines": 1}


def write_run(folder: Path, place: dict[str, Any], rollouts: int = 3, **more: Any) -> str:
    """A run of two steps to a rollout; the first rollout is slow, as an engine starts."""
    lines: list[dict[str, Any]] = []
    for number in range(rollouts):
        sample = 50.0 if number == 0 else 4.0
        phases = {"seconds_sync": 0.5, "seconds_sample": sample, "seconds_grade": 0.25, "seconds_log_probs": 1.0}
        lines.append({"event": "rollout", "step": 2 * number, "rollout": number, "tokens": 480, "length_mean": 30.0,
                      "length_max": 60, **place, **phases, **more})  # fmt: skip
        for step, seconds in ((1, sum(phases.values()) + 3.0), (2, 3.5)):
            lines.append({"event": "step", "step": 2 * number + step, "samples": 8, "learned": 240, "tokens": 320,
                          "seconds": seconds})  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "libra.json").write_text(json.dumps({"stage": "grpo", "config": CONFIG}))
    return str(folder)


def found(run: str) -> dict[str, Any]:
    return calibrated(SETTINGS, policy.load_config(MODEL), 10.0, run)


def test_events_say_what_a_rollout_took_without_the_first(tmp_path: Path) -> None:
    rollouts = measured_rollouts(write_run(tmp_path, GPU))
    assert len(rollouts) == 2
    first = rollouts[0]
    assert first.seconds == {"sync": 0.5, "sample": 4.0, "log_probs": 1.0, "train": pytest.approx(6.5)}
    assert (first.responses, first.learned_responses, first.updates) == (16, 16, 2)
    assert (first.learned_tokens, first.prompt_tokens) == (30.0, 10.0)
    assert first.accelerator.flops == 312e12
    assert first.accelerator.memory == 85e9
    assert len(measured_rollouts(write_run(tmp_path, GPU, rollouts=1))) == 1


@pytest.mark.parametrize("place", [GPU, CPU])
def test_the_same_rollout_on_the_same_devices_is_predicted_as_it_was(tmp_path: Path, place: dict[str, Any]) -> None:
    answer = found(write_run(tmp_path, place))
    same = answer["seconds_of_a_rollout"][str(place["devices"])]
    assert same["sample"] == pytest.approx(4.0, rel=0.01)
    assert same["log_probs"] == pytest.approx(1.0, rel=0.01)
    assert same["train"] == pytest.approx(6.5, rel=0.02)  # the tail of lengths is assumed for the plan alone
    assert same["sync"] == pytest.approx(0.5 if place is GPU else 0.0)
    assert answer["calibrated"]["rollouts"] == 2
    assert answer["calibrated"]["device"] == place["device"]
    assert answer["calibrated"]["mean_tokens"] == 30
    assert set(answer["calibrated"]["measured_over_predicted"]) >= {"sample", "log_probs", "train"}


@pytest.mark.parametrize(
    ("place", "more", "why"),
    [
        ({"devices": 8}, {}, "its rollouts do not say device, device_gb, sampler, engines; take a run of this version"),
        (GPU, {"seconds_ahead": 3.0}, "no rollout and its steps can be timed; take one that samples in the training"),
        ({**GPU, "sampler": "vLLM servers"}, {}, "servers sampled, and their seconds are not predicted"),
    ],
)
def test_a_run_that_says_too_little_is_refused(tmp_path: Path, place: Any, more: Any, why: str) -> None:
    with pytest.raises(Fatal, match=why) as refused:
        found(write_run(tmp_path, place, **more))
    assert refused.value.status == Exit.USAGE


def test_a_folder_that_is_no_run_of_grpo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="is not the folder of a training run"):
        found(str(tmp_path))
    run = write_run(tmp_path / "run", GPU)
    (tmp_path / "run" / "libra.json").write_text('{"stage": "sft", "config": {}}')
    with pytest.raises(Fatal, match=r"libra\.json is not that of libra grpo; name the -o of a run of libra grpo"):
        found(run)
