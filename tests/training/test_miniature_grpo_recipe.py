"""`examples/recipes/miniature-grpo/make --smoke`: the study runs for real, with a few rows and steps for each arm."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

# Some twenty processes that import torch, for minutes of CPU.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

MAKE = Path(__file__).parents[2] / "examples/recipes/miniature-grpo/make"
JUDGES = {"start", "early", "grpo", "more sft", "rl-zero"}


def test_every_arm_is_trained_judged_and_reported(environment: dict[str, str], tmp_path: Path) -> None:
    words = [str(MAKE), "--smoke", str(tmp_path), "7", "8"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=1400)
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["seeds"] == [7, 8]
    assert re.search(r"^libra run: reinforced-7 +done \(", done.stderr, re.MULTILINE)  # no counts of what scored it
    logs = "".join((tmp_path / f"logs/early-{seed}.log").read_text() for seed in report["seeds"])
    said = re.findall(r"^early: (\S+) on the held-out pairs after 1 steps$", logs, re.MULTILINE)
    assert report["early_steps"] == [1, 1]
    assert [100 * float(accuracy) for accuracy in said] == pytest.approx(report["early_held_out"])
    assert set(report["accuracy"]) == JUDGES
    for runs in report["arms"].values():
        for run in runs:
            assert run["steps"] > 0
            assert run["cpu_seconds"] > 0
            assert run["curve"][-1][0] == 1
    assert "| grpo - early |" in (tmp_path / "report.md").read_text()
    again = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert again.stdout == done.stdout  # nothing is made twice
    assert all("is done already" in line for line in again.stderr.splitlines())
