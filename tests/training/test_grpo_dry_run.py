"""What a plain `libra grpo --dry-run` says of the sampler beside the trainer, and of seconds on GPUs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import warm
from grpo_runs import COMMON, write_tasks
from policy_models import WEAK
from transformers import Qwen2Config, Qwen2ForCausalLM

from libra_cli.training.monitoring.step_time import ASSUMED, H100

PHASES = ("sync", "sample", "log_probs", "train")


def planned(folder: Path, *args: str) -> dict[str, Any]:
    tasks = write_tasks(folder / "tasks.jsonl")
    words = warm.libra("grpo", *COMMON, str(tasks), "-o", str(folder / "out"), "--dry-run", *args)
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def large(folder: Path) -> Path:
    """The configuration of a model of 1.5 billion weights, with the tokenizer of an embedded one and no weights."""
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_bytes((Path(WEAK) / name).read_bytes())
    Qwen2Config(
        hidden_size=1536, intermediate_size=8960, num_hidden_layers=28, num_attention_heads=12, num_key_value_heads=2,
        vocab_size=151_936, tie_word_embeddings=True, architectures=[Qwen2ForCausalLM.__name__],
    ).save_pretrained(folder)  # fmt: skip
    return folder


def test_memory_and_seconds_of_a_large_model(tmp_path: Path) -> None:
    more = [
        "--epochs",
        "1",
        "--prompts",
        "256",
        "-n",
        "8",
        "--batch-size",
        "256",
        "--max-tokens",
        "4096",
        "--max-length",
        "8192",
    ]
    answer = planned(tmp_path, "--model", str(large(tmp_path / "model")), "--nproc", "8", *more)
    on_gpus, parameters = answer["on_gpus"], 1_543_714_304
    assert on_gpus["tensor_parallel_size"] == 1
    assert on_gpus["sampler_gb"] == {"weights": round(2 * parameters / 1e9, 1), "all": 0.4 * 80}
    kv_bytes = 2 * 28 * 2 * 128 * 2
    room = (0.4 * 80e9 - 2 * parameters) / kv_bytes
    assert on_gpus["longest_sequences_at_once"] == pytest.approx(room / (answer["longest_prompt"] + 4096), abs=1)
    assert answer["memory_gb"]["reference"] > 0
    seconds = on_gpus["seconds_of_a_rollout"]
    assert list(seconds) == ["1", "8", "16", "64"]
    for found in seconds.values():
        assert found["rollout"] == pytest.approx(sum(found[phase] for phase in PHASES), rel=1e-2)
    # 18 prompts of 8 responses, half as long as they may be, at the assumed share of the arithmetic of one GPU.
    arithmetic = 6 * parameters * 18 * 8 * 2048 / (ASSUMED.training * H100.flops)
    assert arithmetic < seconds["1"]["train"] < 2 * arithmetic
    assert seconds["8"]["train"] == pytest.approx(seconds["1"]["train"] / 8, rel=0.1)


def test_without_kl_nothing_is_spent_on_a_reference_and_an_argument_of_the_sampler_counts(tmp_path: Path) -> None:
    plain, other = planned(tmp_path), planned(tmp_path, "--kl", "0", "--sampler-arg", "gpu_memory_utilization=0.5")
    assert plain["memory_gb"]["reference"] > 0
    assert "reference" not in other["memory_gb"]
    assert (plain["on_gpus"]["sampler_gb"]["all"], other["on_gpus"]["sampler_gb"]["all"]) == (32.0, 40.0)
    one, two = (answer["on_gpus"]["seconds_of_a_rollout"]["1"] for answer in (plain, other))
    assert one["log_probs"] > 0 == two["log_probs"]
    assert 0 < plain["on_gpus"]["sampler_gb"]["weights"] < 0.01
