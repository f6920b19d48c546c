"""Rows that a stage reads again: from their place in the file, or from a spool if they cannot be read twice."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, Any, NamedTuple, TypeVar

import orjson
import zstandard

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.line_source import STDIN
from libra_cli.stream.rows import Row, parse
from libra_cli.stream.sinks import write_all, write_failed

OPEN_FILES = 128
"""At most: a shell hands over more files than a process may hold open."""
AHEAD = 512
"""Rows requested from the disk at once: one by one, from a file that no cache holds, takes four times as long."""
SPOOL = 0
"""The spool's number among the files of a store."""
_HEAD = struct.Struct("<IQI")
"""Before each spooled row: the number of its file, its line, and the size of its note."""
_SIZE = struct.Struct("<I")
"""Before each record of the spool: its size."""

Token = TypeVar("Token")


class RowLocation(NamedTuple):
    """Where a row can be read again."""

    check: int
    """CRC-32 of its bytes."""
    file: int
    """Number of the file in its RowStore."""
    offset: int
    size: int


class StoredRow(Row):
    """A row read back from a store; it is parsed when its fields are first used."""

    __slots__ = ()

    def __init__(self, raw: bytes, file: str, line: int):
        self.raw, self.file, self.line, self.offset = raw, file, line, None

    def __getattr__(self, name: str) -> Any:
        if name != "fields":
            raise AttributeError(name)
        self.fields = parse(self.raw)
        return self.fields


class RowStore:
    """Gives rows back, in one of two ways. Use as a context manager, or leave it to the end of the process.

    `keep` returns the location of a row, by which `rows_at` reads it again; a row that can be read again in its file is
    not copied. `add` copies every row with a note (any JSON), and `rows` gives all of them back in their order.

    Copies go to an unnamed temporary file in `folder`, which `option` names; None means TMPDIR, or where the system
    keeps temporary files.
    """

    def __init__(self, folder: str | None = None, option: str | None = None):
        self._spool, self._files = _Spool(folder, option), _Files()

    def __enter__(self) -> RowStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()
        self._files.close()

    def keep(self, row: Row) -> RowLocation:
        """Returns where `row` can be read again; raises Fatal(74 or 2) if it has to be copied and that fails."""
        check = zlib.crc32(row.raw)
        if row.offset is None:
            return RowLocation(check, SPOOL, *self._spool.append(self._record(row, b"")))
        return RowLocation(check, self._files.number(row.file), row.offset, len(row.raw))

    def row(self, location: RowLocation) -> Row:
        """Reads one row again; raises Fatal(7) if its file has changed. Its line is known if it was copied."""
        if location.file == SPOOL:
            return self._stored(self._spool.read(location.offset, location.size))[0]
        raw = self._files.read(location.file, location.offset, location.size)
        if zlib.crc32(raw) != location.check:
            raise self._files.failed(location.file, "it has changed since it was read first")
        return StoredRow(raw, self._files.name(location.file), 0)

    def rows_at(self, wanted: Iterable[tuple[RowLocation, Token]]) -> Iterator[tuple[Row, Token]]:
        """Reads many rows again, in the order given, each with the token given with its location; raises as `row`."""
        wanted = iter(wanted)
        while window := list(islice(wanted, AHEAD)):
            for location, _ in window:
                (self._spool if location.file == SPOOL else self._files).read_ahead(location)
            for location, token in window:
                yield self.row(location), token

    def add(self, row: Row, note: Any = None) -> None:
        """Copies a row and its note. Raises Fatal(74 or 2) if that cannot be written."""
        self._spool.append(self._record(row, orjson.dumps(note)))

    def rows(self, wanted: Callable[[Any], bool] | None = None) -> Iterator[tuple[Row, Any]]:
        """Yields the copied rows in their order with their notes: all of them, or those with a `wanted` note."""
        for record in self._spool.records():
            row, note = self._stored(record)
            if wanted is None or wanted(note):
                yield row, note

    def _record(self, row: Row, note: bytes) -> bytes:
        return b"".join((_HEAD.pack(self._files.number(row.file), row.line, len(note)), note, row.raw))

    def _stored(self, record: bytes) -> tuple[Row, Any]:
        file, line, note_size = _HEAD.unpack_from(record)
        begin = _HEAD.size + note_size
        note = orjson.loads(record[_HEAD.size : begin]) if note_size else None
        return StoredRow(record[begin:], self._files.name(file), line), note


