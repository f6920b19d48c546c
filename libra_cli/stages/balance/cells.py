"""The choice that makes a benchmark even: per (subset, model) as many correct responses as incorrect ones.

Of each response only numbers are kept, RECORD.size bytes; no choice depends on the order in which they came. Within a
cell the problems take turns, in an order drawn from the seed: each gives its first response before any gives a second.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice

from libra_cli.stages.balance.samples import Sample
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row

INCORRECT, CORRECT = 0, 1
LABELS = (INCORRECT, CORRECT)

RECORD = struct.Struct(">QQBIIQQ")
"""Problem and response (8-byte keyed hashes), label, and RowLocation. Big-endian: records sort as their numbers."""

PROBLEM, RESPONSE, LABEL = slice(0, 8), slice(0, 16), 16
"""Where these stand in a record; a response is one to a problem."""


@dataclass(frozen=True)
class Limits:
    """How many responses of each label may be chosen; None for no limit."""

    per_cell: int | None = None
    per_problem: int | None = None
    of_subset: Mapping[str, int] = field(default_factory=dict)
    """Subsets that have another limit per cell."""

    def of(self, subset: str) -> int | None:
        """The limit of a cell in `subset`."""
        return self.of_subset.get(subset, self.per_cell)


@dataclass(frozen=True)
class Cell:
    """What one model gives to one subset. Pairs are (incorrect, correct), as the labels 0 and 1."""

    subset: str
    model: str
    available: tuple[int, int]
    """Different responses."""
    eligible: tuple[int, int]
    """Those within the limit per problem."""
    target: int
    """Of each label: as many as were asked for, else as would let every eligible response in."""
    unusable: Mapping[str, int]
    """Responses left out while reading, by reason."""
    duplicates: int
    """Responses that were there already."""
    contradictory: int
    """Responses labelled correct here and incorrect there; none of them is used."""
    chosen: bytes
    """Records, correct and incorrect in turn, the first choice first."""

    @property
    def kept(self) -> int:
        """Responses of each label that are chosen."""
        return len(self.chosen) // RECORD.size // len(LABELS)

    @property
    def short(self) -> tuple[int, int]:
        """How many of each label are missing to the target."""
        incorrect, correct = self.eligible
        return max(0, self.target - incorrect), max(0, self.target - correct)

    @property
    def left_out(self) -> dict[str, int]:
        """Usable responses that are not chosen, by reason; `surplus` is what a limit or evenness leaves out."""
        surplus = sum(self.available) - len(LABELS) * self.kept
        counts = {"duplicate": self.duplicates, "contradictory": self.contradictory, "surplus": surplus}
        return {reason: count for reason, count in counts.items() if count}

    def locations(self) -> Iterator[RowLocation]:
        """Where the chosen rows are, in their order."""
        for _, _, _, *location in RECORD.iter_unpack(self.chosen):
            yield RowLocation(*location)

    def problems(self, labels: Sequence[int]) -> Iterator[bytes]:
        """The problem of each chosen response with one of `labels`."""
        return (record[PROBLEM] for record in _split(self.chosen) if record[LABEL] in labels)


Name = tuple[str, str]
"""The subset and the model of a cell."""


class Index:
    """The responses of all cells, as records."""

    def __init__(self, seed: int):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._records: dict[Name, bytearray] = {}
        self._unusable: dict[Name, Counter[str]] = {}

    def leave_out(self, sample: Sample) -> None:
        """Takes note of a response that cannot be used: its cell may have no other."""
        self._unusable.setdefault((sample.subset, sample.model), Counter())[str(sample.unusable)] += 1

    def add(self, row: Row, sample: Sample, location: RowLocation) -> None:
        """Takes one response. Its problem is its question; what tells it from others is id, `sample` and text."""
        identity = f"{row.id}\0{row.fields.get('sample')}\0{sample.response_with_cot}"
        hashes = self._hash(row.fields["question"]), self._hash(identity)
        records = self._records.setdefault((sample.subset, sample.model), bytearray())
        records += RECORD.pack(*hashes, sample.label, *location)

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big")

    def balanced(self, limits: Limits) -> list[Cell]:
        """The cells by subset and model, each with its choice; the records of all other responses are given up."""
        names = sorted(self._records.keys() | self._unusable.keys())
        return [balance(name, self._take(name), limits, self._unusable.get(name, {})) for name in names]

    def _take(self, name: Name) -> list[bytes]:
        return sorted(_split(self._records.pop(name, b"")))


def balance(name: Name, records: list[bytes], limits: Limits, unusable: Mapping[str, int]) -> Cell:
    """The cell with as many correct responses as incorrect ones, and as many as `limits` and sorted `records` allow."""
    different, duplicates, contradictory = _different(records)
    turns = [_turns(different, label) for label in LABELS]
    allowed = [list(chain.from_iterable(rounds[: limits.per_problem])) for rounds in turns]
    eligible = len(allowed[INCORRECT]), len(allowed[CORRECT])
    wanted = limits.of(name[0])
    pairs = islice(zip(allowed[CORRECT], allowed[INCORRECT], strict=False), wanted)
    return Cell(
        *name,
        available=(_total(turns[INCORRECT]), _total(turns[CORRECT])),
        eligible=eligible,
        target=max(eligible) if wanted is None else wanted,
        unusable=unusable,
        duplicates=duplicates,
        contradictory=contradictory,
        chosen=b"".join(chain.from_iterable(pairs)),
    )  # fmt: skip


def _different(records: list[bytes]) -> tuple[list[bytes], int, int]:
    """Sorted records without repetitions, how many repeat another, and how many contradict another."""
    different, duplicates, contradictory = [], 0, 0
    for _, group in groupby(records, key=lambda record: record[RESPONSE]):
        first, *others = group
        if others and others[-1][LABEL] != first[LABEL]:  # sorted by label next
            contradictory += 1 + len(others)
        else:
            different.append(first)
            duplicates += len(others)
    return different, duplicates, contradictory


def _turns(records: Sequence[bytes], label: int) -> list[list[bytes]]:
    """The first response with `label` to each problem, then the second ones, and so on; `records` are sorted."""
    turns: list[list[bytes]] = []
    labelled = (record for record in records if record[LABEL] == label)
    for _, responses in groupby(labelled, key=lambda record: record[PROBLEM]):
        for turn, record in enumerate(responses):
            if turn == len(turns):
                turns.append([])
            turns[turn].append(record)
    return turns


def _total(turns: Sequence[Sequence[bytes]]) -> int:
    return sum(len(turn) for turn in turns)


def _split(records: bytes | bytearray) -> Iterator[bytes]:
    view = memoryview(records)
    for at in range(0, len(view), RECORD.size):
        yield bytes(view[at : at + RECORD.size])
