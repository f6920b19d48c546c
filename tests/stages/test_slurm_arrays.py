"""examples/slurm/rollout.sbatch and judge.sbatch on a real Slurm of two nodes, with the embedded models."""

from __future__ import annotations

from pathlib import Path

import pytest
from local_slurm import QUEUE, SlurmShell, wait_for

SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "slurm"
TASK = [*QUEUE, "--array=0-1", "--nodes=1", "--gpus=0", "--cpus-per-task=1", "--mem=1000", "--output=log.%a"]
FEW_AT_A_TIME = ["--engine", "transformers", "--window", "8"]


def sorted_rows(*paths: Path) -> list[bytes]:
    return sorted(line for path in paths for line in path.read_bytes().splitlines())


def begun(part: Path) -> bool:
    return part.exists() and part.stat().st_size > 0


def node_of(slurm_shell: SlurmShell, task: str) -> tuple[str, str]:
    """The job id that Slurm knows a task of an array by, and its node."""
    job, node = slurm_shell.run("squeue", "-h", "-j", task, "-o", "%A %N").split()
    return job, node


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lost", [False, True], ids=["requeued", "its node lost"])
@pytest.mark.parametrize("stage", ["rollout", "judge"])
def test_the_tasks_of_an_array_do_what_one_run_does(slurm_shell, tmp_path, stage, lost):
    """A task is interrupted in the middle; together the shards hold the rows of a run without Slurm."""
    run = slurm_shell.run
    run("libra", "collect", "--preset", "libra-mini", "--where", "index % 12 == 0", "-o", "in.jsonl")
    activate = tmp_path / "activate"
    activate.write_text("echo activated; conda=$NOT_SET\n")  # which set -u would not survive
    model, more, name = "libra-mini/weak", ["-n", "4"], "responses"
    if stage == "judge":
        run("libra", "rollout", "in.jsonl", "--model", model, *more, "--engine", "transformers", "-o", "raw.jsonl")
        run("libra", "verify", "raw.jsonl", "-o", "in.jsonl", "--overwrite")
        model, more, name = "libra-mini/judge", [], "judged"
    words = ["in.jsonl", model, *more, *FEW_AT_A_TIME]
    job = run(*TASK, str(SCRIPTS / f"{stage}.sbatch"), *words, ACTIVATE=str(activate)).strip()
    wait_for(lambda: begun(tmp_path / f"{name}.1.jsonl.part"), "rows of the second shard")
    task = f"{job}_1"
    node = slurm_shell.lose_node(run("squeue", "-h", "-j", task, "-o", "%A").strip(), 0) if lost else ""
    if not lost:
        run("scontrol", "requeue", task)
    slurm_shell.starts_again(task, node)
    run("libra", stage, "in.jsonl", "--model", model, *words[2:], "-o", "whole.jsonl")
    slurm_shell.ended(job)

    log = (tmp_path / "log.1").read_text()
    assert "activated" in log
    assert log.count("activated") == 2
    assert " + 0 already done" not in log.splitlines()[-1]  # it continued
    shards = [tmp_path / f"{name}.{task}.jsonl" for task in (0, 1)]
    assert sorted_rows(*shards) == sorted_rows(tmp_path / "whole.jsonl")
