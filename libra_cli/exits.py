"""Exit statuses, the same for every stage, and the exception that ends a run with one of them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of a process; any other one is a failure."""

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
    Exit.USAGE: "usage or configuration error; nothing was done",
    Exit.SOME_ERRORS: "finished, but some rows were refused (see --errors)",
    Exit.BACKEND: "the engine or server is unavailable, broken or stalled",
    Exit.INCOMPLETE: "the input ended before it was complete",
    Exit.LOCKED: "another run is writing the same output",
    Exit.WRITE_FAILED: "a write failed (disk full, quota, I/O error)",
    Exit.STOPPED: "stopped on request (USR1); the same command continues",
    Exit.INTERRUPTED: "interrupted (SIGINT); the same command continues",
    Exit.READER_GONE: "the reader of standard output went away",
    Exit.TERMINATED: "terminated (SIGTERM); the same command continues",
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
