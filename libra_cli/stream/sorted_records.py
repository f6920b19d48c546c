"""Millions of small records in order, in little memory: sorted runs on disk, and a merge of them."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from libra_cli.stream.hash_numbers import DiskLog

RUN = 1 << 14
"""Records that are sorted in memory at a time."""
_BLOCK = 1 << 7
"""Records of each run that are in memory while the runs are merged."""


class SortedRecords:
    """Records of one size in the order of their bytes: an external merge sort, on disk from RUN records on.

    A big-endian struct sorts as its unsigned numbers do. The runs go to an unnamed temporary file in `folder`, or in
    TMPDIR.
    """

    def __init__(self, size: int, folder: str | None = None):
        self._size, self._log, self._tail = size, DiskLog(folder), bytearray()

    def __len__(self) -> int:
        return (len(self._log) + len(self._tail)) // self._size

    def add(self, record: bytes) -> None:
        """Adds a record; raises Fatal(74 or 2) if a run cannot be written."""
        self._tail += record
        if len(self._tail) == RUN * self._size:
            self._log.append(b"".join(sorted(self._split(self._tail))))
            self._tail = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        """All records, in order."""
        tail = sorted(self._split(self._tail))
        if not len(self._log):
            return iter(tail)
        runs = (self._run(begin) for begin in range(0, len(self._log), RUN * self._size))
        return merge(*runs, tail)

    def _run(self, begin: int) -> Iterator[bytes]:
        size = _BLOCK * self._size
        for block in range(begin, begin + RUN * self._size, size):
            yield from self._split(self._log.read(block, size))

    def _split(self, records: bytes | bytearray) -> Iterator[bytes]:
        size = self._size
        return (bytes(records[begin : begin + size]) for begin in range(0, len(records), size))
