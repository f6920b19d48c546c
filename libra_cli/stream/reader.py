"""Lines to rows: the one loop that skips blank lines and refuses what is no row, and the rows of one run's shard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from libra_cli.stream.counts import Counts
from libra_cli.stream.fingerprint import InputFingerprint
from libra_cli.stream.line_batch import LineBatch, LineSource
from libra_cli.stream.options import FIELD_HINTS, Shard, StageInfo, StreamOptions
from libra_cli.stream.required_fields import require
from libra_cli.stream.resume import Manifest
from libra_cli.stream.rows import Row, RowError, content_hash, parse, with_id
from libra_cli.stream.signals import StopRequest


class BadLine(NamedTuple):
    """A line that is no row, and why."""

    error: RowError
    raw: bytes
    file: str
    line: int

    @property
    def place(self) -> str:
        """`FILE:LINE`, as error messages name it."""
        return f"{self.file}:{self.line}"

    @property
    def id(self) -> None:
        """A line that is no row has no id."""


def read_rows(
    source: LineSource, counts: Counts | None = None, stop: StopRequest | None = None
) -> Generator[Row | BadLine, None, None]:
    """Yields each line of `source` that is not blank, as a Row or a BadLine; waits for lines.

    Blank lines are counted in `counts`, the rest is up to the caller. Ends early once `stop` is requested, and closes
    `source`; a caller that may end before the last row closes the generator (`contextlib.closing`).
    """
    try:
        while (batch := source.read()) is not None:
            if stop is None:
                yield from rows_of(batch, counts)
                continue
            for entry in rows_of(batch, counts):
                if stop.status is not None:
                    return
                yield entry
            if stop.status is not None:
                return
    finally:
        source.close()


def rows_of(batch: LineBatch, counts: Counts | None) -> Iterator[Row | BadLine]:
    """Yields each line of `batch` that is not blank, as a Row or a BadLine; counts blank lines."""
    file, refused, begins, ends = batch.file, batch.refused, batch.offset, batch.offset
    for number, line in enumerate(batch.lines, batch.first):
        raw = line.strip(b" \t\r")
        if ends is not None:
            begins = ends if raw is line else ends + len(line) - len(line.lstrip(b" \t\r"))
            ends += batch.size(number) + 1 if refused else len(line) + 1
        entry: Row | BadLine
        try:
            if refused and number - batch.first in refused:
                raise refused[number - batch.first]
            if not raw:
                if counts is not None:
                    counts.blank += 1
                continue
            entry = Row(parse(raw), raw, file, number, begins)
        except RowError as error:
            entry = BadLine(batch.explain(error, number), raw, file, number)
        yield entry


def shard_key(entry: Row | BadLine) -> str:
    """What assigns a row or line to a shard: the row's id, or a hash of the line."""
    return entry.id if isinstance(entry, Row) else content_hash(entry.raw.hex())


class RowReader:
    """The rows of a run's input that belong to its shard; refuses lines that are no rows, and rows that lack a field.

    `info` says which fields each row must have; where a stage adds fields to its rows, these get an id that lasts.
    `refuse` takes a row or line that cannot be used. `flush` is called before and after every wait for lines: nothing
    is held back meanwhile, and a reader that has left is noticed.
    """

    def __init__(
        self,
        source: LineSource,
        options: StreamOptions,
        info: StageInfo,
        counts: Counts,
        stop: StopRequest,
        refuse: Callable[[Row | BadLine, RowError], None],
        flush: Callable[[], None],
    ):
        self._source, self._options, self._shard = source, options, Shard(options.shard)
        self._reads, self._keeps_ids = info.reads, info.resumable
        self._counts, self._stop, self._refuse, self._flush = counts, stop, refuse, flush
        self._limit = sys.maxsize if options.limit is None else options.limit
        self._rows: Iterator[Row] = iter(())
        self.adapt: Callable[[Row], Row] | None = None
        """Gives each row the form that the stage reads; set before the first row is read."""
        self.ended = False
        """No row will come any more."""
        self.waiting = False
        """The reader waits for lines."""
        self.lines = 0
        """Lines read that are not blank, including those of other shards and those that are refused."""
        self._fingerprint = InputFingerprint() if self._shard.count > 1 else None
        self._read_all = False

    def __iter__(self) -> Iterator[Row]:
        """The rows one by one; waits for them."""
        while not self.ended:
            yield from self._rows
            self._read(None)

    def next_row(self, wait: float | None) -> Row | None:
        """The next row; None if none came within `wait` seconds, or at the end (then `ended` is True)."""
        while not self.ended:
            row = next(self._rows, None)
            if row is not None:
                return row
            if not self._read(wait):
                return None
        return None

    @property
    def whole_input(self) -> dict[str, Any] | None:
        """What identifies the input of which this run did its shard; None if it did all, or has not read to the end."""
        return self._fingerprint.tally() if self._fingerprint is not None and self._read_all else None

    @property
    def found_nothing(self) -> bool:
        """Whether the input was read to its end and held no line but blank ones."""
        return self._read_all and not self.lines

    def shortfall(self) -> str | None:
        """Says how the input falls short of what --expect-rows or --expect-manifest promise; None if it does not.

        The end of the file alone proves nothing.
        """
        options = self._options
        expected, named_by = options.expect_rows, "--expect-rows"
        if options.expect_manifest:
            manifest = Manifest.read(options.expect_manifest)
            named_by = options.expect_manifest
            if manifest is None or manifest.get("status") != "complete":
                return f"{named_by}: the stage before this one did not finish; run it again"
            expected = manifest.get("rows")
        if expected is not None and self.lines != expected:
            return f"the input had {self.lines} rows, {named_by} says {expected}; run the stage before this one again"
        return None

    def _read(self, wait: float | None) -> bool:
        """Reads more lines; False if none came in time or the input ended."""
        if self.lines >= self._limit or self._stop.status is not None:
            self.ended = True
            return False
        batch = self._source.read(0)
        if batch is not None and not batch.lines and wait != 0:
            self._flush()
            self.waiting = True
            batch = self._source.read(wait)
            self.waiting = False
            self._flush()
        if batch is None:
            self.ended = self._read_all = True
            return False
        self._rows = self._own_rows(batch)
        return bool(batch.lines)

    def _own_rows(self, batch: LineBatch) -> Iterator[Row]:
        """The usable rows of this shard, until a stop is requested; the others are refused or left out."""
        stop, limit, reads, sharded = self._stop, self._limit, self._reads, self._shard.count > 1
        adapt, keeps_ids = self.adapt, self._keeps_ids
        for entry in rows_of(batch, self._counts):
            if self.lines >= limit or stop.status is not None:
                return
            self.lines += 1
            if sharded:
                is_own = self._shard.has(shard_key(entry))
                assert self._fingerprint is not None
                self._fingerprint.add(entry.raw, is_own)
                if not is_own:
                    self._counts.read += 1
                    self._counts.filtered["other_shard"] += 1
                    continue
            try:
                if not isinstance(entry, Row):
                    raise entry.error
                if keeps_ids:
                    entry = with_id(entry)
                if adapt is not None:
                    entry = adapt(entry)
                if reads:
                    require(entry, reads, FIELD_HINTS)
            except RowError as error:
                self._counts.read += 1
                self._refuse(entry, error)
            else:
                yield entry
