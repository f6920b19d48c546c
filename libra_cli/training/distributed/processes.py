"""The ranks of one node as processes: starts them, passes requests to stop on, and leaves none behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from libra_cli.exits import Exit
from libra_cli.stream.console import write_message
from libra_cli.stream.ending import ERROR, tell
from libra_cli.stream.module_path import own_command
from libra_cli.stream.signals import STATUS, CtrlC, kill_descendants

LAUNCHER = "LIBRA_LAUNCHER_PID"
"""Environment variable with the launcher's process id, for the ranks that it starts."""
REQUESTS = {
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGUSR1: signal.SIGUSR1,
    signal.SIGUSR2: signal.SIGUSR1,
    signal.SIGINT: signal.SIGTERM,
    signal.SIGHUP: signal.SIGTERM,
}
"""Request to stop -> signal that the ranks are sent."""
ONLY_TO_LAUNCHER = (signal.SIGINT, signal.SIGHUP)
"""Ranks ignore these, which a terminal or Slurm sends to all processes: a second request would stop them at once."""
ANSWERS: dict[int, int] = dict([*STATUS.items(), (signal.SIGHUP, 128 + signal.SIGHUP)])
"""Request to stop -> exit status."""
ANSWERED: dict[int, signal.Signals] = {status: signal.Signals(number) for number, status in ANSWERS.items()}
"""Exit status -> the request to stop that it answers."""
FINISHED = (Exit.DONE, Exit.SOME_ERRORS)

MARGIN = 5.0
"""Seconds beyond the grace period within which a rank should end."""
AGREEMENT_PATIENCE = 0.5
"""Seconds for the other ranks to end once one has stopped, before they are asked to: ranks may agree to stop."""
FAILURE_PATIENCE = 5.0
"""Seconds for the other ranks to report once one has failed; most wait for it in a collective."""
KILL_PATIENCE = 10.0
"""Seconds for killed ranks to end; a hanging driver or file system can hold one forever."""
LONGEST_LINE = 1 << 16


def run_ranks(variables: Sequence[Mapping[str, str]], grace: float) -> int:
    """Starts this command once for each of `variables`, the environment of a rank; returns the exit status of all.

    That is the status of the first rank that failed, else that of the request to stop, else the ranks' own.
    """
    with _Signals() as signals:
        ranks = Ranks(grace)
        ranks.start(variables)
        while ranks.running:
            for number in signals.wait(ranks.seconds_left):
                ranks.request(number)
            ranks.look()
        ranks.drain()
    return ranks.status


