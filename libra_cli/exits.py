"""How the program and its children end: exit statuses, the exceptions that carry them, and the death of a parent."""

from __future__ import annotations

import os
import signal
import sys
from enum import IntEnum


class Exit(IntEnum):
    """All exit statuses of libra; any other one means that the process crashed or was killed."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    SOME_ERRORS = 3
    BACKEND = 6
    INCOMPLETE = 7
    LOCKED = 11
    WRITE_FAILED = 74
    STOPPED = 75
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


MEANINGS: dict[Exit, str] = {
    Exit.DONE: "all rows done",
    Exit.INTERNAL: "internal error, or the row counts do not add up",
    Exit.USAGE: "usage or configuration error; correct what the message names",
    Exit.SOME_ERRORS: "finished, but some rows were refused (see --errors)",
    Exit.BACKEND: "the engine or server is unavailable, broken or stalled",
    Exit.INCOMPLETE: "the input ended before it was complete",
    Exit.LOCKED: "another run is writing the same output",
    Exit.WRITE_FAILED: "a write failed (disk full, quota, I/O error)",
    Exit.STOPPED: "stopped on request (USR1); run the same command again",
    Exit.INTERRUPTED: "interrupted (SIGINT); run the same command again",
    Exit.READER_GONE: "the reader of standard output went away",
    Exit.TERMINATED: "terminated (SIGTERM); run the same command again",
}


class Fatal(Exception):
    """Ends the run with `status` and one line on stderr that says what to do."""

    def __init__(self, status: Exit, message: str):
        super().__init__(message)
        self.status = status


class InvalidOptions(Fatal):
    """Options that are wrong or do not go together; the command line reports them with a pointer to its --help."""

    def __init__(self, message: str):
        super().__init__(Exit.USAGE, message)


class ReaderGone(Fatal):
    """The reader of standard output has left; the run ends silently."""

    def __init__(self) -> None:
        super().__init__(Exit.READER_GONE, "the reader of standard output went away")


_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when the thread of `parent` that started it ends (Linux).

    Exits at once if `parent`, the expected parent's process id, has ended already.
    """
    import ctypes  # here, since every start of the program imports this module

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has ended already")
