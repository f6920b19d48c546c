"""Refused rows: to a file with all that is needed to mend them, and to stderr in one line each."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.files import open_special
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import append_row, is_plain_file, write_failed

SHOWN = 10
"""Lines on stderr for each kind of error; the rest is counted."""
SHOWN_OF_CAUSE = 3
"""Those of them with the same cause: a column that no row has would fill the screen."""
KEPT_BYTES = 1 << 20
"""A longer row is not copied into the error file; its hash is."""
REASON_CHARS = 2000


class ErrorLog:
    """Writes refused rows to the file `path` and shows them on stderr; `path` None only shows them.

    Every run makes the file anew: the rows in it were not done, so each run meets them again. `waiting` is as for
    open_special.
    """

    def __init__(self, path: str | None, stage: str, console: Console, **waiting: Any):
        self._stage, self._console, self.path = stage, console, path
        self.kinds: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._causes: Counter[tuple[str, str]] = Counter()
        self._file = None if path is None else LineFile(path, **waiting)

    def add(
        self, error: rows.RowError, raw: bytes, place: str, record: str | None, names: Mapping[str, Any] | None = None
    ) -> None:
        """Records that the row `raw`, read at `place`, is refused."""
        kind = error.kind
        self.kinds[kind] += 1
        if self._file is not None:
            entry: dict[str, Any] = {
                "id": record,
                **(names or {}),
                "stage": self._stage,
                "class": kind,
                "reason": str(error)[:REASON_CHARS],
                "attempts": error.attempts,
                "place": place,
                "row_sha256": hashlib.sha256(raw).hexdigest(),
            }
            if len(raw) <= KEPT_BYTES:
                entry["row"] = raw.decode("utf-8", "backslashreplace")
            self._file.add(rows.dumps(entry) + b"\n")
        self._show(error, place)

    def _show(self, error: rows.RowError, place: str) -> None:
        """Says on stderr why a row is refused, unless enough rows of its kind or with its cause are shown."""
        kind, cause = error.kind, error.cause
        if self._shown[kind] > SHOWN:
            return
        self._causes[kind, cause] += 1
        if self._causes[kind, cause] > SHOWN_OF_CAUSE + 1:
            return
        where = f"all are in {self.path}" if self.path else "--errors FILE keeps all of them"
        if self._causes[kind, cause] == SHOWN_OF_CAUSE + 1:
            message = f"more rows with this reason follow, counted but not shown; {where}"
        elif self._shown[kind] == SHOWN:
            message = f"more {kind} rows follow, counted but not shown; {where}"
        else:
            message = f"{place}: {error}"
        self._shown[kind] += 1
        self._console.say(message, event="error", kind=kind)

    def close(self, refused: bool = False) -> None:
        """Closes the file, as LineFile does."""
        if self._file is not None:
            self._file.close(refused)


class LineFile:
    """A file of lines: PATH.part while the run works, for people to watch, and PATH once it ends.

    Of a run that is killed PATH.part stays, with every line so far; PATH is as the run before left it. A device or a
    named pipe is written to. `waiting` is as for open_special. Raises Fatal(11) if another run is writing the file.
    """

    def __init__(self, path: str, **waiting: Any):
        self._path, self._is_plain = path, is_plain_file(path)
        self._part = f"{path}.part" if self._is_plain else path
        self._lock = Lock(path) if self._is_plain else None
        self._fd = -1 if self._is_plain else open_special(path, **waiting)

    def add(self, line: bytes) -> None:
        """Adds a line with its newline; raises Fatal(74) if it cannot be written."""
        if self._fd < 0:
            self._open()
        append_row(self._fd, line, self._part)

    def close(self, refused: bool = False) -> None:
        """Ends the file; a `refused` run (status 2) keeps that of an earlier one, if there is one.

        Raises Fatal(74).
        """
        try:
            if self._fd < 0 and not refused:
                self._open()
            if self._fd >= 0:
                os.close(self._fd)
                if self._is_plain and refused and os.path.exists(self._path):
                    os.unlink(self._part)
                elif self._is_plain:
                    os.replace(self._part, self._path)
        except OSError as error:
            raise write_failed(self._path, error, begun=True) from None
        finally:
            self._fd = -1
            if self._lock is not None:
                self._lock.release()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(self._part, flags, 0o666)
        except OSError as error:
            raise write_failed(self._part, error, begun=True) from None
