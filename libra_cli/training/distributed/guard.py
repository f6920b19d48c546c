"""A process between a rank and a server that it starts: whatever ends the rank, no process of the server is left.

The guard hears of the rank's end as the end of its standard input. On Linux the kernel gives it the orphans below it,
and kills the server if the guard is killed; elsewhere those of a killed server may stay.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from libra_cli.exits import die_with_parent
from libra_cli.stream.module_path import python_command
from libra_cli.stream.signals import BY_BATCH_SYSTEM, kill_descendants

PATIENCE = 3.0
"""Seconds for a server to end by itself."""
POLL_SECONDS = 0.1
REQUESTS = (signal.SIGTERM, *BY_BATCH_SYSTEM, signal.SIGHUP)
"""Blocked in guard and server: Slurm sends them to all processes, and ranks that train may still need the server."""
_PR_SET_CHILD_SUBREAPER = 36


def start_guarded(words: Sequence[str], environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
    """Starts a command below a guard, whose status is the command's; both write to the descriptor `log`.

    Closing the guard's standard input sends SIGINT to the command and its processes, and soon SIGKILL.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    try:
        return subprocess.Popen(
            python_command(f"from {__name__} import main; main()", *words),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches all processes of the terminal's session
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def main() -> NoReturn:
    """Runs the command in sys.argv[1:] until it or the standard input ends, and ends with its status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    guard = os.getpid()
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=lambda: die_with_parent(guard))
    while server.poll() is None and not select.select([0], [], [], POLL_SECONDS)[0]:
        pass
    if server.poll() is None:
        kill_descendants(os.getpid(), signal.SIGINT)  # as Ctrl-C: vLLM's workers then tidy up, too
        deadline = time.monotonic() + PATIENCE
        while server.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    kill_descendants(os.getpid())  # its workers may outlive it
    status = server.wait()
    sys.exit(status if status >= 0 else 128 - status)
