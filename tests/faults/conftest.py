"""Processes that are started, fed, signalled and killed: the real command line, never a stand-in for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_rows import STAGES

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """`start(stage, *options, **popen)` begins a test stage, with pipes for its streams; what still runs is killed."""
    running: list[subprocess.Popen] = []

    def begin(*words: str, env: dict[str, str] | None = None, **popen) -> subprocess.Popen:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(
            [sys.executable, str(STAGES), *words], cwd=tmp_path, env=environment | (env or {}), **(pipes | popen)
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def stages() -> str:
    """The test stages, for a shell."""
    return f"{sys.executable} {STAGES}"


@pytest.fixture
def chance() -> random.Random:
    """Chance that can be repeated: LIBRA_SEED sets it, and a failure shows it."""
    seed = int(os.environ.get("LIBRA_SEED", random.SystemRandom().randrange(10**6)))
    print(f"LIBRA_SEED={seed}")
    return random.Random(seed)
