"""`libra run --submit` on a real Slurm of two nodes: what a pipeline makes there is what it makes without."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from local_slurm import QUEUE, wait_for

from libra_cli.stages.run.slurm_submit import job_environment

PIPE = """
output: made
slurm: {time: 10, cpus: 1, mem: 1000M, activate: environment}
steps:
  problems: {stage: collect, preset: libra-mini, where: index % 20 == 0}
  responses:
    stage: rollout
    inputs: problems
    model: [libra-mini/weak, libra-mini/strong]
    engine: transformers
    samples: 2
    window: 4
    slurm: {shards: 2}
  labelled: {stage: verify, inputs: responses}
  judged:
    stage: judge
    inputs: labelled
    model: libra-mini/judge
    engine: transformers
    slurm: {shards: 2}
  right: {command: "jq -c 'select(.label == 1)' ${judged} | cat", slurm: {mem: 100M}}
  training: {stage: rs-filter, inputs: judged}
  judge:
    stage: sft
    inputs: training
    model: libra-mini/weak
    max-length: 512
    batch-size: 4
    max-steps: 4
    save-every: 1
    slurm: {nodes: 2}
  scores: {stage: score, inputs: judged}
"""


FAILING = """
output: made
slurm: {time: 5, cpus: 1, mem: 500M, activate: environment}
steps:
  labelled: {stage: verify, inputs: in.jsonl}
  scores: {stage: score, inputs: labelled, as: reasoning}
"""


def jobs_of(script: str) -> list[str]:
    """The lines of what --slurm prints that do something."""
    return [line for line in script.splitlines() if not line.startswith("#")]


def test_sbatch_gets_the_environment_without_the_variables_of_the_job_in_which_it_is_called():
    users = {"PATH": "/bin", "SBATCH_ACCOUNT": "a", "SBATCH_PARTITION": "p", "SLURM_CONF": "c", "SLURM_CLUSTERS": "d"}
    step = {"SLURM_JOB_ID": "7", "SLURM_MEM_PER_CPU": "300", "SLURM_STEP_NUM_TASKS": "2", "SBATCH_MEM_BIND": "local"}
    assert job_environment({**users, **step}) == users
    outside = {**users, "SLURM_CPU_BIND": "cores", "SBATCH_MEM_BIND": "local"}
    assert job_environment(outside) == outside


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(1200)
def test_a_pipeline_of_jobs_makes_what_one_process_makes(slurm_shell, tmp_path: Path):
    """One task of an array is requeued in the middle, and a second --submit finds all in the queue."""
    (tmp_path / "pipe.yaml").write_text(PIPE)
    (tmp_path / "environment").write_text("echo activated\n")
    run = slurm_shell.run
    submitted = dict(line.split()[::-1] for line in run("libra", "run", "--submit", "pipe.yaml").splitlines())
    assert run("libra", "run", "--submit", "pipe.yaml") == "".join(f"{job} {name}\n" for name, job in submitted.items())
    here = subprocess.run(["libra", "run", "pipe.yaml"], cwd=tmp_path, env=slurm_shell.environment, check=False)
    assert here.returncode == 11  # it would be done twice
    part = tmp_path / "made/slurm/responses.1-of-2.jsonl.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 0, "rows of the second shard")
    task = f"{submitted['responses']}_1"
    run("scancel", "--signal=USR1", "--batch", task)  # as before its time limit
    slurm_shell.starts_again(task)
    slurm_shell.ended(*submitted.values())

    log = (tmp_path / "made/logs/responses.1.log").read_text()
    assert log.count("activated") == 2
    assert "the same command continues" in log
    assert not jobs_of(run("libra", "run", "--slurm", "pipe.yaml"))  # all is done
    scores = run("libra", "run", "pipe.yaml")
    assert "libra-mini/judge" in scores
    run("libra", "run", "-o", "plain", "pipe.yaml")
    for name in ("problems", "responses", "labelled", "judged", "right", "training"):
        made, whole = (tmp_path / folder / f"{name}.jsonl" for folder in ("made", "plain"))
        assert made.read_bytes() == whole.read_bytes(), name
    assert json.loads((tmp_path / "made/judge/libra.json").read_bytes())["status"] == "complete"
    assert "2 processes" in (tmp_path / "made/logs/judge.log").read_text()
    ended = [json.loads(line) for line in log.splitlines() if line.startswith('{"event":"ended"')]
    assert [event["status"] for event in ended] == [75, 0]
    assert all(event["cpu_seconds"] > 0 for event in ended)
    assert '"cpu_seconds":null' in (tmp_path / "made/logs/judge.log").read_text()  # srun runs it on two nodes


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_needs_a_step_that_failed_is_submitted_again_with_it(slurm_shell, tmp_path: Path):
    (tmp_path / "pipe.yaml").write_text(FAILING)
    row = {"id": "a", "question": "1+1?", "reference": "2", "model": "m", "sample": 0, "response": "\\boxed{2}"}
    (tmp_path / "in.jsonl").write_text("no JSON\n" + json.dumps(row) + "\n")
    (tmp_path / "environment").write_text("exit 9\n")
    run = slurm_shell.run

    def submit() -> None:
        lines = run("libra", "run", "--submit", "pipe.yaml").splitlines()
        assert [line.split()[1] for line in lines] == ["labelled", "scores"]
        slurm_shell.ended(*(line.split()[0] for line in lines))

    submit()  # and nothing waits in the queue for ever
    assert not (tmp_path / "made/scores.txt").exists()
    (tmp_path / "environment").write_text("echo activated\n")
    submit()
    assert (tmp_path / "made/scores.txt").exists()  # although labelled refused a row (status 3)
    assert not jobs_of(run("libra", "run", "--slurm", "pipe.yaml"))


EXPORTED = """
output: made
slurm: {time: 5, cpus: 1, mem: 500M, activate: environment}
steps:
  problems: {stage: collect, preset: libra-mini}
  judge:
    stage: sft
    inputs: sft.jsonl
    model: libra-mini/weak
    max-length: 256
    batch-size: 2
    max-steps: 1
    slurm: {nodes: 2}
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_jobs_have_the_environment_where_a_site_exports_nothing(slurm_shell, tmp_path: Path):
    (tmp_path / "pipe.yaml").write_text(EXPORTED)
    (tmp_path / "environment").write_text("export LIBRA_SFT_LR=0.002\n")
    turns = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]
    (tmp_path / "sft.jsonl").write_text((json.dumps({"messages": turns}) + "\n") * 4)
    given = {"SBATCH_EXPORT": "NONE", "LIBRA_COLLECT_LIMIT": "3"}
    lines = slurm_shell.run("libra", "run", "--submit", "pipe.yaml", **given).splitlines()
    slurm_shell.ended(*(line.split()[0] for line in lines))
    assert len((tmp_path / "made/problems.jsonl").read_text().splitlines()) == 3
    assert '"lr": 0.002' in (tmp_path / "made/judge/libra.json").read_text()  # on both nodes, or the ranks would differ


