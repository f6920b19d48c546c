"""A program on a pseudo-terminal, and what a person would see of it: the screen as a terminal model (pyte) has it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

PATIENCE = 30.0
"""Seconds after which what is expected will not come."""


class PseudoTerminal:
    """Runs `words` with a terminal of its own as controlling terminal; a context manager that leaves nothing behind.

    `stdin` gives it other standard input than the terminal. `raw` is every byte that it wrote to the terminal.
    """

    def __init__(
        self,
        words: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        size: tuple[int, int] = (80, 24),
        stdin: Path | None = None,
    ):
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._master, slave = pty.openpty()
        _set_size(slave, size)
        self.modes_before = termios.tcgetattr(slave)
        with open(stdin or os.devnull, "rb") as file:
            self.process = subprocess.Popen(
                words,
                cwd=cwd,
                env={**env, "TERM": "xterm-256color"},
                start_new_session=True,
                stdin=file if stdin else slave,
                stdout=slave,
                stderr=slave,
                preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),
            )
        self._slave = slave  # held open, so that modes can be read after the program has ended

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)

    @property
    def text(self) -> str:
        """The screen as lines without the blanks at their ends."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def modes(self) -> list:
        """The terminal's modes now, as termios has them."""
        return termios.tcgetattr(self._slave)

    def press(self, keys: str | bytes) -> None:
        """Types `keys`."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, size: tuple[int, int]) -> None:
        """Changes the size of the window; the terminal tells the program. (0, 0) is one that does not know its own."""
        if all(size):
            self.screen.resize(lines=size[1], columns=size[0])
        _set_size(self._master, size)

    def hang_up(self) -> None:
        """Closes the terminal, as a connection that breaks does."""
        for descriptor in (self._slave, self._master):
            os.close(descriptor)
        self._master = self._slave = -1

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the program."""
        os.kill(self.process.pid, number)

    def wait_for(self, *wanted: str) -> str:
        """The screen, once all that is `wanted` is on it."""
        return self.wait_until(lambda: all(each in self.text for each in wanted), f"{wanted!r} on the screen")

    def wait_until(self, condition: Callable[[], bool], what: str = "the condition") -> str:
        """The screen, once `condition` holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"no {what}; it shows:\n{self.text}"
            self._pump()
        return self.text

    def end(self) -> int:
        """The exit status, once it has ended; all that it wrote has been taken."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end; it shows:\n{self.text}"
            self._pump()
        while self._master >= 0 and self._pump():
            pass
        return self.process.returncode

    def _pump(self) -> bool:
        """Takes what the program wrote; False where it wrote nothing for a moment."""
        if self._master < 0:
            time.sleep(0.02)
            return False
        poll = select.poll()  # select takes no descriptor above 1,023
        poll.register(self._master, select.POLLIN)
        if not poll.poll(50):
            return False
        data = os.read(self._master, 1 << 16)
        self.raw += data
        self._stream.feed(data)
        return True


def _set_size(descriptor: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
