"""vLLM in the training process that does not get all new weights: the run ends before it learns from what that says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import installed
import pytest
import sft_runs as runs
import thinned
import warm
from grpo_runs import COMMON, write_tasks

from libra_cli.exits import Exit

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), installed.needs("vllm")]

HELPER = Path(runs.HERE, "stale_sampler.py")
SETTINGS = {"bf16": ["--dtype", "bf16"], "fp32": ["--dtype", "fp32", "--lr", "1e-6"]}
"""Defaults of a run on GPUs, whose rounding hides what a step changes, and steps that change next to nothing."""


def ended(folder: Path, kind: str, settings: str, rollouts: int) -> tuple[int, str, list[str]]:
    """The status of a run of at most so many rollouts, its message, and the kinds of its events."""
    tasks = write_tasks(folder / "tasks.jsonl")
    words = [*COMMON, str(tasks), "-o", str(folder / "out"), "--sampler", "vllm", "--warmup", "0", "--epochs", "9"]
    words += ["--max-steps", str(2 * rollouts), "--lr", "1e-6", *SETTINGS[settings]]
    line = warm.python(HELPER, kind, folder / "ended", *words)
    done = subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    status, message = json.loads((folder / "ended").read_text())
    events = map(json.loads, (folder / "out" / "events.jsonl").read_text().splitlines())
    return status, message, [event["event"] for event in events if event["event"] in ("rollout", "step")]


@pytest.mark.parametrize(
    ("kind", "settings", "weight"),
    [
        ("skipped", "fp32", "model.embed_tokens.weight"),
        thinned.slow(("half", "fp32", "model.layers.")),
        thinned.slow(("without one", "fp32", "model.layers.1.mlp.down_proj.weight")),
        thinned.slow(("without the tied head", "fp32", "model.embed_tokens.weight")),
        thinned.slow(("skipped", "bf16", "model.")),
        thinned.slow(("half", "bf16", "model.layers.")),
        thinned.slow(("without one", "bf16", "model.layers.1.mlp.down_proj.weight")),
        thinned.slow(("without the tied head", "bf16", "model.embed_tokens.weight")),
    ],
)
def test_stale_weights_end_the_run_at_their_first_rollout(tmp_path: Path, kind, settings, weight) -> None:
    status, message, events = ended(tmp_path, kind, settings, 3)
    assert status == Exit.BACKEND, message
    assert message.startswith(weight)
    assert "the sampler has another weight than the model in training" in message
    assert events == ["rollout", "step", "step"]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS)
def test_right_weights_never_end_it(tmp_path: Path, settings: str) -> None:
    status, message, events = ended(tmp_path, "complete", settings, 8)
    assert status == 0, message
    assert events == 8 * ["rollout", "step", "step"]
