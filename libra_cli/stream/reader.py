"""What a run reads: its own rows, as they come; lines that are none, and rows of other shards, are counted instead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from libra_cli.stream import resume, rows
from libra_cli.stream.line_source import LineBatch, LineSource
from libra_cli.stream.options import CURES, Shard
from libra_cli.stream.rows import Row, RowError

if TYPE_CHECKING:
    from libra_cli.stream.run import Run

Sift = Callable[[Iterator[Row]], Iterator[Row]]
"""Takes what it can deal with at once out of the rows that came together."""


class RowReader:
    """The rows of a run's input that are of its shard and can be read."""

    def __init__(self, run: Run, source: LineSource, shard: Shard):
        self._run, self._source, self._shard = run, source, shard
        self._limit = sys.maxsize if run.options.limit is None else run.options.limit
        self._rows: Iterator[Row] = iter(())
        self.sift: Sift = iter
        self.ended = False
        """Nothing will come any more."""
        self.waiting = False
        """It is waiting for lines."""
        self.lines = 0
        """Lines read that are not blank, those of other shards and those that are refused included."""
        self.batch = LineBatch("", 1, [])
        """The lines among which the last row stood."""

    def each_row(self) -> Iterator[Row]:
        """The rows one by one; waits for them."""
        while not self.ended:
            yield from self._rows
            self._read(None)

    def next_row(self, wait: float | None) -> Row | None:
        """The next row; None where none came within `wait` seconds, or at the end (then `ended` is True)."""
        while not self.ended:
            row = next(self._rows, None)
            if row is not None:
                return row
            if not self._read(wait):
                return None
        return None

    def shortfall(self) -> str | None:
        """Why the input was not all of it: end of file alone proves nothing."""
        options = self._run.options
        expected, wanted_by = options.expect_rows, "--expect-rows"
        if options.expect_manifest:
            found = resume.Manifest.read(options.expect_manifest)
            wanted_by = options.expect_manifest
            if found is None or found.get("status") != "complete":
                return f"{wanted_by}: the stage before this one did not finish; run it again"
            expected = found.get("rows")
        if expected is not None and self.lines != expected:
            return f"the input had {self.lines} rows, {wanted_by} says {expected}; run the stage before this one again"
        return None

    def _read(self, wait: float | None) -> bool:
        """Reads more lines; False where none came in time or the input ended."""
        if self.lines >= self._limit or self._run.stop.status is not None:
            self.ended = True
            return False
        batch = self._source.read(0)
        if batch is not None and not batch.lines and wait != 0:
            batch = self._wait_for_lines(wait)
        if batch is None:
            self.ended = True
            return False
        self.batch, self._rows = batch, self.sift(self._rows_of(batch))
        return bool(batch.lines)

    def _wait_for_lines(self, wait: float | None) -> LineBatch | None:
        self._run.flush()  # nothing is held back while this stage waits
        self.waiting = True
        batch = self._source.read(wait)
        self.waiting = False
        self._run.flush()  # raises where the reader has gone meanwhile
        return batch

    def _rows_of(self, batch: LineBatch) -> Iterator[Row]:
        """The rows that can be read, until somebody asks to stop; the others are refused."""
        run, stop, limit, parse = self._run, self._run.stop, self._limit, rows.parse
        reads, sharded, refused = run.info.reads, self._shard.count > 1, batch.refused
        for number, raw in enumerate(batch.lines, batch.first):
            raw = raw.strip(b" \t\r")
            if not raw and number - batch.first not in refused:
                run.counts.blank += 1
                continue
            if self.lines >= limit or stop.status is not None:
                return
            self.lines += 1
            try:
                if refused and number - batch.first in refused:
                    raise refused[number - batch.first]
                row = Row(parse(raw), raw, batch.file, number)
            except RowError as error:
                if not sharded or self._is_mine(rows.content_hash(raw.hex())):
                    run.counts.read += 1
                    run.refuse_line(raw, f"{batch.file}:{number}", batch.explain(error, number))
                continue
            if sharded and not self._is_mine(row.id):
                continue
            try:
                if reads:
                    rows.require(row, reads, CURES)
            except RowError as error:
                run.counts.read += 1
                run.refuse(row, error)
            else:
                yield row

    def _is_mine(self, record: str) -> bool:
        if self._shard.has(record):
            return True
        self._run.counts.read += 1
        self._run.counts.filtered["other_shard"] += 1
        return False
