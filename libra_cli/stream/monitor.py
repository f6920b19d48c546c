"""The monitor thread of a run: the run's own thread may be deep in an engine's compiled code."""

from __future__ import annotations

import faulthandler
import select
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from libra_cli.exits import Exit
from libra_cli.plural import duration
from libra_cli.stream.console import over_progress, write_message, write_stderr
from libra_cli.stream.ending import ERROR, tell
from libra_cli.stream.signals import StopRequest, leave

POLL_SECONDS = 0.2


class Monitor:
    """Handles stop requests at once and calls `poll` five times a second; `poll` must never wait for anything."""

    def __init__(self, stop: StopRequest, poll: Callable[[], None]):
        self._stop, self._poll = stop, poll
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="libra-monitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread; `poll` is not called afterwards."""
        self._over = True
        self._stop.poke()
        self._thread.join()

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._stop.signal_fd, select.POLLIN)
        while not self._over:
            poller.poll(POLL_SECONDS * 1000)
            self._stop.take()
            self._poll()


class Progress(NamedTuple):
    """How far the work of a stage is."""

    at_work: int
    """Jobs that wait for an answer."""
    settled: int
    """Jobs answered, or any other number that grows with progress."""


class Watchdog:
    """Ends the process if jobs are at work and none was answered for `timeout` seconds; with `debug`, shows where."""

    def __init__(self, stage: str, timeout: float, debug: bool, on_leave: Callable[[], None]):
        self._stage, self._timeout, self._debug, self._on_leave = stage, timeout, debug, on_leave
        self._seen, self._since = -1, time.monotonic()

    def check(self, progress: Progress) -> None:
        """Compares `progress` with that of the last call."""
        now = time.monotonic()
        if not progress.at_work or progress.settled != self._seen:
            self._seen, self._since = progress.settled, now
        elif self._timeout and now - self._since > self._timeout:
            write_stderr(over_progress(""), wait=False)
            if self._debug:
                faulthandler.dump_traceback(2)
            stalled = (
                f"nothing finished for {duration(self._timeout)} (--stall-timeout) with {progress.at_work} jobs at work"
            )
            where = "" if self._debug else "; --debug shows where"
            write_message(f"libra {self._stage}: {stalled}; with -o FILE the same command continues{where}\n")
            tell(ERROR, stalled)
            self._on_leave()
            leave(Exit.BACKEND)
