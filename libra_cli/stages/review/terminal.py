"""The reviewer's terminal: keys in, whole screens out; its state is restored however the review ends."""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
import tty
from collections import deque
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.review.keys import Key, KeyDecoder

DEFAULT_SIZE = (80, 24)
"""Columns and lines of a terminal that does not report its size (a serial line)."""
ESCAPE_SECONDS = 0.1
"""An escape is the Escape key if nothing follows for so long; over ssh the rest of a sequence may come late."""

RESIZED, STOP = Key("resized"), Key("stop")
"""Events that `key` returns: the screen must be drawn again; the review must end (see `status`)."""

# The alternate screen, bracketed paste, no cursor. No wrapping: a character wider than expected must not push the rest
# of the screen down.
_ENTER = b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?2004l\x1b[?1049l"
_STATUS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: Exit.TERMINATED,
    signal.SIGUSR1: Exit.STOPPED,
    signal.SIGUSR2: Exit.STOPPED,
}


class Terminal:
    """The controlling terminal, independent of standard input and output; a context manager.

    Raises Fatal(2) if there is none, or it cannot show a screen. Signals take effect between two keys, so that no write
    is interrupted. After Ctrl-Z and `fg` the screen is restored.
    """

    def __init__(self) -> None:
        hint = "libra review --html FILE.html makes a page instead"
        if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
            raise Fatal(Exit.USAGE, f"this terminal cannot show a screen (TERM is not set, or dumb); {hint}")
        try:
            self._fd = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            raise Fatal(Exit.USAGE, f"there is no terminal here (over ssh: ssh -t); {hint}") from None
        self.status: Exit | None = None
        """The exit status if a signal must end the review, else None."""
        self._decoder, self._keys = KeyDecoder(), deque[Key]()
        self._shown: list[str] = []
        self._old_handlers: dict[int, Any] = {}
        self._old_wakeup_fd = -1
        self._signals, self._signalled = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Terminal:
        assert threading.current_thread() is threading.main_thread(), "signals come to the main thread"
        self._modes = termios.tcgetattr(self._fd)
        self._old_wakeup_fd = signal.set_wakeup_fd(self._signalled, warn_on_full_buffer=False)
        for number in (*_STATUS, signal.SIGTSTP, signal.SIGWINCH):
            if number == signal.SIGWINCH or signal.getsignal(number) is not signal.SIG_IGN:  # respects nohup
                # The interpreter itself writes the number of a signal to the pipe (set_wakeup_fd).
                self._old_handlers[number] = signal.signal(number, lambda *_: None)
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup_fd)
        for descriptor in (self._fd, self._signals, self._signalled):
            os.close(descriptor)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._fd)
        except OSError:  # the terminal is gone
            return DEFAULT_SIZE
        return columns or DEFAULT_SIZE[0], lines or DEFAULT_SIZE[1]

    def show(self, lines: list[str]) -> None:
        """Draws a screen of lines, with ANSI colours; writes only the lines that have changed."""
        self._shown += [""] * (len(lines) - len(self._shown))
        changed = [number for number, line in enumerate(lines) if line != self._shown[number]]
        self._write("".join(f"\x1b[{number + 1};1H\x1b[2K{lines[number]}\x1b[0m" for number in changed).encode())
        self._shown = list(lines)

    def clear(self) -> None:
        """Clears the screen, so that `show` draws all of it."""
        self._write(b"\x1b[2J")
        self._shown = []

    def key(self) -> Key:
        """Waits for the next key; also returns RESIZED and STOP."""
        while True:
            if self.status is not None:
                return STOP
            if self._keys:
                return self._keys.popleft()
            self._wait()

    def _wait(self) -> None:
        """Waits for bytes or a signal and takes what comes first."""
        timeout = ESCAPE_SECONDS if self._decoder.waits else None
        ready = select.select([self._signals, self._fd], [], [], timeout)[0]
        if self._signals in ready:
            self._take_signals()
        elif self._fd in ready:
            self._keys.extend(self._decoder.feed(self._read()))
        elif self._decoder.waits:
            self._keys.extend(self._decoder.flush())

    def _read(self) -> bytes:
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        if not data:
            self._hung_up()
        return data

    def _hung_up(self) -> None:
        """The connection is lost, and no signal has said so."""
        self.status = self.status or Exit.TERMINATED

    def _take_signals(self) -> None:
        for number in os.read(self._signals, 512):
            if number == signal.SIGWINCH:
                self.clear()
                self._keys.append(RESIZED)
            elif number == signal.SIGTSTP:
                self._suspend()
            elif number in _STATUS and self.status is None:
                self.status = _STATUS[signal.Signals(number)]

    # -- the state of the terminal ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        tty.setcbreak(self._fd)
        self._write(_ENTER)
        self._shown = []

    def _end(self) -> None:
        self._write(_LEAVE)
        try:
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, self._modes)
        except termios.error:
            self._hung_up()

    def _suspend(self) -> None:
        self._end()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)  # continues here after SIGCONT
        self._begin()
        self._keys.append(RESIZED)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self._hung_up()
