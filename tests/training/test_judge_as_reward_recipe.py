"""`examples/recipes/judge-as-reward/make --smoke`: the study runs for real, with one rollout for each arm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

# Ten processes that import torch, for a minute of CPU.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MAKE = Path(__file__).parents[2] / "examples/recipes/judge-as-reward/make"
ARMS = ("rule", "judge", "weak-judge")


def test_every_arm_is_trained_and_measured(environment: dict[str, str], tmp_path: Path) -> None:
    words = [str(MAKE), "--smoke", str(tmp_path), "7"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-4000:]
    for arm in ARMS:
        assert f"{arm} - start: " in done.stdout
        first = json.loads((tmp_path / f"{arm}-7/events.jsonl").read_text().splitlines()[0])
        assert ("judge_mean" in first) == (arm != "rule")
        assert (first["correct"] is None) == (arm != "rule")
    for name in ("rule", "judge"):
        rows = [json.loads(line) for line in (tmp_path / f"{name}-rows-7.jsonl").read_text().splitlines()]
        assert {"reference" in row for row in rows} == {name == "rule"}
    again = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=800)
    assert again.stdout == done.stdout
    assert all("is done already" in line for line in again.stderr.splitlines())
