"""What is remembered of millions of rows, in little memory: hashes in arrays, and what is seldom looked up on disk."""

from __future__ import annotations

import os
import struct
import tempfile
from array import array
from errno import EIO

from libra_cli.stream.sinks import write_all, write_failed

_FIRST_SIZE = 1 << 10
_TAIL_BYTES = 1 << 16
_HASH = struct.Struct("<Q")


class DiskLog:
    """Bytes appended to an unnamed temporary file in `folder`, or in TMPDIR, and read back from where they begin."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._fd: int | None = None
        self._written, self._tail = 0, bytearray()

    def __len__(self) -> int:
        return self._written + len(self._tail)

    def append(self, data: bytes) -> None:
        """Adds `data` at the end; raises Fatal(74 or 2) if it cannot be written."""
        self._tail += data
        if len(self._tail) < _TAIL_BYTES:
            return
        try:
            if self._fd is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0, prefix="libra-")  # noqa: SIM115 -- lives as long as this
                self._fd = self._file.fileno()
        except OSError as error:
            raise write_failed(self._name, error) from None
        write_all(self._fd, bytes(self._tail), self._name)
        self._written += len(self._tail)
        self._tail.clear()

    def read(self, begin: int, size: int) -> bytes:
        """The `size` bytes from `begin`, all of which are there; raises Fatal(74) if they cannot be read back."""
        if begin >= self._written:
            return bytes(self._tail[begin - self._written : begin - self._written + size])
        pieces = []
        while size and begin < self._written:
            assert self._fd is not None
            try:
                piece = os.pread(self._fd, min(size, self._written - begin), begin)
                if not piece:
                    raise OSError(EIO, os.strerror(EIO))
            except OSError as error:
                raise write_failed(self._name, error, begun=True) from None
            pieces.append(piece)
            begin, size = begin + len(piece), size - len(piece)
        if size:
            pieces.append(bytes(self._tail[begin - self._written : begin - self._written + size]))
        return b"".join(pieces)

    @property
    def _name(self) -> str:
        return f"a temporary file in {self._folder or tempfile.gettempdir()}"


class HashNumbers:
    """Numbers distinct 64-bit hashes from 0, in order of appearance; takes 10 to 16 bytes of memory for each.

    An open-addressing table of numbers, at most two thirds full, beside the upper halves of the hashes by their number.
    The whole hashes are on disk; one is read back where its upper half and its place in the table are those sought.
    """

    def __init__(self) -> None:
        self._upper, self._slots = array("I"), array("I", bytes(4 * _FIRST_SIZE))
        self._hashes = DiskLog()
        self._last = (-1, -1)  # rows of one problem often follow each other

    def __len__(self) -> int:
        return len(self._upper)

    def number(self, value: int) -> int:
        """The number of the hash `value`; a new one gets the next number, which is `len` before the call."""
        if value == self._last[0]:
            return self._last[1]
        upper, slots = self._upper, self._slots
        mask, wanted = len(slots) - 1, value >> 32
        slot = value & mask
        while found := slots[slot]:
            if upper[found - 1] == wanted and self._hashes.read(8 * found - 8, 8) == value.to_bytes(8, "little"):
                self._last = value, found - 1
                return found - 1
            slot = (slot + 1) & mask
        upper.append(wanted)
        self._hashes.append(value.to_bytes(8, "little"))
        slots[slot] = len(upper)
        if 3 * len(upper) >= 2 * len(slots):
            self._grow()
        self._last = value, len(upper) - 1
        return len(upper) - 1

    def _grow(self) -> None:
        size = 2 * len(self._slots)
        self._slots = array("I")  # the old table goes before the new one comes
        self._slots = slots = array("I", bytes(4)) * size
        number = 0
        for begin in range(0, len(self._hashes), _TAIL_BYTES):
            data = self._hashes.read(begin, min(_TAIL_BYTES, len(self._hashes) - begin))
            for (value,) in _HASH.iter_unpack(data):
                number += 1
                slot = value & (size - 1)
                while slots[slot]:
                    slot = (slot + 1) & (size - 1)
                slots[slot] = number
