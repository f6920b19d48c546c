"""Each benchmark runs, at a size that measures nothing: a script that nobody runs breaks without a sound."""

from __future__ import annotations

import importlib.util
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def figures(*command: str) -> dict[str, Any]:
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


def names(last: dict[str, Any]) -> set[str]:
    return {figure["name"] for figure in last["figures"]}


MEASURES = """#!{python}
from figures import Figure, conclude

conclude([Figure("speed", 2.5, ">=", 2), Figure("rows", 12345)])
"""


def test_all_figures_stand_in_one_table_at_the_end_and_one_that_breaks_stops_no_other(tmp_path: Path) -> None:
    for name in ("run", "figures.py"):
        shutil.copy(ROOT / "benchmarks" / name, tmp_path)
    measures = MEASURES.format(python=sys.executable)
    scripts = {
        "broken": f"#!{sys.executable}\nraise SystemExit('no peer')\n",
        "good": measures,
        "slow": measures.replace("2.5", "1.5"),
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def table(*names: str) -> tuple[int, list[str]]:
        ended = subprocess.run([sys.executable, tmp_path / "run", *names], capture_output=True, text=True, timeout=100)
        return ended.returncode, [" ".join(line.split()) for line in ended.stdout.partition("== all\n")[2].splitlines()]

    speed = ["good speed 2.5 >= 2 met", "good rows 12,345"]
    assert table("good") == (
        0,
        ["benchmark figure found target", *speed, "", "2 of 2 met or without a target, 0 missed or failed"],
    )
    status, lines = table()
    assert status == 1
    assert lines[1:-2] == [
        "broken (none) ended with status 1 FAILED",
        *speed,
        "slow speed 1.5 >= 2 MISSED",
        "slow rows 12,345",
    ]


@pytest.mark.skipif(shutil.which("jq") is None, reason="the peer is jq")
def test_streams_pass() -> None:
    found = names(figures("streams", "--only", "pass", "--rounds", "1", "--rows", "200"))
    assert {"pass/jq -c . (compact)", "pass/bare loop (spaced)"} <= found


def test_streams_help() -> None:
    found = figures("streams", "--only", "help", "--rounds", "1")["figures"]
    assert [(figure["name"], figure["sign"], figure["target"]) for figure in found] == [
        ("help ms", "<", 150),
        ("help/pass", "<=", 6),
    ]
    assert all(figure["value"] > 0 for figure in found)


def test_verify(tmp_path: Path) -> None:
    rows, out, seconds = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", tmp_path / "seconds.json"
    rows.write_text(json.dumps({"reference": "4", "response": "It is \\boxed{4}."}) + "\n")
    child = [sys.executable, str(ROOT / "benchmarks" / "verify"), "--child", "libra", str(rows), str(out), str(seconds)]
    subprocess.run([*child, "1"], check=True, timeout=300)
    assert json.loads(out.read_text())["label"] == 1
    assert seconds.exists()


def test_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    score = runpy.run_path(str(ROOT / "benchmarks" / "score"))
    assert score["bootstrapping"]()["seconds"] > 0  # the rest needs a peer that `make bench` installs


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
    _, bare, libra = map(json.loads, ended.stdout.splitlines())
    assert [step["loss"] for step in libra] == pytest.approx([step["loss"] for step in bare], abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="the peer is vLLM")
def test_streams_rollout() -> None:
    assert "rollout/raw engine" in names(figures("streams", "--only", "rollout", "--rounds", "1", "--problems", "2"))


@pytest.mark.slow
def test_dpo() -> None:
    found = figures("dpo", "--shape", "tiny", "--rounds", "1")
    assert found["tiny"]["pairs_per_second"] > 0
    assert found["tiny"]["loss_beside_trl"] < 1e-4
    assert len(found["figures"]) == 4


@pytest.mark.slow
def test_grpo() -> None:
    tail = figures("grpo", "--alone", "--tiny", "--rounds", "1", "--case", "tail")["tail"]
    assert sum(tail["phases"].values()) == pytest.approx(1.0)
    assert tail["tokens_per_second"] > 0


@pytest.mark.slow
def test_step_time() -> None:
    found = figures("step_time", "--tiny", "--rollouts", "1")
    assert found["factors"]["train"] > 0
    assert found["ratios"]["train"] == pytest.approx([1.0])  # the shares are fitted to the only run
