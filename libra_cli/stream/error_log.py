"""Rows that could not be done: to a file with everything needed to mend them, and to people in one line each."""

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
"""Lines on stderr of each kind; the rest is counted."""
KEPT_BYTES = 1 << 20
DETAIL_CHARS = 2000


class ErrorLog:
    """Where refused rows go; `path` None shows them only."""

    def __init__(self, path: str | None, stage: str, console: Console):
        self._stage, self._console, self._path = stage, console, path
        self.kinds: Counter[str] = Counter()
        self._fd = -1 if path is None else _open(path)

    def add(
        self, error: rows.RowError, raw: bytes, place: str, record: str | None, names: Mapping[str, Any] | None = None
    ) -> None:
        """Notes that the row `raw`, which stood at `place`, was refused."""
        kind = error.kind
        self.kinds[kind] += 1
        if self._fd >= 0:
            entry = {"id": record, **(names or {}), **_details(self._stage, error, raw, place)}
            append_row(self._fd, rows.dumps(entry) + b"\n", self._path or "")
        if self.kinds[kind] <= SHOWN:
            self._console.say(f"{place}: {error}", event="error", kind=kind)
        elif self.kinds[kind] == SHOWN + 1:
            where = f"all are in {self._path}" if self._path else "--errors FILE keeps all of them"
            self._console.say(f"more {kind} rows follow, counted but not shown; {where}", event="error", kind=kind)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def _open(path: str) -> int:
    try:
        # Begun anew by every run: the rows in it were not done, so each run meets them again.
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise write_failed(path, error) from None


def _details(stage: str, error: rows.RowError, raw: bytes, place: str) -> dict[str, Any]:
    details = {
        "stage": stage,
        "class": error.kind,
        "reason": str(error)[:DETAIL_CHARS],
        "attempts": error.attempts,
        "place": place,
        "row_sha256": hashlib.sha256(raw).hexdigest(),
    }
    if len(raw) <= KEPT_BYTES:
        details["row"] = raw.decode("utf-8", "backslashreplace")
    return details
