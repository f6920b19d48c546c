"""Each benchmark runs, at a size that measures nothing: a script that nobody runs breaks without a sound."""

from __future__ import annotations

import importlib.util
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def figures(*command: str) -> dict[str, object]:
    """The last line of a benchmark; a missed target (status 1) is no failure here."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode in (0, 1), ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.skipif(shutil.which("jq") is None, reason="the peer is jq")
def test_streams_pass() -> None:
    found = figures("streams", "--only", "pass", "--rounds", "1", "--rows", "200")
    assert {"pass/jq -c . (compact)", "pass/bare loop (spaced)"} <= found.keys()


def test_streams_help() -> None:
    assert "help ms" in figures("streams", "--only", "help", "--rounds", "1")


def test_verify(tmp_path: Path) -> None:
    rows, out, seconds = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", tmp_path / "seconds.json"
    rows.write_text(json.dumps({"reference": "4", "response": "It is \\boxed{4}."}) + "\n")
    child = [sys.executable, str(ROOT / "benchmarks" / "verify"), "--child", "libra", str(rows), str(out), str(seconds)]
    subprocess.run([*child, "1"], check=True, timeout=300)
    assert json.loads(out.read_text())["label"] == 1
    assert seconds.exists()


def test_score() -> None:
    score = runpy.run_path(str(ROOT / "benchmarks" / "score"))
    assert score["bootstrapping"]()["seconds"] > 0  # the rest needs a peer that is not installed here


@pytest.mark.slow
def test_sft(tmp_path: Path) -> None:
    shape = {"layers": 1, "width": 32, "heads": 2, "vocabulary": 284, "length": 64, "batch": 2, "steps": 2}
    work = {"folder": str(tmp_path), "shape": shape, "batch": 2, "length": 64, "micro": None, "lr": 1e-4}
    script = f"""
import json, pathlib, runpy, sys
sys.path.insert(0, "benchmarks")
sft = runpy.run_path("benchmarks/sft")
sft["write_rows"](pathlib.Path({str(tmp_path)!r}), {shape})
for name in ("prepare", "bare", "libra"):
    print(json.dumps(sft["measured"](name, {work})))
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr
    _, bare, libra = map(json.loads, ended.stdout.splitlines())  # the rest needs TRL, which is not installed here
    assert [step["loss"] for step in libra] == pytest.approx([step["loss"] for step in bare], abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="the peer is vLLM")
def test_streams_rollout() -> None:
    assert "rollout/raw engine" in figures("streams", "--only", "rollout", "--rounds", "1")


@pytest.mark.slow
def test_dpo() -> None:
    found = figures("dpo", "--alone", "--shape", "tiny", "--rounds", "1")["tiny"]  # TRL is not installed here
    assert isinstance(found, dict)
    assert found["pairs_per_second"] > 0


@pytest.mark.slow
def test_grpo() -> None:
    found = figures("grpo", "--alone", "--tiny", "--rounds", "1", "--case", "tail")  # TRL is not installed here
    tail = found["tail"]
    assert isinstance(tail, dict)
    assert sum(tail["phases"].values()) == pytest.approx(1.0)
    assert tail["tokens_per_second"] > 0
