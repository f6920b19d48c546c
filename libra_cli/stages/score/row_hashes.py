"""Hashes of rows on disk, and what is found out about many of them a part at a time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libra_cli.stream.hash_numbers import DiskLog

Ints = NDArray[np.int64]

_BLOCK = 1 << 13
"""Rows whose hashes are in memory at a time, while they come and when they are read back."""
_PART = 1 << 20
"""Hashes that are sorted at a time, about."""


class RowHashes:
    """Some 64-bit hashes of each row, in columns; all but those of the last rows are on disk."""

    def __init__(self, n_columns: int):
        self._pack = struct.Struct(f"<{n_columns}q").pack
        self._n_columns, self._size = n_columns, 8 * n_columns
        self._block_size = self._size * _BLOCK
        self._log, self._tail = DiskLog(), bytearray()

    def __len__(self) -> int:
        return (len(self._log) + len(self._tail)) // self._size

    def add(self, *hashes: int) -> None:
        """Adds a row by its hash in each column; raises Fatal(74 or 2) if it cannot be written."""
        self._tail += self._pack(*hashes)
        if len(self._tail) == self._block_size:
            self._log.append(np.frombuffer(self._tail, "<i8").reshape(_BLOCK, -1).T.tobytes())  # column by column
            self._tail = bytearray()

    def column(self, at: int) -> HashColumn:
        """The column with this number."""
        return HashColumn(len(self), lambda begin: self._read(at, begin // _BLOCK))

    def _read(self, at: int, block: int) -> Ints:
        begin = (block * self._n_columns + at) * 8 * _BLOCK
        if begin < len(self._log):
            return np.frombuffer(self._log.read(begin, 8 * _BLOCK), "<i8")
        return np.frombuffer(bytes(self._tail), "<i8").reshape(-1, self._n_columns)[:, at]


@dataclass(frozen=True)
class HashColumn:
    """N hashes, of which 0 stands for none."""

    n: int
    read: Callable[[int], Ints]
    """Reads some hashes, from an index on that is 0 or follows the last one read."""

    @staticmethod
    def of(hashes: Ints) -> HashColumn:
        """A column from an array."""
        return HashColumn(len(hashes), lambda begin: hashes[begin : begin + _BLOCK])

    def __len__(self) -> int:
        return self.n

    @property
    def n_parts(self) -> int:
        """A number of parts that are each small enough to be sorted in memory: a power of 2."""
        return 1 << (self.n // _PART).bit_length()

    def part(self, number: int, n_parts: int) -> tuple[Ints, NDArray[np.int32]]:
        """The hashes that are `number` modulo `n_parts` (a power of 2), and their indices, in order."""
        hashes, indices, begin = [np.empty(0, np.int64)], [np.empty(0, np.int32)], 0
        while begin < self.n:
            some = self.read(begin)
            wanted = np.flatnonzero((some & (n_parts - 1)) == number)
            hashes.append(some[wanted])
            indices.append((wanted + begin).astype(np.int32))
            begin += len(some)
        return np.concatenate(hashes), np.concatenate(indices)

    def numbers(self) -> NDArray[np.int32]:
        """The number of each hash (N): equal ones have the same number, from 0 in order of appearance."""
        first = np.empty(self.n, np.int32)
        for number in range(self.n_parts):
            hashes, indices = self.part(number, self.n_parts)
            _, firsts, inverse = np.unique(hashes, return_index=True, return_inverse=True)
            first[indices] = indices[firsts][inverse.reshape(-1)]
        rank = np.cumsum(first == np.arange(self.n, dtype=np.int32), dtype=np.int32)
        rank -= 1
        for begin in range(0, self.n, _PART):
            first[begin : begin + _PART] = rank[first[begin : begin + _PART]]
        return first

    def n_distinct(self) -> int | None:
        """How many hashes are different; None if one is 0."""
        n_distinct = 0
        for number in range(self.n_parts):
            hashes, _ = self.part(number, self.n_parts)
            if not hashes.all():
                return None
            n_distinct += len(np.unique(hashes))
        return n_distinct

    def occurrences(self, number: int, n_parts: int) -> tuple[Ints, NDArray[np.int32], NDArray[np.int32]]:
        """The hashes of a `part` that are not 0, ascending; which occurrence each is, from 0; and their indices."""
        hashes, indices = self.part(number, n_parts)
        order = np.argsort(hashes, kind="stable")
        order = order[hashes[order] != 0]
        hashes, places = hashes[order], np.arange(len(order))
        is_first = np.diff(hashes, prepend=hashes[:1] - 1) != 0
        begins = np.maximum.accumulate(np.where(is_first, places, 0))
        return hashes, (places - begins).astype(np.int32), indices[order]