class _Spool:
    """An unnamed temporary file of compressed records: it goes with the process, whatever ends that."""

    def __init__(self, folder: str | None, option: str | None):
        self._folder, self._name = folder, "spool"
        self._hint = f"name another folder with {option}" if option else "set TMPDIR to another folder"
        self._file: IO[bytes] | None = None
        self._end = 0
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def append(self, record: bytes) -> tuple[int, int]:
        """Returns the offset and size of what was written; raises Fatal(74 or 2) if it cannot be."""
        data = self._compress(record)
        try:
            if self._file is None:
                self._file = self._created()
            write_all(self._file.fileno(), _SIZE.pack(len(data)) + data, self._name)
        except Fatal as error:
            raise Fatal(error.status, f"{error}, or {self._hint}") from None
        offset = self._end + _SIZE.size
        self._end = offset + len(data)
        return offset, len(data)

    def read(self, offset: int, size: int) -> bytes:
        assert self._file is not None
        return self._decompress(os.pread(self._file.fileno(), size, offset))

    def read_ahead(self, location: RowLocation) -> None:
        """Has the system fetch a record that will be read."""
        assert self._file is not None
        os.posix_fadvise(self._file.fileno(), location.offset, location.size, os.POSIX_FADV_WILLNEED)

    def records(self) -> Iterator[bytes]:
        """All records in their order; more may be appended meanwhile."""
        offset = 0
        while offset < self._end:
            assert self._file is not None
            (size,) = _SIZE.unpack(os.pread(self._file.fileno(), _SIZE.size, offset))
            yield self.read(offset + _SIZE.size, size)
            offset += _SIZE.size + size

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _created(self) -> IO[bytes]:
        try:
            folder = self._folder or tempfile.gettempdir()
            self._name = f"spool in {folder}"
            return tempfile.TemporaryFile(dir=folder, buffering=0)
        except OSError as error:
            raise write_failed(self._name, error) from None


class _Files:
    """The input files by number, from 1; those that are read again are opened, a few at a time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._open: dict[int, int] = {}

    def number(self, name: str) -> int:
        """The number of the file `name`."""
        if name not in self._numbers:
            self._names.append(name)
            self._numbers[name] = len(self._names)
        return self._numbers[name]

    def name(self, number: int) -> str:
        """The name of a file."""
        return self._names[number - 1]

    def read_ahead(self, location: RowLocation) -> None:
        """Has the system fetch a row that will be read, if its file is open already."""
        if location.file in self._open:
            os.posix_fadvise(self._open[location.file], location.offset, location.size, os.POSIX_FADV_WILLNEED)

    def read(self, number: int, offset: int, size: int) -> bytes:
        """Bytes of a file; raises Fatal(7) if it cannot be read any more."""
        try:
            if number not in self._open:
                if len(self._open) == OPEN_FILES:
                    os.close(self._open.pop(next(iter(self._open))))
                name = self.name(number)
                self._open[number] = os.dup(0) if name == STDIN else os.open(name, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._open[number], size, offset)
        except OSError as error:
            raise self.failed(number, f"it cannot be read a second time ({error.strerror})") from None

    def failed(self, number: int, what: str) -> Fatal:
        return Fatal(Exit.INCOMPLETE, f"{self.name(number)}: {what}; leave it alone while this runs, and run again")

    def close(self) -> None:
        for descriptor in self._open.values():
            with suppress(OSError):  # all of it was read
                os.close(descriptor)
