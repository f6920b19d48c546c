"""Messages for people on stderr: one line for each event, as text or JSON, and a progress line."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from libra_cli.lazy_pattern import lazy_pattern
from libra_cli.masking import masked, without_secrets
from libra_cli.stream import rows
from libra_cli.stream.progress import INBOX_VARIABLE, StageProgress, line_of

if TYPE_CHECKING:
    from libra_cli.stream.shared_line import PipeNeighbours, ProgressSender

# C0 and C1 controls, DEL, bidirectional overrides and lone surrogates could control the reader's terminal.
_UNSAFE = lazy_pattern("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Invisible characters that can change the meaning of a text: a reader must see that they are there.
_HIDDEN = lazy_pattern("[\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]")
_CTRL_C = "^C"
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
    """`line`, to be written over a progress line and the ^C of a Ctrl-C, if stderr is a terminal that is ours."""
    return (ERASE if os.isatty(2) and _in_foreground() else "") + line


def write_message(text: str) -> None:
    """Writes whole lines to stderr, over the progress line that this or another process of the pipe may have drawn."""
    write_stderr(over_progress(text))


def write_stderr(text: str, wait: bool = True) -> None:
    """Writes to descriptor 2 as UTF-8 whatever the locale; a stderr that is closed or full never stops a run.

    With `wait` False drops the text if writing would block (a stopped terminal, a pipe that is not read).
    """
    try:
        if wait or select.select([], [2], [], 0)[1]:
            os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # stderr is gone; there is no other place for messages


def _in_foreground() -> bool:
    """Whether the terminal is ours to draw on: not while the shell has taken it back from a job in the background."""
    try:
        return os.tcgetpgrp(2) == os.getpgrp()
    except OSError:  # it is not our controlling terminal: nobody else uses it
        return True


class Console:
    """Messages and progress of one stage, written by its own thread and its monitor.

    Of several stages of a pipe that share a terminal, the last shows the progress of all. The line goes for good once
    rows may come out on the same terminal, where it would stand in their way.
    """

    def __init__(self, stage: str, *, quiet: bool = False, as_json: bool = False):
        self.stage, self.quiet, self.as_json = stage, quiet, as_json
        self._terminal = sys.stderr is not None and sys.stderr.isatty() and not as_json
        self._pipe: PipeNeighbours | None = None
        self._inbox = os.environ.get(INBOX_VARIABLE, "")
        self._sender: ProgressSender | None = None
        self._shown = self._gave_up = self._over = False
        if self._terminal:
            from libra_cli.stream.shared_line import PipeNeighbours

            self._pipe = PipeNeighbours()
        self._lock = threading.Lock()
        self._last = self._sent = self._start = time.monotonic()

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

    def progress(self, what: Callable[[], StageProgress] | str, drawn: Callable[[int], str] | None = None) -> None:
        """Shows a line that the next one replaces on a terminal; elsewhere one plain line a minute. Never waits.

        `drawn` makes the line for a terminal in place of `what`, in at most the given number of columns. A step of
        `libra run` hands its progress to that, too.
        """
        now = time.monotonic()
        every = PROGRESS_EVERY_TERMINAL if self._terminal else PROGRESS_EVERY_LOG
        shows = now - self._last >= every and not (self.quiet and self._pipe is None)
        sends = bool(self._inbox) and now - self._sent >= PROGRESS_EVERY_TERMINAL
        if not shows and not sends:
            return
        self._last, self._sent = now if shows else self._last, now if sends else self._sent
        if self._lock.acquire(blocking=False):
            try:
                if self._over:
                    return
                own = StageProgress(self.stage, what) if isinstance(what, str) else what()
                if sends:
                    self._send(own)
                if shows and self._pipe is not None:
                    self._draw(self._pipe, own, drawn)
                elif shows:
                    text = line_of([own]).removeprefix(f"libra {self.stage}: ")
                    write_stderr(self._lines(text, "progress", **own.figures()), wait=False)
            finally:
                self._lock.release()

    def _send(self, own: StageProgress) -> None:
        if self._sender is None:
            from libra_cli.stream.shared_line import ProgressSender

            self._sender = ProgressSender()
        self._sender.send(self._inbox, [own])

    def _draw(self, pipe: PipeNeighbours, own: StageProgress, drawn: Callable[[int], str] | None) -> None:
        """Hands the line on to the next stage of the pipe, or draws it."""
        several = [*pipe.received(), *([] if self.quiet else [own])]
        if not several or pipe.hand_on(several) or self._gave_up or not _in_foreground():
            line = ""
        else:
            try:
                columns = os.get_terminal_size(2).columns or 80
            except OSError:  # the terminal is gone
                columns = 80
            width = columns - len(_CTRL_C)  # else the terminal's echo would begin a line, and this one would stay
            alone = drawn if len(several) == 1 and not self.quiet else None
            line = alone(width) if alone else printable(line_of(several, width))[:width]
        if line or self._shown:
            write_stderr(ERASE + line, wait=False)
        self._shown = bool(line)

    @contextmanager
    def showing(self, what: Callable[[], StageProgress]) -> Iterator[None]:
        """Shows progress from a thread of its own, for a command that has no monitor."""
        over = threading.Event()

        def show() -> None:
            while not over.wait(PROGRESS_EVERY_TERMINAL):
                self.progress(what)

        thread = threading.Thread(target=show, name="libra-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.clear()

    def give_up_line(self) -> None:
        """Takes the progress line away for good if what the stage writes from now on may appear on the terminal."""
        if self._pipe is not None and not self._gave_up and self._pipe.leads_to_terminal():
            self._gave_up = True
            self.clear()

    def end_progress(self) -> None:
        """Shows no progress any more: what comes now is the last message."""
        self._over = True
        self.clear()

    def clear(self) -> None:
        """Clears the progress line."""
        self._write("")

    def last_words(self, message: str) -> None:
        """Writes a last message before the process ends at once, without ever waiting."""
        taken = self._lock.acquire(timeout=PROGRESS_EVERY_TERMINAL)
        write_stderr(over_progress("" if self.quiet else self._lines(message, "note")), wait=False)
        if taken:
            self._lock.release()

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
            if text and self._terminal:
                write_message(text)
            elif text or self._shown:
                write_stderr(text or ERASE)
            self._shown = False

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._start
