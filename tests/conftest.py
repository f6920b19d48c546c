"""What every test shares: the shell that a user has, and `libra` in it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import warm
from hypothesis import HealthCheck, settings
from local_slurm import TITLES, SlurmShell, slurm_nodes

# The same examples in every run, and no failure because a machine is busy.
settings.register_profile("libra", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("libra")

SCRIPTS = Path(sys.executable).parent
TESTS = Path(__file__).parent
WARM = ("cases", "contract", "docs", "engines", "metrics", "paper", "records", "reports", "rm_benchmarks", "stages")
"""Folders of tests that are about what a stage does, not about its process."""

# Who starts the tests in the background has them ignore Ctrl-C, and every process below would inherit that.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status and what it wrote."""

    status: int
    out: bytes
    err: bytes


Shell = Callable[..., Ended]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """A user's environment: this Python's scripts first on PATH, nothing that changes what libra does or prints."""
    # PYTHONUNBUFFERED would hide rows that are lost in a buffer, PYTHONDONTWRITEBYTECODE make every process compile
    # sympy anew; the rest are settings of whoever runs the tests.
    dropped = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "LIBRA_", "SLURM_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    threads = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # tests run side by side
    return {**kept, **threads, **TITLES, "PATH": path, "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="session")
def two_nodes() -> None:
    """A Slurm with two nodes that are up; without one the test is skipped."""
    if slurm_nodes() < 2:
        pytest.skip("needs a Slurm with two nodes that are up (srun, sinfo)")


@pytest.fixture
def slurm_shell(two_nodes: None, tmp_path: Path, environment: dict[str, str]) -> Iterator[SlurmShell]:
    """Runs commands in `tmp_path`, and has a Slurm with two nodes, which no other test takes a node away from."""
    with open(Path(tempfile.gettempdir()) / "libra-tests-slurm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield SlurmShell(tmp_path, environment)


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Shell:
    """`shell(command, ...)` runs a command to its end, in `tmp_path` unless told otherwise.

    `command` is a list of words, or text for bash. `input` is given on standard input (default: nothing), `env` is
    added to the environment. A command that outlives `timeout` seconds is killed with all its children, and fails.
    In the folders `WARM`, `libra` runs in a fork of a process that has imported what it needs.
    """
    own = environment | ({"PATH": warm.path()} if request.path.relative_to(TESTS).parts[0] in WARM else {})

    def run(
        command: str | Sequence[str],
        *,
        input: bytes = b"",
        cwd: Path = tmp_path,
        env: Mapping[str, str] = MappingProxyType({}),
        timeout: float = 120,
    ) -> Ended:
        words = ["bash", "-c", command] if isinstance(command, str) else list(command)
        process = subprocess.Popen(
            words, cwd=cwd, env={**own, **env}, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = process.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            pytest.fail(f"{command!r} did not end within {timeout:g} s; stderr: {err.decode(errors='replace')[-2000:]}")
        return Ended(process.returncode, out, err)

    return run
