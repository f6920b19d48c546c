"""What tests on a real Slurm share: its nodes, jobs in its queue, and a node that is lost."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 600.0
"""Seconds after which what is expected will not come, on a busy machine either."""
QUEUE = ["sbatch", "--parsable", "--oversubscribe", "--time=15"]
"""Any node of the tests' Slurm, which has no GPUs, is shared with other jobs."""

TITLES = {"SPT_NOENV": "1"}
"""With it, processes that change their titles, as vLLM's do, keep the environment by which tests find them."""


def slurm_nodes() -> int:
    """Nodes of the Slurm of this machine that are up."""
    if shutil.which("srun") is None:
        return 0
    states = ["sinfo", "-h", "-N", "-t", "idle,mix,alloc,comp", "-o", "%N"]
    return len(set(subprocess.run(states, capture_output=True, check=False).stdout.split()))


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Fails where `condition()` does not become true in time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.1)


class SlurmShell:
    """Runs commands in a folder, and waits for what they have put into the queue."""

    def __init__(self, folder: Path, environment: Mapping[str, str]):
        self.folder, self.environment = folder, environment

    def run(self, *words: str, **env: str) -> str:
        """What a command that succeeds has written."""
        own = {**self.environment, **env}
        done = subprocess.run(words, cwd=self.folder, env=own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_queued_again(self, job: str) -> None:
        """Waits until a job that has run is in the queue."""
        wait_for(lambda: "PENDING" in self.run("squeue", "-h", "-j", job, "-o", "%T"), "it is queued again")

    def starts_again(self, job: str, node: str = "") -> None:
        """Has a job that is queued again start at once, where Slurm would wait two minutes; `node` was lost."""
        self.is_queued_again(job)
        time.sleep(3)  # in the second in which it was queued again, Slurm would take it for the run that has ended
        if node and "down" in self.run("sinfo", "-h", "-n", node, "-o", "%T"):  # else it has come back by itself
            self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self.run("scontrol", "update", f"JobId={job}", "StartTime=now")

    def ended(self, *jobs: str) -> None:
        """Waits until jobs and arrays have left the queue."""
        wait_for(lambda: not {*jobs} & {*self.run("squeue", "-h", "-o", "%F").split()}, "they have ended")

    def lose_node(self, job: str, number: int = 1) -> str:
        """Kills all that the job runs on one of its nodes, which Slurm then takes to be down; gives the node's name."""
        where = self.run("squeue", "-h", "-j", job, "-o", "%N").strip()
        node = self.run("scontrol", "show", "hostnames", where).split()[number]
        here = {"SLURM_JOB_ID": job, "SLURMD_NODENAME": node}
        lost = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if here.items() <= process.environ().items():
                    lost.append(process)
        # First what would tell Slurm that its processes have ended, since a job that has ended is not queued again.
        for process in [*(parent for each in lost for parent in daemons_above(each)), *lost]:
            with suppress(psutil.Error):
                process.kill()
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=killed by a test")
        return node


def daemons_above(process: psutil.Process) -> list[psutil.Process]:
    """Slurm's own process for the step that a process belongs to."""
    with suppress(psutil.Error):
        return [each for each in process.parents() if each.name().startswith("slurmstepd")]
    return []
