"""A thread beside a run, so that nothing has to wait for the run's own thread, which may be deep in an engine."""

from __future__ import annotations

import faulthandler
import select
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from libra_cli.exits import Exit
from libra_cli.stream.console import write_stderr
from libra_cli.stream.signals import StopRequest, leave

BEAT_SECONDS = 0.2


class Monitor:
    """Notes requests to stop at once and calls `beat` five times a second, which must never wait for anything."""

    def __init__(self, stop: StopRequest, beat: Callable[[], None]):
        self._stop, self._beat = stop, beat
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="libra-monitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread; no beat runs afterwards."""
        self._over = True
        self._stop.poke()
        self._thread.join()

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._stop.signal_fd, select.POLLIN)
        while not self._over:
            poller.poll(BEAT_SECONDS * 1000)
            self._stop.take()
            self._beat()


class Progress(NamedTuple):
    """How far the work of a stage is, as its watchdog needs to know."""

    at_work: int
    """Jobs whose answer somebody owes."""
    settled: int
    """Jobs answered; any growing number does."""


class Watchdog:
    """Ends the process with a stack dump where work is at hand and none was finished for `timeout` seconds."""

    def __init__(self, stage: str, timeout: float):
        self._stage, self._timeout = stage, timeout
        self._seen, self._since = -1, time.monotonic()

    def check(self, progress: Progress) -> None:
        now = time.monotonic()
        if not progress.at_work or progress.settled != self._seen:
            self._seen, self._since = progress.settled, now
        elif self._timeout and now - self._since > self._timeout:
            self._give_up(progress.at_work)

    def _give_up(self, at_work: int) -> None:
        faulthandler.dump_traceback(2)
        write_stderr(
            f"libra {self._stage}: no answer for {self._timeout:g} s (--stall-timeout) with {at_work} jobs at work; "
            "with -o FILE the same command continues\n"
        )
        leave(Exit.BACKEND)
