"""All labelled responses of a run as fixed-size records: the choice needs their identities and labels, not their texts.

The records are sorted on disk. No choice depends on the order in which responses arrive.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from libra_cli.stages.balance.samples import BalanceSample
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row
from libra_cli.stream.sorted_records import SortedRecords

RECORD = struct.Struct(">QQBIIQQ")
"""Problem and response (8-byte keyed hashes), label, RowLocation. Big-endian, so that bytes sort as the numbers do."""

PROBLEM, RESPONSE, LABEL = slice(0, 8), slice(0, 16), 16
"""Parts of a record. A response is identified together with its problem."""

CellName = tuple[str, str]
"""Subset and model."""

_CELL = struct.Struct(">I")
"""Before each record that is sorted: the number of its cell."""


class ResponseIndex:
    """The responses of every cell. The seed keys the hashes, and with them the order in which problems take turns."""

    def __init__(self, seed: int, folder: str | None = None):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._records = SortedRecords(_CELL.size + RECORD.size, folder)
        self._numbers: dict[CellName, int] = {}
        self._unusable: dict[CellName, Counter[str]] = {}

    def add(self, row: Row, sample: BalanceSample, location: RowLocation) -> None:
        """Adds a response. The question identifies its problem; id, `sample` and text identify the response."""
        identity = f"{row.id}\0{row.fields.get('sample')}\0{sample.response_with_cot}"
        problem, response = self._hash(row.fields["question"]), self._hash(identity)
        cell = self._numbers.setdefault((sample.subset, sample.model), len(self._numbers))
        self._records.add(_CELL.pack(cell) + RECORD.pack(problem, response, sample.label, *location))

    def add_unusable(self, sample: BalanceSample) -> None:
        """Counts a response that cannot be chosen, so that its cell is reported even if it has no other."""
        self._unusable.setdefault((sample.subset, sample.model), Counter())[str(sample.unusable)] += 1

    def cells(self) -> Iterator[tuple[CellName, Iterator[bytes], Counter[str]]]:
        """The name of each cell, its records in order, and its unusable responses by reason; one cell after another."""
        names = list(self._numbers)
        for cell, records in groupby(self._records, key=lambda record: record[: _CELL.size]):
            name = names[_CELL.unpack(cell)[0]]
            yield name, (record[_CELL.size :] for record in records), self._unusable.get(name, Counter())
        for name in self._unusable.keys() - self._numbers.keys():
            yield name, iter(()), self._unusable[name]

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big")
