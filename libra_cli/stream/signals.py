"""Stop requests (SIGINT, SIGTERM, USR1, USR2), handled while the main thread may be deep in an engine's compiled code.

The interpreter itself writes each signal's number to a pipe, which the run's monitor reads: nothing waits for the main
thread to return to Python. Correctness never depends on a signal being obeyed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from libra_cli.exits import Exit
from libra_cli.plural import duration
from libra_cli.stream.console import over_progress, write_stderr

INTERRUPT_GRACE = 5.0
AT_ONCE_GRACE = 0.8
"""For what can end at once: a library may be in compiled code, or keep the request to itself."""
ECHO_SECONDS = 0.1
"""Shorter than anybody takes to press a key twice."""
BY_BATCH_SYSTEM = (signal.SIGUSR1, signal.SIGUSR2)
"""What a batch system sends before a time limit: one or the other, as its user says."""
STATUS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    **dict.fromkeys(BY_BATCH_SYSTEM, Exit.STOPPED),
}


class CtrlC:
    """Tells a second Ctrl-C from an echo: `timeout` and others forward a signal that the terminal sent to all of us."""

    def __init__(self) -> None:
        self._since: float | None = None

    def pressed(self) -> bool:
        """Whether the SIGINT that has just arrived is a new key press, not an echo of the last one."""
        now = time.monotonic()
        if self._since is not None and now - self._since < ECHO_SECONDS:
            return False
        self._since = now
        return True


class StopNow(BaseException):
    """Ends what can end at once when a stop is requested; no `except Exception` of a library may keep it."""


class StopRequest:
    """Handles the stop signals for the length of a run; `status` is None until a stop is requested.

    The run then has `grace` seconds (after Ctrl-C `interrupt_grace`). `says`: report the request on stderr.
    """

    def __init__(self, stage: str, grace: float, interrupt_grace: float = INTERRUPT_GRACE, says: bool = True):
        self.stage, self.grace, self._interrupt_grace, self._says = stage, grace, interrupt_grace, says
        self.status: Exit | None = None
        self._deadline: float | None = None
        self._ends_at_once = False
        self.ended_at_once = False
        """A stop has ended a block of `at_once`; what that began may still be there."""
        self.on_leave: Callable[[], None] = lambda: None
        """Called before the process ends at once; must never wait."""
        self._before: dict[int, Any] = {}
        self._ctrl_c = CtrlC()
        self._wakeup_before = -1
        self.wake_fd, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        """Becomes readable when the run's thread must stop waiting for input."""
        self.signal_fd, self._signal_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        """Becomes readable when `take` has something to do."""

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._wakeup_before = signal.set_wakeup_fd(self._signal_write, warn_on_full_buffer=False)
            for number in STATUS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and `trap ''` are respected
                    self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._wakeup_before)
        for descriptor in (self.wake_fd, self._wake_write, self.signal_fd, self._signal_write):
            os.close(descriptor)

    def take(self) -> None:
        """Handles the signals since the last call; ends the process once the grace period is over."""
        try:
            numbers = os.read(self.signal_fd, 512)
        except BlockingIOError:
            numbers = b""
        for number in numbers:
            if number in self._before:
                self._request(signal.Signals(number))
        if self._deadline is not None and time.monotonic() >= self._deadline:
            # There is no time left to wait for what still runs; every row written so far is whole.
            self._leave(self.status or Exit.TERMINATED)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Has a request to stop end the block at once, until `waits_again`; the caller looks at `status` afterwards.

        For what has nothing to lose, such as the loading of a model. The main thread uses it.
        """
        try:
            self._ends_at_once = threading.current_thread() is threading.main_thread()
            yield
            self._ends_at_once = False
        except StopNow:
            while self.status is None:  # the monitor has yet to take the signal
                time.sleep(0.01)
        finally:
            self._ends_at_once = False

    def waits_again(self) -> None:
        """Takes the power to end it from the block of `at_once`: from now on it has something to lose."""
        self._ends_at_once = False

    def comes_within(self, seconds: float) -> bool:
        """Whether a stop is requested, or will be in so many seconds; waits until then. Needs a monitor."""
        deadline = time.monotonic() + seconds
        while self.status is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.status is not None

    def wake(self) -> None:
        """Makes the run's thread stop waiting for input."""
        os.write(self._wake_write, b"!")

    def poke(self) -> None:
        """Wakes the monitor."""
        os.write(self._signal_write, b"\0")

    def _request(self, number: signal.Signals) -> None:
        if number == signal.SIGINT and not self._ctrl_c.pressed():
            return
        if self.status is not None:
            if number == signal.SIGINT:
                self._leave(Exit.INTERRUPTED)  # the second Ctrl-C does not wait
            return
        at_once = self._ends_at_once or self.ended_at_once
        self.status = STATUS[number]
        grace = min(self.grace, self._interrupt_grace) if number == signal.SIGINT else self.grace
        self._deadline = time.monotonic() + (min(grace, AT_ONCE_GRACE) if at_once else grace)
        hint = "; Ctrl-C again stops at once" if number == signal.SIGINT else ""
        if self._says and not at_once:
            line = f"libra {self.stage}: stopping, up to {duration(grace)} for what is in flight{hint}\n"
            write_stderr(over_progress(line), wait=False)
        self.wake()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        """Runs in the main thread; the interpreter has already written the signal's number to the pipe."""
        if self._ends_at_once:
            self._ends_at_once, self.ended_at_once = False, True
            raise StopNow

    def _leave(self, status: Exit) -> NoReturn:
        self.on_leave()
        leave(status)


def leave_when_asked() -> None:
    """Ends the process at SIGTERM, USR1 or USR2, with that request's status, until somebody else handles the signal.

    A thread takes the request as well: the main thread may be in compiled code for minutes, or just about to wait.
    """

    def asked(number: int, _frame: FrameType | None) -> None:
        leave(STATUS[signal.Signals(number)])

    def take() -> None:
        while came := os.read(wakes, 512):
            for number in came:
                if signal.getsignal(number) is asked:
                    asked(number, None)

    asks = (signal.SIGTERM, *BY_BATCH_SYSTEM)
    handled = [number for number in asks if signal.getsignal(number) is signal.SIG_DFL]
    if not handled:
        return
    wakes, woken = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))  # what a child is sent is no request to us
    threading.Thread(target=take, name="requests to stop", daemon=True).start()
    for number in handled:
        signal.signal(number, asked)


def leave(status: int) -> NoReturn:
    """Ends the process at once, and the processes it started: a stuck engine would otherwise live on."""
    kill_descendants(os.getpid())
    os._exit(status)


def kill_descendants(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Kills the processes that `pid` started, and those that they started; or sends them another signal."""
    for descendant in _descendants(pid):
        try:
            os.kill(descendant, number)
        except ProcessLookupError:
            pass  # it ended meanwhile


def _descendants(pid: int) -> list[int]:
    """Processes that `pid` started, and those that they started (Linux; elsewhere none are known)."""
    descendants: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            started = [int(word) for word in children.read_text().split()]
        except OSError:
            continue  # the thread or process ended meanwhile
        for child in started:
            descendants += [child, *_descendants(child)]
    return descendants
