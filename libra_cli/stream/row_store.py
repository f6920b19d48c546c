"""Rows that are wanted again: from where they stand in a file, or from a spool where they cannot be read twice."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import zstandard

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.line_source import STDIN
from libra_cli.stream.rows import Row
from libra_cli.stream.sinks import write_all, write_failed

OPEN_FILES = 128
"""At most: a shell hands over more files than a process may hold open."""
AHEAD = 512
"""Rows that are asked of the disk at once: one after another, from a file that no cache holds, takes four times as
long."""
SPOOL = 0
"""The spool's number among the files of a store."""


Known = TypeVar("Known")


class RowLocation(NamedTuple):
    """Where a row can be had again."""

    check: int
    """CRC-32 of its bytes."""
    file: int
    """Number of the file in its RowStore."""
    offset: int
    size: int


class RowStore:
    """Gives rows back by their place. Use as a context manager.

    `spool_dir` is the folder for rows of pipes and compressed files; None means TMPDIR, or where the system keeps
    temporary files.
    """

    def __init__(self, spool_dir: str | None = None):
        self._spool = Spool(spool_dir)
        self._files = Files()

    def __enter__(self) -> RowStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()
        self._files.close()

    def keep(self, row: Row, span: tuple[int, int] | None) -> RowLocation:
        """The place of `row`; `span` is its offset and size in its file, None where that cannot be read again."""
        check = zlib.crc32(row.raw)
        if span is None:
            return RowLocation(check, SPOOL, *self._spool.append(row.raw))
        return RowLocation(check, self._files.number(row.file), *span)

    def read(self, place: RowLocation) -> bytes:
        """The bytes of a row; raises Fatal(7) where its file has changed."""
        if place.file == SPOOL:
            return self._spool.read(place.offset, place.size)
        raw = self._files.read(place.file, place.offset, place.size).strip(b" \t\r")
        if zlib.crc32(raw) != place.check:
            raise self._files.failed(place.file, "it has changed since it was read first")
        return raw

    def each(self, wanted: Iterable[tuple[RowLocation, Known]]) -> Iterator[tuple[bytes, Known]]:
        """The bytes of many rows, in the order given, each with what stands beside its place; raises as `read` does."""
        wanted = iter(wanted)
        while window := list(islice(wanted, AHEAD)):
            for place, _ in window:
                (self._spool if place.file == SPOOL else self._files).expect(place)
            for place, known in window:
                yield self.read(place), known


class Spool:
    """A temporary file without a name, so that it goes with the process, whatever ends that. Rows are compressed."""

    def __init__(self, folder: str | None):
        self._folder, self._name, self._fd = folder, "spool", -1
        self._end = 0
        self._pack = zstandard.ZstdCompressor(level=1).compress
        self._unpack = zstandard.ZstdDecompressor().decompress

    def append(self, raw: bytes) -> tuple[int, int]:
        """Offset and size of what was written; raises Fatal(74) or (2) where it cannot be."""
        data = self._pack(raw)
        try:
            if self._fd < 0:
                self._fd = self._created()
            write_all(self._fd, data, self._name)
        except Fatal as error:
            raise Fatal(error.status, f"{error}, or name another folder with --spool-dir") from None
        offset, self._end = self._end, self._end + len(data)
        return offset, len(data)

    def expect(self, place: RowLocation) -> None:
        """Has the system fetch a row that will be read."""
        os.posix_fadvise(self._fd, place.offset, place.size, os.POSIX_FADV_WILLNEED)

    def read(self, offset: int, size: int) -> bytes:
        return self._unpack(os.pread(self._fd, size, offset))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _created(self) -> int:
        try:
            folder = self._folder or tempfile.gettempdir()
            self._name = f"spool in {folder}"
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                return os.dup(file.fileno())
        except OSError as error:
            raise write_failed(self._name, error) from None


class Files:
    """The inputs that can be read again, by number from 1; few are open at a time."""

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

    def expect(self, place: RowLocation) -> None:
        """Has the system fetch a row that will be read, where its file is open already."""
        if place.file in self._open:
            os.posix_fadvise(self._open[place.file], place.offset, place.size, os.POSIX_FADV_WILLNEED)

    def read(self, number: int, offset: int, size: int) -> bytes:
        """Bytes of a file; raises Fatal(7) where it cannot be read any more."""
        try:
            if number not in self._open:
                self._open_file(number)
            return os.pread(self._open[number], size, offset)
        except OSError as error:
            raise self.failed(number, f"it cannot be read a second time ({error.strerror})") from None

    def failed(self, number: int, what: str) -> Fatal:
        name = self._names[number - 1]
        return Fatal(Exit.INCOMPLETE, f"{name}: {what}; leave it alone while this runs, and run again")

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def _open_file(self, number: int) -> None:
        if len(self._open) == OPEN_FILES:
            os.close(self._open.pop(next(iter(self._open))))
        name = self._names[number - 1]
        self._open[number] = os.dup(0) if name == STDIN else os.open(name, os.O_RDONLY | os.O_CLOEXEC)
