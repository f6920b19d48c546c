"""Messages for people on stderr: one line for each event, as text or JSON, and a progress line."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from libra_cli.lazy_pattern import lazy_pattern
from libra_cli.masking import masked, without_secrets
from libra_cli.stream import rows

# C0 and C1 controls, DEL, bidirectional overrides and lone surrogates could control the reader's terminal.
_UNSAFE = lazy_pattern("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Invisible characters that can change the meaning of a text: a reader must see that they are there.
_HIDDEN = lazy_pattern("[\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]")
PROGRESS_EVERY_TERMINAL = 0.2
PROGRESS_EVERY_LOG = 60.0


def printable(text: str) -> str:
    """`text` with every character that controls a terminal written as an escape."""
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)


def safe_text(text: str) -> str:
    """`text` for a terminal or a page: control and invisible characters as escapes, tabs as spaces, line ends kept."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return _HIDDEN.sub(lambda match: f"<U+{ord(match.group()):04X}>", "\n".join(map(printable, lines)))


ERASE = "\r\x1b[K"
"""Clears the current line of a terminal."""


def over_progress(line: str) -> str:
    """`line`, to be written over a progress line and the ^C of a Ctrl-C, if stderr is a terminal."""
    return (ERASE if os.isatty(2) else "") + line


def write_stderr(text: str, wait: bool = True) -> None:
    """Writes to descriptor 2 as UTF-8 whatever the locale; a stderr that is closed or full never stops a run.

    With `wait` False drops the text if writing would block (a stopped terminal, a pipe that is not read).
    """
    try:
        if wait or select.select([], [2], [], 0)[1]:
            os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # stderr is gone; there is no other place for messages


class Console:
    """Messages and progress of one stage, written by its own thread and its monitor."""

    def __init__(self, stage: str, *, quiet: bool = False, as_json: bool = False):
        self.stage, self.quiet, self.as_json = stage, quiet, as_json
        self._terminal = sys.stderr is not None and sys.stderr.isatty() and not as_json
        self._shown = False
        self._lock = threading.Lock()
        self._last = self._start = time.monotonic()

    def say(self, message: str, *, event: str = "note", **fields: Any) -> None:
        """Writes one line of text, or one JSON object with `event`, `message` and `fields`."""
        self._write(self._lines(message, event, **fields))

    def note(self, message: str, **fields: Any) -> None:
        """Writes a message that --quiet suppresses."""
        if not self.quiet:
            self.say(message, **fields)

    def show(self, text: str, *, event: str, **fields: Any) -> None:
        """Writes a block of lines (a table) as it is; as JSON, one object with `event` and `fields`."""
        if not self.quiet:
            self._write(self._lines("", event, **fields) if self.as_json else text)

    def progress(self, text: str, drawn: Callable[[int], str] | None = None) -> None:
        """Shows a line that the next one replaces on a terminal; elsewhere one plain line a minute. Never waits.

        `drawn` makes the line for a terminal in place of `text`, in at most the given number of columns.
        """
        now = time.monotonic()
        every = PROGRESS_EVERY_TERMINAL if self._terminal else PROGRESS_EVERY_LOG
        if self.quiet or now - self._last < every:
            return
        self._last = now
        if self._lock.acquire(blocking=False):
            if self._terminal:
                try:
                    width = (os.get_terminal_size(2).columns or 80) - 1
                except OSError:  # the terminal is gone
                    width = 79
                line = drawn(width) if drawn else printable(f"libra {self.stage}: {text}")[:width]
                write_stderr(ERASE + line, wait=False)
            else:
                write_stderr(self._lines(text, "progress"), wait=False)
            self._shown = self._terminal
            self._lock.release()

    def clear(self) -> None:
        """Clears the progress line."""
        self._write("")

    def _lines(self, message: str, event: str, **fields: Any) -> str:
        message = masked(message)
        if self.as_json:
            return (
                rows.dumps(
                    {"event": event, "stage": self.stage, "message": message, **without_secrets(fields)}
                ).decode()
                + "\n"
            )
        return "".join(f"libra {self.stage}: {printable(line)}\n" for line in message.split("\n"))

    def _write(self, text: str) -> None:
        with self._lock:
            text, self._shown = (ERASE + text if self._shown else text), False
            if text:
                write_stderr(text)

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._start
