"""`libra` without its start: commands run in forks of a process that has imported already what they import.

Half of the time of the tests goes into processes that import torch, transformers and DeepSpeed, which takes seconds.
Here a small client stands where `libra` stands, hands its words, environment, folder and open files to a server, and
ends as the fork does that the server makes for it. The fork has a process of its own, as any command: it shares nothing
that it changes. The server has one thread and no device.

The client becomes the real `libra` wherever a fork would differ from it: other environment variables that count when
something is imported, ignored signals, closed streams, limits on resources. On machines with a GPU, and with
LIBRA_COLD_TESTS=1, all commands are real ones. Tests of what a process is (signals to it, its memory, its children)
start real ones, too.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from glob import glob
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SCRIPTS = Path(sys.executable).parent
FREE = ("LIBRA_", "PYTEST_", "COLUMNS", "PATH", "PYTHONPATH", "PWD", "OLDPWD", "SHLVL", "_", "LC_ALL", "LANG", "TMPDIR",
        "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "LIBRA_MEETING",
        "SPT_NOENV")  # fmt: skip
"""Environment variables, or how they begin, that may differ from the server's: what reads them does so as it runs."""
IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)
LIMITS = (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_DATA,
          resource.RLIMIT_NPROC, resource.RLIMIT_STACK)  # fmt: skip


def is_forking() -> bool:
    """Whether commands are forks here: one that has seen a GPU could not use it in a fork."""
    return not (glob("/dev/nvidia[0-9]*") or os.environ.get("LIBRA_COLD_TESTS"))


@functools.cache
def folder() -> Path:
    """A folder with `libra` (and `warm-python`), to stand first on PATH; the server ends with this process."""
    place = Path(tempfile.mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    if not is_forking():
        (place / "libra").symlink_to(SCRIPTS / "libra")
        (place / "warm-python").symlink_to(sys.executable)
        return place
    base = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    client = place / "libra"
    told: dict[str, Any] = {
        "sockets": [str(place / "plain"), str(place / "torch")],
        "real": {"libra": str(SCRIPTS / "libra"), "warm-python": sys.executable},
        "environment": {name: value for name, value in base.items() if not name.startswith(FREE)}, "free": FREE,
        "paths": ["", str(REPOSITORY)], "ignored": [int(number) for number in IGNORED],
        "limits": {number: resource.getrlimit(number) for number in LIMITS},
    }  # fmt: skip
    client.write_text(f"#!{sys.executable} -IS\nTOLD = {told!r}\n{(HERE / 'warm_client.py').read_text()}")
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    (place / "warm-python").symlink_to(client)
    for path, words in zip(told["sockets"], ([], ["torch"]), strict=True):
        server = subprocess.Popen(
            [sys.executable, str(HERE / "warm_server.py"), path, *words],
            env=base, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert server.stdout is not None
        server.stdout.readline()  # it listens
        atexit.register(_end, server)
    return place


def _end(server: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        server.stdin.close()  # type: ignore[union-attr]
    server.wait(30)


def libra(*words: str) -> list[str]:
    """The command line of `libra WORDS`."""
    return [str(folder() / "libra"), *words]


def python(script: str | Path, *words: str) -> list[str]:
    """The command line of `python SCRIPT WORDS`."""
    return [str(folder() / "warm-python"), str(script), *words]


def path() -> str:
    """PATH with `libra` as it is here."""
    return f"{folder()}{os.pathsep}{SCRIPTS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
