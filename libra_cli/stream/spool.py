"""Rows on disk, in their order, for a stage that passes over them more than once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from libra_cli.stream import rows
from libra_cli.stream.rows import Row
from libra_cli.stream.sinks import write_failed


class Spool:
    """Rows of the first pass, each with a note (any JSON), in an unnamed temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="libra-")  # noqa: SIM115 -- it lives as long as the run
        self.rows = 0

    def add(self, row: Row, note: Any = None) -> None:
        """Takes a row; not while others are read. Raises Fatal(74) where the disk is full."""
        try:
            self._file.write(orjson.dumps([row.file, row.line, note]) + b"\t" + row.raw + b"\n")
        except OSError as error:
            raise write_failed(f"a temporary file in {tempfile.gettempdir()}", error) from None
        self.rows += 1

    def each(self, wanted: Callable[[Any], bool] | None = None) -> Iterator[tuple[Row, Any]]:
        """The rows from the first on with their notes; those whose note is not `wanted` are not even parsed."""
        self._file.seek(0)
        for line in self._file:
            head, _, raw = line.rstrip(b"\n").partition(b"\t")
            file, number, note = orjson.loads(head)
            if wanted is None or wanted(note):
                yield Row(rows.parse(raw), raw, file, number), note

    def source(self, wanted: Callable[[Any], bool] | None = None) -> Callable[[float | None], Row | None]:
        """`each` in the form in which a worker's feed asks for rows."""
        found = self.each(wanted)
        return lambda _wait: next((row for row, _ in found), None)
