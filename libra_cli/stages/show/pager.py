"""Text to a terminal a page at a time, anywhere else as it is."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

LESS = "less"
LESS_FLAGS = "FRX"
"""Quit if it fits on one screen, let styles through, leave the text on the screen; as git sets it."""


def write(lines: Iterable[str], paged: bool) -> None:
    """Writes lines to standard output, through $PAGER (less) if `paged`; the reader may stop at any line."""
    pager = _started() if paged else None
    if pager is None:
        out = sys.stdout.buffer
        for line in lines:
            out.write(line.encode("utf-8", "backslashreplace") + b"\n")
        out.flush()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
    try:
        assert pager.stdin is not None
        with suppress(BrokenPipeError):
            for line in lines:
                pager.stdin.write(line.encode("utf-8", "backslashreplace") + b"\n")
        with suppress(BrokenPipeError):
            pager.stdin.close()
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _started() -> subprocess.Popen[bytes] | None:
    """The pager; None if there is none, or $PAGER is `cat`."""
    command = shlex.split(os.environ.get("PAGER", "") or LESS)
    if command == ["cat"]:
        return None
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env={"LESS": LESS_FLAGS, "LESSCHARSET": "utf-8", **os.environ}
        )
    except OSError:
        return None
