"""What `libra collect` reports of contaminated rows: notes on stderr and, if a file is named, JSON lines in it."""

from __future__ import annotations

from typing import Any

from libra_cli.stages.collect.contamination import Overlap
from libra_cli.stages.collect.mapping import Fields
from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import SHOWN, LineFile
from libra_cli.stream.rows import Row

MAX_SHARED_CHARS = 160


class ContaminationReport:
    """Reports every contaminated row in the file `path` if there is one, and the first SHOWN of them on `console`.

    `waiting` is as for open_special.
    """

    def __init__(self, path: str | None, console: Console, **waiting: Any):
        self._path, self._console, self._count = path, console, 0
        self._file = None if path is None else LineFile(path, **waiting)

    def add(self, row: Row, record: Fields, overlap: Overlap) -> None:
        """Reports what `row` shares with a benchmark."""
        self._count += 1
        if self._file is not None:
            line = rows.dumps(
                {
                    "id": record["id"],
                    "place": row.place,
                    "against": overlap.against,
                    "problem": overlap.problem,
                    "overlap": overlap.share,
                    "shared": overlap.shared,
                }
            )
            self._file.add(line + b"\n")
        if self._count <= SHOWN:
            shared = overlap.shared
            if len(shared) > MAX_SHARED_CHARS:
                shared = shared[: MAX_SHARED_CHARS - 3] + "..."
            text = f'{row.place}: shares "{shared}" with {overlap.against} ({overlap.share:.0%} of its weight)'
            self._console.note(text, event="contaminated")
        elif self._count == SHOWN + 1:
            where = f"all are in {self._path}" if self._path else "--report FILE keeps all of them"
            text = f"more contaminated rows follow, counted but not shown; {where}"
            self._console.note(text, event="contaminated")

    def close(self, refused: bool = False) -> None:
        """Closes the file, as LineFile does."""
        if self._file is not None:
            self._file.close(refused)
