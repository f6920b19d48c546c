"""What stands beside the steps of `libra sft`: a dry run, and a benchmark that the model judges as it is trained."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import runs


def libra(*args: str, rows: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "libra_cli", *args]
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


@pytest.mark.slow
def test_the_model_is_judged_as_it_is_trained_and_as_libra_judge_would(tmp_path: Path) -> None:
    problems = libra("collect", "--preset", "libra-mini", "--where", "index % 60 == 7").stdout
    responses = libra("rollout", "--model", "libra-mini/weak", "-n", "2", rows=problems).stdout
    bench = tmp_path / "bench.jsonl"
    bench.write_bytes(libra("verify", rows=responses).stdout)
    rows = runs.write_rows(tmp_path / "rows.jsonl")
    out = tmp_path / "out"
    few = ["--batch-size", "8", "--max-steps", "2", "--lr", "1e-7", "--nproc", "2"]
    args = ["--model", "libra-mini/strong", str(rows), "-o", str(out), *few]
    done = libra("sft", *args, "--score", str(bench), "--score-every", "1", "--score-with", "--temperature 0")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    scores = [event for event in events if event["event"] == "score"]
    assert [event["step"] for event in scores] == [1, 2]
    judged = libra("judge", "--model", str(out), "--temperature", "0", str(bench)).stdout
    report = json.loads(libra("score", "--json", rows=judged).stdout)
    assert scores[-1]["accuracy"] == pytest.approx(report["overall"])
    assert scores[-1]["n"] == report["n"] > 0
