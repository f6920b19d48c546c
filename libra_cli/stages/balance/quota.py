"""How many rows `libra balance` keeps per cell, and which: as many correct responses as incorrect ones.

A cell holds the responses of one model to one subset. Within it the problems take turns, in an order drawn from the
seed: each gives its first response before any gives a second one, so that no problem dominates.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter

from libra_cli.stages.balance.response_index import LABEL, PROBLEM, RECORD, RESPONSE, CellName, ResponseIndex
from libra_cli.stream.hash_numbers import DiskLog
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.sorted_records import SortedRecords

INCORRECT, CORRECT = 0, 1
LABELS = (INCORRECT, CORRECT)
_ROUND = struct.Struct(">I")
"""Before a record that waits for its turn: how many responses to its problem come first."""
_BLOCK = 1 << 12
"""Chosen records that are read back at a time."""


class ChosenRecords:
    """Records of the chosen responses of a cell, correct and incorrect alternating, in the order of choice; on disk."""

    def __init__(self, log: DiskLog, begin: int):
        """Takes what was appended to `log` from `begin` on."""
        self._log, self._begin, self._size = log, begin, len(log) - begin

    def __len__(self) -> int:
        return self._size // RECORD.size

    def blocks(self) -> Iterator[bytes]:
        """The records, several at a time; each block begins with a correct response."""
        for begin in range(0, self._size, _BLOCK * RECORD.size):
            yield self._log.read(self._begin + begin, min(_BLOCK * RECORD.size, self._size - begin))

    def locations(self) -> Iterator[RowLocation]:
        """Where to read the chosen rows again, in their order."""
        for block in self.blocks():
            for _, _, _, *location in RECORD.iter_unpack(block):
                yield RowLocation(*location)


@dataclass(frozen=True)
class CellLimits:
    """How many responses of each label may be kept; None means no limit."""

    per_cell: int | None = None
    per_problem: int | None = None
    of_subset: Mapping[str, int] = field(default_factory=dict)
    """Subsets with a limit per cell of their own."""

    def of(self, subset: str) -> int | None:
        """The limit of a cell in `subset`."""
        return self.of_subset.get(subset, self.per_cell)


@dataclass(frozen=True)
class Cell:
    """The responses of one model to one subset, and the choice among them.

    Pairs are (incorrect, correct), in the order of the labels 0 and 1.
    """

    subset: str
    model: str
    available: tuple[int, int]
    """Distinct responses."""
    eligible: tuple[int, int]
    """Of those, the responses within the limit per problem."""
    target: int
    """Responses wanted of each label: the limit per cell, or without one the larger of the two eligible counts."""
    unusable: Mapping[str, int]
    """Responses left out while reading, by reason."""
    duplicates: int
    """Repetitions of another response."""
    contradictory: int
    """Responses labelled both correct and incorrect; none of them is used."""
    chosen: ChosenRecords

    @property
    def kept(self) -> int:
        """Chosen responses of each label."""
        return len(self.chosen) // len(LABELS)

    @property
    def short(self) -> tuple[int, int]:
        """How many eligible responses each label lacks to reach the target: (incorrect, correct)."""
        incorrect, correct = self.eligible
        return max(0, self.target - incorrect), max(0, self.target - correct)

    @property
    def left_out(self) -> dict[str, int]:
        """Usable responses that are not chosen, by reason; `surplus`: a limit or the balance excludes them."""
        surplus = sum(self.available) - len(LABELS) * self.kept
        counts = {"duplicate": self.duplicates, "contradictory": self.contradictory, "surplus": surplus}
        return {reason: count for reason, count in counts.items() if count}


def balance_cells(index: ResponseIndex, limits: CellLimits, folder: str | None = None) -> list[Cell]:
    """Balances every cell, sorted by subset and model; what it needs on disk is in `folder`, or in TMPDIR."""
    chosen = DiskLog(folder)
    cells = [balance_cell(name, records, limits, unusable, chosen, folder) for name, records, unusable in index.cells()]
    return sorted(cells, key=lambda cell: (cell.subset, cell.model))


def balance_cell(
    name: CellName,
    records: Iterable[bytes],
    limits: CellLimits,
    unusable: Mapping[str, int],
    chosen: DiskLog,
    folder: str | None,
) -> Cell:
    """Chooses from the sorted `records` of a cell as many correct as incorrect responses, as many as `limits` allow.

    Appends the records of the chosen responses to `chosen`. If copies of one response have different labels, all of
    them are contradictory and dropped.
    """
    in_turn = [SortedRecords(_ROUND.size + RECORD.size, folder) for _ in LABELS]
    available, taken = [0, 0], [0, 0]
    problem, duplicates, contradictory = b"", 0, 0
    for _, group in groupby(records, key=itemgetter(RESPONSE)):
        copies = iter(group)
        first = next(copies)
        label, others = first[LABEL], Counter(map(itemgetter(LABEL), copies))
        if others.keys() - {label}:
            contradictory += 1 + others.total()
            continue
        duplicates += others.total()
        if first[PROBLEM] != problem:
            problem, taken = first[PROBLEM], [0, 0]
        if limits.per_problem is None or taken[label] < limits.per_problem:
            in_turn[label].add(_ROUND.pack(taken[label]) + first)
        available[label] += 1
        taken[label] += 1
    n_incorrect, n_correct = len(in_turn[INCORRECT]), len(in_turn[CORRECT])
    per_cell, begin = limits.of(name[0]), len(chosen)
    # zip stops at the scarcer label, islice at the limit: this is how many of each label the cell keeps.
    for correct, incorrect in islice(zip(in_turn[CORRECT], in_turn[INCORRECT], strict=False), per_cell):
        chosen.append(correct[_ROUND.size :] + incorrect[_ROUND.size :])
    return Cell(
        *name,
        available=(available[INCORRECT], available[CORRECT]),
        eligible=(n_incorrect, n_correct),
        target=max(n_incorrect, n_correct) if per_cell is None else per_cell,
        unusable=unusable,
        duplicates=duplicates,
        contradictory=contradictory,
        chosen=ChosenRecords(chosen, begin),
    )


def n_problems(cells: Sequence[Cell], label: int | None = None) -> int:
    """Different problems among the chosen responses of `cells`, or among those with one `label`."""
    import numpy as np

    first, step = (0, 1) if label is None else (LABELS[::-1].index(label), len(LABELS))  # correct ones come first
    dtype = np.dtype([("problem", "u8"), ("rest", f"V{RECORD.size - 8}")])
    problems = np.empty(sum(len(cell.chosen) for cell in cells) // step, np.uint64)
    end = 0
    for block in (block for cell in cells for block in cell.chosen.blocks()):
        some = np.frombuffer(block, dtype)["problem"][first::step]
        problems[end : end + len(some)] = some
        end += len(some)
    problems.sort()
    return int((problems[1:] != problems[:-1]).sum()) + bool(len(problems))
