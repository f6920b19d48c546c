"""What `libra collect` reports of contaminated rows: notes on stderr and, if a file is named, JSON lines in it."""

from __future__ import annotations

import os

from libra_cli.stages.collect.contamination import Overlap
from libra_cli.stages.collect.mapping import Fields
from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.rows import Row
from libra_cli.stream.sinks import append_row, write_failed

MAX_NOTES = 10
"""Notes on stderr if a file holds all rows; without a file every row gets one."""
MAX_SHARED_CHARS = 160


class ContaminationReport:
    """Reports every contaminated row on `console`, and in the file `path` if there is one."""

    def __init__(self, path: str | None, console: Console):
        self._path, self._console, self._count = path, console, 0
        try:
            self._fd = -1 if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        except OSError as error:
            raise write_failed(str(path), error) from None

    def add(self, row: Row, record: Fields, overlap: Overlap) -> None:
        """Reports what `row` shares with a benchmark."""
        self._count += 1
        if self._fd >= 0:
            line = rows.dumps(
                {
                    "id": record["id"],
                    "place": row.place,
                    "against": overlap.against,
                    "overlap": overlap.share,
                    "shared": overlap.shared,
                }
            )
            append_row(self._fd, line + b"\n", str(self._path))
        if self._fd < 0 or self._count <= MAX_NOTES:
            shared = overlap.shared
            if len(shared) > MAX_SHARED_CHARS:
                shared = shared[: MAX_SHARED_CHARS - 3] + "..."
            text = f'{row.place}: shares "{shared}" with {overlap.against} ({overlap.share:.0%} of its n-grams)'
            self._console.note(text, event="contaminated")
        elif self._count == MAX_NOTES + 1:
            self._console.note(f"more contaminated rows follow; all are in {self._path}", event="contaminated")

    def close(self) -> None:
        """Closes the file."""
        if self._fd >= 0:
            os.close(self._fd)
