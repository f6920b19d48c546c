"""What stands beside the steps of `libra sft`: a dry run, and a benchmark that the model judges as it is trained."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import warm


def libra(*args: str, rows: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = warm.libra(*args)
    done = subprocess.run(line, input=rows, env=runs.environment(), capture_output=True, timeout=250)
    assert done.returncode == 0, done.stderr.decode()
    return done


def test_a_dry_run_says_what_the_run_would_be(tmp_path: Path) -> None:
    model, rows = runs.write_model(tmp_path / "model"), runs.write_rows(tmp_path / "rows.jsonl")
    args = ["sft", "--model", str(model), str(rows), "-o", str(tmp_path / "out"), "--batch-size", "8", "--epochs", "2"]
    found = json.loads(libra(*args, "--dry-run", "--nproc", "8", "--max-length", "512").stdout)
    assert (found["samples"], found["steps"], found["devices"]) == (24, 6, 8)
    assert found["learned"] < found["tokens"] < 24 * found["longest"]
    assert found["tokens_per_step"] == round(found["tokens"] / 3)
    assert found["memory"].startswith("fits in 80 GB: yes")
    assert set(found["memory_gb"]) >= {"weights", "gradients", "device total"}
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few labelled responses of a tiny model."""
    problems = libra("collect", "--preset", "libra-mini", "--where", "index % 60 == 7").stdout
    responses = libra("rollout", "--model", "libra-mini/weak", "-n", "2", rows=problems).stdout
    path = tmp_path_factory.mktemp("bench") / "bench.jsonl"
    path.write_bytes(libra("verify", rows=responses).stdout)
    return path


def trained(folder: Path, bench: Path, *args: str, model: str = "libra-mini/strong") -> list[dict[str, Any]]:
    """The events of a run in `folder` whose model judges `bench`."""
    rows = runs.write_rows(folder / "rows.jsonl")
    few = ["--batch-size", "8", "--max-steps", "3", "--score", str(bench), "--score-with", "--temperature 0"]
    done = libra("sft", "--model", model, str(rows), "-o", str(folder / "out"), *few, *args)
    assert (folder / "out" / "events.jsonl").read_bytes() == done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_scored_as_it_is(folder: Path, bench: Path, score: dict[str, Any]) -> None:
    """The model that is left has the accuracy that the run has told of."""
    judged = libra("judge", "--model", str(folder / "out"), "--temperature", "0", str(bench)).stdout
    report = json.loads(libra("score", "--json", rows=judged).stdout)
    assert score["accuracy"] == pytest.approx(report["overall"])
    assert score["n"] == report["n"] > 0


@pytest.mark.slow
def test_the_model_is_judged_as_it_is_trained_and_as_libra_judge_would(tmp_path: Path, bench: Path) -> None:
    events = trained(tmp_path, bench, "--lr", "1e-7", "--nproc", "2", "--score-every", "1")
    scores = [event for event in events if event["event"] == "score"]
    assert [(event["step"], event["model_step"]) for event in scores] == [(1, 1), (2, 2), (3, 3)]
    assert_scored_as_it_is(tmp_path, bench, scores[-1])


@pytest.mark.slow
def test_the_model_of_the_highest_accuracy_is_left(tmp_path: Path, bench: Path) -> None:
    # Each step takes the judge further from what it knows, at a rising rate.
    args = ["--lr", "0.01", "--warmup", "1", "--score-every", "1", "--final", "best", "--keep", "1"]
    events = trained(tmp_path, bench, *args, model="libra-mini/judge")
    scores = [event for event in events if event["event"] == "score"]
    assert [event["model_step"] for event in scores] == [0, 1, 2, 3]
    for score in scores[2:]:
        assert (score["accuracy"], score["unread"]) == (None, score["n"])
        assert score["reason"] == f"none of the {score['n']} verdicts could be read"
    assert scores[1]["accuracy"] is not None
    assert_scored_as_it_is(tmp_path, bench, scores[1])


@pytest.mark.slow
def test_the_best_model_is_the_one_that_is_scored_in_the_end(tmp_path: Path, bench: Path) -> None:
    held_out = runs.write_rows(tmp_path / "held-out.jsonl", n=8, seed=9)
    args = ["--lr", "1", "--min-lr", "1", "--eval-data", str(held_out), "--eval-every", "1", "--final", "best"]
    events = trained(tmp_path, bench, *args)
    losses = {event["step"]: event["loss"] for event in events if event["event"] == "eval"}
    best = min(losses.keys() - {0}, key=lambda step: losses[step])
    (score,) = [event for event in events if event["event"] == "score"]
    assert score["model_step"] == best < score["step"] == 3
    assert_scored_as_it_is(tmp_path, bench, score)
