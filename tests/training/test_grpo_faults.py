"""What happens to `libra grpo` when a rank is killed, the disk is full, or rewards are missing: each as documented."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
import sft_runs as runs
import thinned
import warm
from grpo_runs import COMMON, SAMPLES, events, rows, write_tasks

from libra_cli.exits import Exit


def command(folder: Path, *args: str) -> list[str]:
    tasks = folder / "tasks.jsonl"
    if not tasks.exists():
        write_tasks(tasks)
    return warm.libra("grpo", *COMMON, str(tasks), "-o", str(folder / "out"), *args)


def ended(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=250)
    with open(folder / "log", "a") as log:
        log.write(done.stdout)
    return done


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["3"])
def test_a_rank_that_is_killed_ends_the_run_which_goes_on(tmp_path: Path, stage: str) -> None:
    _, *words = command(tmp_path, "--nproc", "2", "--zero", stage, "--save-every", "1")
    words = [sys.executable, "-m", "libra_cli", *words]  # whose children are the ranks
    process = subprocess.Popen(
        words, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    with open(tmp_path / "log", "a") as log:
        for line in process.stdout:
            log.write(line)
            if json.loads(line)["event"] == "checkpoint":
                break
    ranks = [each for each in psutil.Process(process.pid).children() if each.environ().get("RANK")]
    victim = next(each for each in ranks if each.environ()["RANK"] == "1")
    victim.kill()
    _, errors = process.communicate(timeout=120)  # not the half hour after which a collective gives up
    assert process.returncode == 137
    assert "rank 1" in errors
    assert "SIGKILL" in errors
    assert [each.pid for each in ranks if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    done = ended(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    assert [step["step"] for step in events(tmp_path / "log", "step")] == [1, 2, 3, 4, 5, 6]
    assert events(tmp_path / "out" / "events.jsonl", "step") == events(tmp_path / "log", "step")


@pytest.mark.parametrize(("kilobytes", "file"), [(64, "out/checkpoints"), (8, "out/rollouts/rollout-0.jsonl")])
def test_a_full_disk_names_the_file_and_the_run_goes_on(tmp_path: Path, kilobytes: int, file: str) -> None:
    """A limit on the size of files stands in for the disk: rollouts fit and a checkpoint does not, or neither does."""
    words = command(tmp_path, "--save-every", "1", "--save-rollouts")
    limited = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "limited", *words]
    done = ended(limited, tmp_path)
    assert done.returncode == 74, done.stderr
    assert file in done.stderr
    assert "cannot be written" in done.stderr
    done = ended(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [step["step"] for step in events(tmp_path / "log", "step")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("kind", "ranks", "rank", "step", "zero"),
    [
        ("loss", 1, 0, 4, 0),
        thinned.slow(("loss", 2, 1, 4, 2)),
        thinned.slow(("gradient", 1, 0, 3, 0)),
        thinned.slow(("gradient", 1, 0, 4, 2)),
        thinned.slow(("gradient", 2, 1, 4, 2)),
        thinned.slow(("gradient", 2, 1, 5, 3)),
        thinned.slow(("loss", 2, 1, 3, 3)),
    ],
)
def test_nan_at_a_step_saves_the_weights_before_it(tmp_path: Path, kind, ranks, rank, step, zero) -> None:
    write_tasks(tmp_path / "tasks.jsonl")
    words = [*COMMON, str(tmp_path / "tasks.jsonl"), "--zero", str(zero)]
    runs.drive(tmp_path, ranks, {"out": words}, may_fail=True, stage="grpo", patch=["not_finite", kind, rank, step])
    status, message = json.loads((tmp_path / "out.ended").read_text())
    assert status == Exit.INTERNAL, message
    assert message.startswith(f"step {step}: the {kind} is not finite on ")
    assert "the weights before this step are saved" in message
    assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == [f"step-{step - 1}"]
    assert [each["step"] for each in events(tmp_path / "out.log", "step")] == [*range(1, step)]
    runs.drive(tmp_path, ranks, {"out": words}, stage="grpo")  # without NaN it goes on
    assert [each["step"] for each in events(tmp_path / "out.log", "step")] == [1, 2, 3, 4, 5, 6]
    assert all(math.isfinite(each["loss"]) for each in events(tmp_path / "out.log", "step"))


REWARDS = """
import numpy as np

calls = 0

def sometimes(facts):
    global calls
    calls += 1
    rewards = np.array(facts["correct_P_G"], float)
    if calls == 2:    # nothing is known of any response
        rewards[:] = np.nan
    if calls == 3:    # half of each group
        rewards = np.where(np.arange(rewards.shape[1]) % 2 == 0, np.nan, np.arange(rewards.shape[1]) / 10)
        rewards = np.broadcast_to(rewards, facts["correct_P_G"].shape)
    return rewards

sometimes.facts = ("correct",)
"""


def test_rewards_that_are_missing_have_no_advantage_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(REWARDS)
    (tmp_path / "rewards.yaml").write_text(f"reward: '{tmp_path}/mine.py:sometimes'\n")
    words = command(tmp_path, "--rewards", str(tmp_path / "rewards.yaml"), "--save-rollouts", "--kl", "0")
    done = ended(words, tmp_path)
    assert done.returncode == 0, done.stderr
    known, nothing, half = events(tmp_path / "log", "rollout")
    assert known["reward"] is not None
    assert nothing["reward"] is None
    assert {row["rollout"]["advantage"] for row in rows(tmp_path / "out", 1)} == {0.0}
    of_nothing = [step for step in events(tmp_path / "log", "step") if step["step"] in (3, 4)]
    assert [step["policy_loss"] for step in of_nothing] == [0, 0]
    groups: dict[int, list[float]] = {}
    for row in rows(tmp_path / "out", 2):
        groups.setdefault(row["rollout"]["position"], []).append(row["rollout"]["advantage"])
    values = [n / 10 for n in range(SAMPLES) if n % 2]
    mean = sum(values) / len(values)
    std = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    for advantages in groups.values():
        assert [advantages[n] for n in range(0, SAMPLES, 2)] == [0.0] * (SAMPLES // 2)
        assert [advantages[n] for n in range(1, SAMPLES, 2)] == pytest.approx(
            [(value - mean) / (std + 1e-4) for value in values], rel=1e-5
        )
    assert half["reward"] == pytest.approx(mean)
