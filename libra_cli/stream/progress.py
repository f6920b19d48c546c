"""How far a stage is, and the line that says so; how fast it works, and how many rows there will be."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.plural import counted

INBOX_VARIABLE = "_LIBRA_PROGRESS"
"""Names the inbox (`libra_cli.stream.shared_line.ProgressInbox`) in which `libra run` takes the progress of a step."""
WAITING = "waiting for rows"
MOST_DETAIL = 4
"""Of what `StageProgress.words` says; 0 is the least."""
_PACE_SECONDS = 600.0
"""The pace is that of the last ten minutes."""
_MARK_SECONDS = 5.0
_COUNT_SECONDS = 0.05
"""A count of lines goes on for so long, then lets the run go on."""
_CHUNK = 1 << 20
_COUNTED_BYTES = 256 << 20
"""Bytes of input in which rows are counted before work begins; a limit in seconds would depend on the machine."""


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is; figures that are not known are None."""

    stage: str
    doing: str = ""
    """What it does while it answers no rows."""
    done: int | None = None
    total: int | None = None
    at_work: int = 0
    errors: int = 0
    rate: float | None = None
    """Rows per second."""
    tokens: float | None = None
    """Tokens per second."""

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end."""
        if self.total is None or not self.rate or self.done is None or self.total < self.done:
            return None
        return (self.total - self.done) / self.rate

    def figures(self) -> dict[str, Any]:
        """What is known, for a log in JSON."""
        known = {
            "done": self.done,
            "total": self.total,
            "at_work": self.at_work or None,
            "rows_per_second": self.rate and round(self.rate, 3),
            "tokens_per_second": self.tokens and round(self.tokens, 1),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
        }
        return {name: value for name, value in known.items() if value is not None}

    def words(self, detail: int) -> list[str]:
        """What a line says of it: the more `detail`, the more."""
        if self.doing:
            return [self.doing if detail > 1 else self.doing.split()[0]]
        done, total, left = self.done or 0, self.total, self.seconds_left
        share = f" ({100 * done // total}%)" if total and detail >= MOST_DETAIL else ""
        read = f"{done:,} of {total:,}{share}" if total else counted(done, "row") if detail else f"{done:,}"
        waits = not self.rate and self.at_work
        words = [(0, read), (1, f"{self.at_work:,} at work" if waits else "")]
        words += [(3, _per_second(self.rate, "rows")), (2, _per_second(self.tokens, "tokens"))]
        words += [(1, counted(self.errors, "error") if self.errors else ""), (1, f"{clock(left)} left" if left else "")]
        return [text for least, text in words if text and least <= detail]


def line_of(several: Sequence[StageProgress], width: int | None = None) -> str:
    """One line on one stage, or on all stages of a pipe, with as many figures as `width` columns allow."""
    line = ""
    for detail in range(MOST_DETAIL, -1, -1):
        if len(several) == 1:
            line = f"libra {several[0].stage}: {', '.join(several[0].words(detail))}"
        else:
            busy = [(one, 0 if one.doing == WAITING else detail) for one in several]
            line = "libra " + " | ".join(f"{one.stage} {', '.join(one.words(most))}" for one, most in busy)
        if width is None or len(line) <= width:
            break
    return line if width is None else line[:width]


def clock(seconds: float) -> str:
    """A time as H:MM:SS, or M:SS below an hour."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _per_second(value: float | None, unit: str) -> str:
    return f"{value:,.1f} {unit}/s" if value and value < 10 else f"{value:,.0f} {unit}/s" if value else ""


class Pace:
    """Rows and tokens per second since work began, or in the last ten minutes."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int, int]] = deque()

    def begin(self) -> None:
        """Forgets all: what comes now is other work."""
        self._marks.clear()

    def note(self, rows: int, tokens: int) -> None:
        """Notes how many there are by now."""
        now = time.monotonic()
        if self._marks and now - self._marks[-1][0] < _MARK_SECONDS:
            return
        self._marks.append((now, rows, tokens))
        while len(self._marks) > 2 and now - self._marks[1][0] > _PACE_SECONDS:
            self._marks.popleft()

    def rates(self, rows: int, tokens: int) -> tuple[float | None, float | None]:
        """Rows and tokens per second; None for what has not come yet."""
        if not self._marks:
            return None, None
        since, rows_before, tokens_before = self._marks[0]
        seconds = max(time.monotonic() - since, 1e-3)
        return (rows - rows_before) / seconds or None, (tokens - tokens_before) / seconds or None


class InputRows:
    """The number of rows in files, counted in the background, a little at each look.

    Lines are rows; what is compressed, an array or Parquet has a number that only its end tells.
    """

    def __init__(self, paths: Sequence[str], limit: int | None):
        self._limit = limit
        self._total: int | None = None
        self._n_bytes = 0
        self._lock = threading.Lock()
        self._count = self._counting(paths)

    def count(self) -> int | None:
        """The number, if `_COUNTED_BYTES` tell it: the same for the same files, however busy the machine is."""
        while (rows := self.look()) is None and self._count is not None and self._n_bytes <= _COUNTED_BYTES:
            time.sleep(0)  # the monitor looks, too, and may have counted more than this asks for
        return rows if self._n_bytes <= _COUNTED_BYTES else None

    def look(self) -> int | None:
        """The number, once it is known."""
        with self._lock:
            until = time.monotonic() + _COUNT_SECONDS
            try:
                while self._count is not None and time.monotonic() < until:
                    next(self._count)
            except StopIteration as ended:
                self._count, self._total = None, ended.value
        if self._total is None or self._limit is None:
            return self._total
        return min(self._total, self._limit)

    def _counting(self, paths: Sequence[str]) -> Iterator[None] | None:
        def count() -> Any:
            from libra_cli.stream.decompression import MAGIC_BEGINNINGS

            total = 0
            for path in paths:
                if path.lower().endswith((".csv", ".tsv")):  # a record may have several lines
                    return None
                try:
                    if not stat.S_ISREG(os.stat(path).st_mode):  # to open a named pipe would wait, or end its writer
                        return None
                    with open(path, "rb", buffering=0) as file:
                        head = file.read(_CHUNK)
                        if any(head.startswith(magic) for magic in (*MAGIC_BEGINNINGS, b"[", b"PAR1")):
                            return None
                        chunk, last = head, b"\n"
                        while chunk:
                            total, last = total + chunk.count(b"\n"), chunk[-1:]
                            self._n_bytes += len(chunk)
                            if self._limit is not None and total >= self._limit:
                                return total
                            yield
                            chunk = file.read(_CHUNK)
                        total += last != b"\n"
                except OSError:
                    return None
            return total

        return count() if paths and "-" not in paths else None