class Ranks:
    """Processes by rank, and their common exit status."""

    def __init__(self, grace: float):
        self.grace = grace
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.failure: int | None = None
        """The status of the first rank that failed."""
        self.stopped: int | None = None
        """The status of ranks that stopped on request, whether or not the request came through this process."""
        self.finished: int = Exit.DONE
        self._asked: signal.Signals | None = None
        self._interrupted = self._killed = False
        self._ctrl_c = CtrlC()
        self._deadline: float | None = None
        self._ask_at: float | None = None
        """When to ask the others, once a rank stopped that this process did not ask."""
        self._relays: list[threading.Thread] = []

    @property
    def status(self) -> int:
        """The exit status of all ranks; a failure outweighs a request to stop, which outweighs the rest."""
        if self.failure is not None:
            return self.failure
        return self.finished if self.stopped is None else self.stopped

    @property
    def seconds_left(self) -> float | None:
        """Seconds until there is something to do, whatever the ranks do; None if nothing is."""
        times = [at for at in (self._deadline, self._ask_at) if at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def start(self, variables: Sequence[Mapping[str, str]]) -> None:
        """Starts the ranks with requests to stop blocked: an early one stays pending until a rank is set up."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
        try:
            for each in variables:
                self._start(int(each["RANK"]), {**os.environ, **each, LAUNCHER: str(os.getpid())})
        except BaseException:
            kill_descendants(os.getpid())
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def request(self, number: signal.Signals) -> None:
        """Asks all ranks to stop; a second Ctrl-C ends them at once."""
        if number == signal.SIGINT and not self._ctrl_c.pressed():
            return
        if number == signal.SIGINT and self._interrupted:
            self._end_within(0)
            return
        if number == signal.SIGINT:
            self._interrupted = True
            _say("Ctrl-C again stops at once")
        self._ask(number)

    def _ask(self, number: signal.Signals) -> None:
        """Sends a request to stop to all ranks, and gives them until the end of the grace period."""
        self._asked = self._asked or number
        self._end_within(self.grace + MARGIN)
        for process in self.running.values():
            process.send_signal(REQUESTS[number])

    def look(self) -> None:
        """Notes which ranks have ended, and ends the others at the deadline."""
        now = time.monotonic()
        if self._ask_at is not None and self._ask_at <= now:
            self._ask_at = None
            if self.stopped is not None:
                self._ask(ANSWERED[self.stopped])
        if self._deadline is not None and self._deadline <= now:
            self._overdue()
        ended = {rank: process.returncode for rank, process in self.running.items() if process.poll() is not None}
        # Of several, a rank that a signal ended is the cause: the others may have lost their connection to it.
        for rank, code in sorted(ended.items(), key=lambda item: item[1] >= 0):
            del self.running[rank]
            self._ended(rank, code)

    def drain(self) -> None:
        """Waits for the last lines of the ranks, but not for a process of theirs that still holds their stderr."""
        for relay in self._relays:
            relay.join(1.0)

    def _start(self, rank: int, environment: Mapping[str, str]) -> None:
        # Rank 0 writes to stderr itself: it shows the progress.
        process = subprocess.Popen(
            own_command(),
            env=environment,
            close_fds=False,  # `libra sft <(libra mix ...)` names a descriptor that we inherited
            stderr=None if rank == 0 else subprocess.PIPE,
        )
        self.running[rank] = process
        if process.stderr is not None:
            relay = threading.Thread(target=_pass_on, args=(rank, process.stderr), daemon=True)
            relay.start()
            self._relays.append(relay)

    def _ended(self, rank: int, code: int) -> None:
        if self._killed:
            return
        status = code if code >= 0 else 128 - code
        if status in FINISHED:
            self.finished = max(self.finished, status)
        elif status in ANSWERED:
            self.stopped = status if self._asked is None else ANSWERS[self._asked]
            self._end_within(self.grace + MARGIN)
            if self._asked is None and self._ask_at is None:
                self._ask_at = time.monotonic() + AGREEMENT_PATIENCE
        elif self.failure is None:
            self.failure = status
            self._end_within(FAILURE_PATIENCE)
            if status == Exit.READER_GONE:
                return
            what = f"ended with status {code}"
            if code < 0:
                hint = " (out of memory? see the kernel's log)" if code == -signal.SIGKILL else ""
                name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
                what = f"was killed by {name}{hint}"
            others = "; the others on this host are ended" if self.running else ""
            tell(ERROR, f"rank {rank} on {socket.gethostname()} {what}")
            _say(f"rank {rank} on {socket.gethostname()} {what}{others}")

    def _end_within(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._deadline = end if self._deadline is None else min(end, self._deadline)

    def _overdue(self) -> None:
        """Kills the running ranks and the processes that they started; gives up on those that survive."""
        if self._killed:
            _say(f"left behind, could not be killed: {', '.join(f'rank {rank}' for rank in self.running)}")
            self.running.clear()
            return
        self._killed = True
        if self.failure is None:
            _say(f"killed, because it did not stop: {', '.join(f'rank {rank}' for rank in self.running)}")
            self.stopped = self.stopped if self._asked is None else ANSWERS[self._asked]
        kill_descendants(os.getpid())
        self._deadline = time.monotonic() + KILL_PATIENCE


class _Signals:
    """Waits for requests to stop and for ends of ranks; ignored signals stay ignored."""

    def __enter__(self) -> _Signals:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        handled = [number for number in REQUESTS if signal.getsignal(number) is not signal.SIG_IGN]
        # The handlers do nothing: the interpreter writes the number of each signal to the pipe.
        self._before: dict[int, Any] = {
            number: signal.signal(number, lambda *_: None) for number in (*handled, signal.SIGCHLD)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float | None) -> list[signal.Signals]:
        """The requests received; none if a rank ended or `seconds` passed."""
        if not select.select([self._read], [], [], seconds)[0]:
            return []
        return [signal.Signals(number) for number in os.read(self._read, 512) if number in REQUESTS]


def _pass_on(rank: int, stderr: IO[bytes]) -> None:
    """Writes the lines of a rank to stderr, each whole and with the rank's number."""
    while line := stderr.readline(LONGEST_LINE):
        text = line.decode("utf-8", "backslashreplace")
        write_message(f"[rank {rank}] {text}" + ("" if text.endswith("\n") else "\n"))


def _say(message: str) -> None:
    import click

    context = click.get_current_context(silent=True)
    write_message(f"{context.command_path if context else 'libra'}: {message}\n")
