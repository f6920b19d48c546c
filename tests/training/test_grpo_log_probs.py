"""vLLM in the training processes and the trainer agree at each token: ranks, ZeRO stages, heads and dtypes."""

from __future__ import annotations

import shutil
from pathlib import Path

import installed
import pytest
import sft_runs as runs
import thinned
from grpo_runs import COMMON, events, write_tasks
from policy_models import WEAK, begin_anew, load, untied

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), installed.needs("vllm")]

BOUND = {"fp32": 1e-5, "bf16": 1e-2}
"""Of each token, in nats."""
REWARD = """
import numpy as np

def alternate(facts):
    return np.broadcast_to(np.arange(facts["correct_P_G"].shape[1]) % 2, facts["correct_P_G"].shape).astype(float)

alternate.facts = ("correct",)
"""


def new_model(folder: Path, tied: bool) -> Path:
    """A model as training begins with. Trained miniatures amplify rounding: test_grpo_vllm.py has those."""
    path = folder / "model"
    shutil.copytree(WEAK, path) if tied else untied(path)
    begin_anew(load(str(path)), 1).save_pretrained(path)
    return path


# Of any three of these four, each combination is there.
@pytest.mark.parametrize(
    ("ranks", "zero", "dtype", "head"),
    [
        (1, "3", "fp32", "tied"),
        *map(
            thinned.slow,
            [
                (1, "2", "bf16", "tied"),
                (1, "2", "fp32", "untied"),
                (1, "3", "bf16", "untied"),
                (2, "2", "bf16", "untied"),
                (2, "2", "fp32", "tied"),
                (2, "3", "bf16", "tied"),
                (2, "3", "fp32", "untied"),
            ],
        ),
    ],
)
def test_sampler_and_trainer_agree_at_each_token_before_and_after_updates(tmp_path, ranks, zero, dtype, head) -> None:
    model = new_model(tmp_path, head == "tied")
    (tmp_path / "mine.py").write_text(REWARD)
    (tmp_path / "rewards.yaml").write_text(f"reward: '{tmp_path}/mine.py:alternate'\n")
    words = [*COMMON, str(write_tasks(tmp_path / "tasks.jsonl")), "--model", str(model), "--sampler", "vllm"]
    words += ["--rewards", str(tmp_path / "rewards.yaml"), "--zero", zero, "--dtype", dtype]
    words += ["--warmup", "0", "--lr", "1e-3", "--epochs", "0.8"]
    runs.drive(tmp_path, ranks, {"out": words}, stage="grpo")
    rollouts, steps = events(tmp_path / "out.log", "rollout"), events(tmp_path / "out.log", "step")
    assert len(rollouts) == 3
    assert [rollout["gap_max"] for rollout in rollouts] == pytest.approx([0] * 3, abs=BOUND[dtype])
    assert steps[-1]["kl"] > 1e-4  # the weights have changed