INSIDE = """
output: made
slurm: {time: 5, cpus: 1, mem: 500M, activate: environment}
steps:
  labelled: {stage: verify, inputs: in.jsonl}
  judge:
    stage: sft
    inputs: sft.jsonl
    model: libra-mini/weak
    max-length: 256
    batch-size: 2
    max-steps: 1
    slurm: {nodes: 2}
"""
OUTER = """#!/bin/sh
srun --ntasks=1 --nodes=1 libra run --submit pipe.yaml > submitted
srun --ntasks=1 --nodes=1 sbatch --parsable --nodes=2 --mem=500M --gpus-per-node=0 --oversubscribe --output=train.log \\
    SCRIPT sft trained --model libra-mini/weak --max-length 256 --batch-size 2 --max-steps 1 sft.jsonl >> submitted
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_jobs_that_are_submitted_inside_a_task_of_an_array_are_as_those_from_outside(slurm_shell, tmp_path: Path):
    (tmp_path / "pipe.yaml").write_text(INSIDE)
    (tmp_path / "environment").write_text("env | grep -c -e ^SLURM_ARRAY -e ^SLURM_STEP -e ^SLURM_MEM_PER_CPU\n")
    row = {"id": "a", "question": "1+1?", "reference": "2", "model": "m", "sample": 0, "response": "\\boxed{2}"}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    turns = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "\\boxed{2}"}]
    (tmp_path / "sft.jsonl").write_text((json.dumps({"messages": turns}) + "\n") * 2)
    script = Path(__file__).resolve().parents[2] / "examples/slurm/train.sbatch"
    (tmp_path / "outer.sh").write_text(OUTER.replace("SCRIPT", str(script)))
    words = ["--array=3", "--ntasks=2", "--cpus-per-task=1", "--mem-per-cpu=300M", "--output=outer.log"]
    slurm_shell.run(*QUEUE, "--wait", *words, "outer.sh")
    submitted = [line.split()[0] for line in (tmp_path / "submitted").read_text().splitlines()]
    assert len(submitted) == 3, (tmp_path / "outer.log").read_text()
    slurm_shell.ended(*submitted)

    assert (tmp_path / "made/logs/labelled.log").read_text().startswith("0\n")
    for log, folder in (("made/logs/judge.log", "made/judge"), ("train.log", "trained")):
        assert "2 processes" in (tmp_path / log).read_text()
        assert json.loads((tmp_path / folder / "libra.json").read_bytes())["status"] == "complete"
    assert not (tmp_path / "trained.3").exists()
