"""All labelled responses of a run as fixed-size records: the choice needs their identities and labels, not their texts.

A record takes RECORD.size bytes of memory. No choice depends on the order in which responses arrive.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator

from libra_cli.stages.balance.samples import BalanceSample
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row

RECORD = struct.Struct(">QQBIIQQ")
"""Problem and response (8-byte keyed hashes), label, RowLocation. Big-endian, so that bytes sort as the numbers do."""

PROBLEM, RESPONSE, LABEL = slice(0, 8), slice(0, 16), 16
"""Parts of a record. A response is identified together with its problem."""

CellName = tuple[str, str]
"""Subset and model."""


class ResponseIndex:
    """The responses of every cell. The seed keys the hashes, and with them the order in which problems take turns."""

    def __init__(self, seed: int):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._records: dict[CellName, bytearray] = {}
        self._unusable: dict[CellName, Counter[str]] = {}

    def add(self, row: Row, sample: BalanceSample, location: RowLocation) -> None:
        """Adds a response. The question identifies its problem; id, `sample` and text identify the response."""
        identity = f"{row.id}\0{row.fields.get('sample')}\0{sample.response_with_cot}"
        problem, response = self._hash(row.fields["question"]), self._hash(identity)
        records = self._records.setdefault((sample.subset, sample.model), bytearray())
        records += RECORD.pack(problem, response, sample.label, *location)

    def add_unusable(self, sample: BalanceSample) -> None:
        """Counts a response that cannot be chosen, so that its cell is reported even if it has no other."""
        self._unusable.setdefault((sample.subset, sample.model), Counter())[str(sample.unusable)] += 1

    def names(self) -> list[CellName]:
        """All cells, sorted."""
        return sorted(self._records.keys() | self._unusable.keys())

    def unusable(self, name: CellName) -> Counter[str]:
        """Unusable responses of a cell, by reason."""
        return self._unusable.get(name, Counter())

    def take(self, name: CellName) -> list[bytes]:
        """Removes the records of a cell from the index and returns them sorted."""
        return sorted(split_records(self._records.pop(name, b"")))

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big")


def split_records(records: bytes | bytearray) -> Iterator[bytes]:
    """The single records of a run of them."""
    view = memoryview(records)
    for begin in range(0, len(view), RECORD.size):
        yield bytes(view[begin : begin + RECORD.size])
