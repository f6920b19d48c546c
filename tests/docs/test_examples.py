"""The scripts in examples/ do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_demo_ends_with_the_line_that_puts_libra_on_the_path_and_setup_says_what_it_installs():
    root = EXAMPLES.parent
    words = ["make", "-n", "--no-print-directory", "demo"]  # `make test` may be what runs this
    ended = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    line = ". .venv/bin/activate"
    assert line in ended.stdout.splitlines()[-1]
    assert line in (root / "README.md").read_text()
    setup = (root / "tests/environment/setup").read_text()
    assert setup.index('echo "setup: installing') < setup.index("apt-get update")  # with sudo, for others than root


@pytest.mark.engine
def test_the_demo_makes_a_balanced_benchmark_and_scores_a_judge_on_it(demo, shell):
    rows = [json.loads(line) for line in (demo.folder / "bench.jsonl").read_bytes().splitlines()]
    cells = Counter((row["subset"], row["model"], row["label"]) for row in rows)
    assert {model for _, model, _ in cells} == {"libra-mini/weak", "libra-mini/strong"}
    assert all(cells[subset, model, 0] == count for (subset, model, label), count in cells.items() if label == 1)
    assert all("<think>" not in row["response"] and row["response_with_cot"].startswith("<think>") for row in rows)
    assert f"{len(rows)} rows" in demo.err
    census = json.loads((demo.folder / "census.json").read_bytes())
    assert census["samples"] == len(rows)

    files = [demo.folder / f"judged-{engine}.jsonl" for engine in ("transformers", "vllm")]
    scored = shell(["libra", "score", "--json", *map(str, files)])
    figures = json.loads(scored.out)
    for report in figures["reports"]:
        assert report["judge"] in demo.out
        assert report["n"] == len(rows)
        assert 0.65 < report["overall"] < 0.97  # neither chance nor perfect
        assert report["n_null"] < len(rows) / 20
    assert figures["comparisons"][0]["n"] == len(rows)
    assert "judge on vllm" in (demo.folder / "report.html").read_text()


@pytest.mark.engine
def test_the_demo_again_finds_all_done_and_prints_the_scores_once_more(demo, shell, tmp_path):
    shutil.copytree(demo.folder, tmp_path / "demo")
    again = shell([str(EXAMPLES / "demo")])
    assert again.status == 0
    assert again.out.decode() == demo.out
    steps = re.findall(r"^libra run: (\S+) +(.*)$", again.err.decode(), re.MULTILINE)
    named = ["problems", "responses", "labelled", "bench", "judged-transformers", "judged-vllm", "scores"]
    assert steps == [(name, "is done already") for name in named]
    told = [line.split()[0] for line in demo.err.splitlines()[:6]]
    assert told == ["problems", "responses", "labelled", "bench", "judged", "scores"]  # and so what each step does


@pytest.fixture
def slurm(tmp_path, environment):
    """Problems and recorded responses in a folder; the environment of task 0 of 2, with a stand-in for scontrol."""
    questions = [f"What is {number} + 1?" for number in range(20)]
    (tmp_path / "problems.jsonl").write_text(
        "".join(json.dumps({"id": str(i), "question": q}) + "\n" for i, q in enumerate(questions))
    )
    rows = (
        {"id": str(i), "model": "m", "sample": 0, "response": f"{i + 1}", "finish_reason": "stop"} for i in range(20)
    )
    (tmp_path / "recorded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tool = tmp_path / "bin" / "scontrol"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "$@" > requeued\n')
    tool.chmod(0o755)
    array = {
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_ARRAY_TASK_MIN": "0",
        "SLURM_ARRAY_TASK_MAX": "1",
    }
    return {**environment, **array, "PATH": f"{tool.parent}{os.pathsep}{environment['PATH']}"}


SBATCH = str(EXAMPLES / "slurm" / "rollout.sbatch")


@pytest.mark.parametrize("script", sorted((EXAMPLES / "slurm").glob("*.sbatch")), ids=lambda path: path.name)
def test_a_script_for_slurm_without_arguments_or_slurm_says_how_it_is_used(script):
    without = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    for words, variables in (
        ([], {"SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "1", "SLURM_NNODES": "2"}),
        (["a", "b"], {}),
    ):
        ended = subprocess.run(
            ["bash", str(script), *words], env={**without, **variables}, capture_output=True, text=True
        )
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1
        assert ended.stderr.startswith("usage: sbatch ")
        assert f"examples/slurm/{script.name} " in ended.stderr


def test_the_tasks_of_a_slurm_array_share_the_work(shell, slurm, tmp_path):
    for task in ("0", "1"):
        ended = shell(
            [SBATCH, "problems.jsonl", "m", "--replay", "recorded.jsonl"], env={**slurm, "SLURM_ARRAY_TASK_ID": task}
        )
        assert ended.status == 0, ended.err.decode()
    parts = [(tmp_path / f"responses.{task}.jsonl").read_bytes().splitlines() for task in (0, 1)]
    assert all(parts)
    assert sorted(int(json.loads(line)["id"]) for part in parts for line in part) == list(range(20))
    assert not (tmp_path / "requeued").exists()


@pytest.mark.parametrize("script", ["rollout", "judge", "of a pipeline"])
def test_a_task_that_is_told_to_stop_before_it_writes_a_row_ends_after_three_times_in_a_row(
    shell, slurm, tmp_path, script
):
    """The third time it writes a row, which begins the count anew."""
    command, output = [str(EXAMPLES / "slurm" / f"{script}.sbatch"), "in.jsonl", "m"], f"{script}d.0.jsonl"
    output = "responses.0.jsonl" if script == "rollout" else output
    if script == "of a pipeline":
        step = "{stage: verify, inputs: in.jsonl, slurm: {shards: 2}}"
        (tmp_path / "pipe.yaml").write_text(f"output: made\nsteps: {{labelled: {step}}}\n")
        (tmp_path / "in.jsonl").write_text('{"id": "a"}\n')
        assert shell(["libra", "run", "--slurm", "pipe.yaml"]).status == 0
        command, output = ["bash", "made/slurm/labelled.sbatch"], "made/slurm/labelled.0-of-2.jsonl"
    stand_in = tmp_path / "bin" / "libra"
    stand_in.write_text(
        f'#!/bin/sh\necho >> attempts; [ "$(wc -l < attempts)" = 3 ] && echo row >> {output}.part\nexit 75\n'
    )
    stand_in.chmod(0o755)
    requeued, said = [], []
    (tmp_path / "requeued").write_text("")
    (tmp_path / "bin" / "scontrol").write_text('#!/bin/sh\necho "$@" >> requeued\n')
    for _ in range(6):
        ended = shell(command, env={**slurm, "SLURM_JOB_ID": "8"})
        assert ended.status == 75, ended.err
        requeued.append((tmp_path / "requeued").read_text().count("requeue 7_0"))
        said.append(b"told to stop three times in a row before a row, and not queued again" in ended.err)
    assert requeued == [1, 2, 3, 4, 5, 5]
    assert said == [False] * 5 + [True]
    assert not list(tmp_path.rglob("*.stalled"))


def test_a_task_that_is_told_to_stop_is_queued_again_and_continues(shell, slurm, tmp_path):
    os.mkfifo(tmp_path / "slow.jsonl")
    command = [SBATCH, "slow.jsonl", "m", "--replay", "recorded.jsonl"]
    job = subprocess.Popen(command, cwd=tmp_path, env=slurm, stderr=subprocess.DEVNULL)
    problems = (tmp_path / "problems.jsonl").read_bytes()
    with open(tmp_path / "slow.jsonl", "wb", buffering=0) as writer:  # open to the end: more rows seem to be coming
        writer.write(problems[: len(problems) // 2])
        part = tmp_path / "responses.0.jsonl.part"
        wait_until(lambda: part.exists() and part.stat().st_size > 0)
        job.send_signal(signal.SIGUSR1)
        assert job.wait(60) == 75
    assert (tmp_path / "requeued").read_text() == "requeue 7_0\n"
    assert not (tmp_path / "responses.0.jsonl").exists()
    again = shell([SBATCH, "problems.jsonl", "m", "--replay", "recorded.jsonl"], env=slurm)
    assert again.status == 0, again.err.decode()
    ids = [json.loads(line)["id"] for line in (tmp_path / "responses.0.jsonl").read_bytes().splitlines()]
    assert len(ids) == len(set(ids)) > 0


def wait_until(true, seconds=60):
    """Fails where `true()` does not become true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
