"""`examples/recipes/miniature/make --smoke`: every stage of the recipe runs for real, with a few rows and steps."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

# A dozen processes that import torch, for 80 seconds of CPU.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MAKE = Path(__file__).parents[2] / "examples/recipes/miniature/make"
THOUGHT = re.compile("<think>.*</think>", re.DOTALL)
Done = subprocess.CompletedProcess[str]
STEPS = [
    *("base", "corpus-1", "start", "world", "train-problems", "train-responses", "train-labelled", "train"),
    *("bench-problems", "bench-responses", "bench-labelled", "bench", "judged", "score", "reason", "score-direct"),
    *("direct-rows", "judge-rows", "judge", "direct", "by-thinking", "by-direct", "scores"),
]


@pytest.fixture(scope="module")
def made(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder with everything, and how it was made."""
    folder = tmp_path_factory.mktemp("miniature") / "made"
    return folder, make(folder, environment)


def make(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(MAKE), "--smoke", str(folder)], env=environment, capture_output=True, text=True, timeout=800
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_stage_runs_and_a_second_time_none(made, environment) -> None:
    folder, done = made
    steps = r"^libra run: (\S+) +(.*)$"
    said = re.findall(steps, done.stderr, re.M)  # once a minute also of a step that is at work
    assert list(dict.fromkeys(name for name, _ in said)) == STEPS
    again = make(folder, environment)
    assert again.stdout == done.stdout
    assert re.findall(steps, again.stderr, re.M) == [(name, "is done already") for name in STEPS]


def test_the_judge_learns_judgments_that_agree_with_the_label_evenly(made) -> None:
    folder, _ = made
    kept = rows(folder / "score.jsonl")
    labels = [row["label"] for row in kept]
    assert labels
    assert labels.count("0") == labels.count("1") == len(labels) / 2
    for row in kept:
        verdict = row["messages"][-1]["content"].rpartition("</think>")[2]
        assert verdict == {"0": "[[score=0]]", "1": "[[score=4]]"}[row["label"]]


def test_the_other_judge_learns_the_same_without_the_thoughts(made) -> None:
    folder, _ = made
    thinking, direct = rows(folder / "judge-rows.jsonl"), rows(folder / "direct-rows.jsonl")
    assert {row["task"] for row in thinking} == {"score", "reason"}
    assert [row["id"] for row in thinking] == [row["id"] for row in direct]
    for row, other in zip(thinking, direct, strict=True):
        if row["task"] == "score":
            row["messages"][-1]["content"] = THOUGHT.sub("<think></think>", row["messages"][-1]["content"])
        assert row == other
    logs = [rows(folder / name / "events.jsonl") for name in ("judge", "direct")]
    assert len(logs[0]) == len(logs[1])


def test_no_problem_is_in_training_and_in_the_benchmark(made) -> None:
    folder, _ = made
    learned, held_out = (
        {row["question"] for row in rows(folder / f"{name}-problems.jsonl")} for name in ("train", "bench")
    )
    assert learned
    assert held_out
    assert not learned & held_out


def test_models_are_under_a_megabyte_and_the_judges_are_scored_with_intervals(made) -> None:
    folder, done = made
    for name in ("start", "judge", "direct"):
        assert sum(path.stat().st_size for path in (folder / name).iterdir()) < 1_000_000
    number = r"[-+]?\d+\.\d"
    for name in ("policy", "judge", "without thinking"):
        assert re.search(rf"^{name} .* {number} +\[{number}, {number}\] ", done.stdout, re.M), name
    assert re.search(rf"^judge +without thinking .*{number} +\[{number}, {number}\]", done.stdout, re.M)
