"""Refused rows: to a file with all that is needed to mend them, and to stderr in one line each."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.sinks import append_row, write_failed

SHOWN = 10
"""Lines on stderr for each kind of error; the rest is counted."""
KEPT_BYTES = 1 << 20
"""A longer row is not copied into the error file; its hash is."""
REASON_CHARS = 2000


class ErrorLog:
    """Writes refused rows to the file `path` and shows them on stderr; `path` None only shows them.

    Every run begins the file anew: the rows in it were not done, so each run meets them again.
    """

    def __init__(self, path: str | None, stage: str, console: Console):
        self._stage, self._console, self._path = stage, console, path
        self.kinds: Counter[str] = Counter()
        self._fd = -1
        if path is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
            try:
                self._fd = os.open(path, flags, 0o666)
            except OSError as error:
                raise write_failed(path, error) from None

    def add(
        self, error: rows.RowError, raw: bytes, place: str, record: str | None, names: Mapping[str, Any] | None = None
    ) -> None:
        """Records that the row `raw`, read at `place`, is refused."""
        kind = error.kind
        self.kinds[kind] += 1
        if self._fd >= 0:
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
            append_row(self._fd, rows.dumps(entry) + b"\n", self._path or "")
        if self.kinds[kind] <= SHOWN:
            self._console.say(f"{place}: {error}", event="error", kind=kind)
        elif self.kinds[kind] == SHOWN + 1:
            where = f"all are in {self._path}" if self._path else "--errors FILE keeps all of them"
            self._console.say(f"more {kind} rows follow, counted but not shown; {where}", event="error", kind=kind)

    def close(self) -> None:
        """Closes the file; raises Fatal(74) if the device reports a failure only now."""
        if self._fd >= 0:
            try:
                os.close(self._fd)
            except OSError as error:
                raise write_failed(str(self._path), error, begun=True) from None
