"""Ranks of a run as torchrun and others start them: one process each, which nobody ends when another one fails."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import sft_runs
from local_slurm import TITLES

from libra_cli.training.distributed.launch import free_port


def environment(folder: Path) -> dict[str, str]:
    """Of a run whose processes, and what these start, `at_work` finds by the folder."""
    return {**sft_runs.environment(), **TITLES, "TMPDIR": str(folder)}


def start_ranks(words: Sequence[str], ranks: int, folder: Path) -> list[subprocess.Popen[bytes]]:
    """Starts a command as so many ranks; what rank N says is in FOLDER/rank.N."""
    port = free_port()
    started = []
    for rank in range(ranks):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks,
                 "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}  # fmt: skip
        env = environment(folder) | {name: str(value) for name, value in place.items()}
        with open(folder / f"rank.{rank}", "wb") as said:
            started.append(subprocess.Popen(words, env=env, stdout=said, stderr=subprocess.STDOUT))
    return started


def statuses(ranks: Sequence[subprocess.Popen[bytes]], seconds: float) -> list[int]:
    """The exit statuses of ranks that end by themselves in time; kills those that do not."""
    try:
        return [rank.wait(seconds) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()


def at_work(folder: Path) -> list[psutil.Process]:
    """The processes that run with the `environment` of this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it has ended, or is not ours
    return found


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether `condition()` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
