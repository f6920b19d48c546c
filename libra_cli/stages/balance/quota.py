"""How many rows `libra balance` keeps per cell, and which: as many correct responses as incorrect ones.

A cell holds the responses of one model to one subset. Within it the problems take turns, in an order drawn from the
seed: each gives its first response before any gives a second one, so that no problem dominates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice

from libra_cli.stages.balance.response_index import (
    LABEL,
    PROBLEM,
    RECORD,
    RESPONSE,
    CellName,
    ResponseIndex,
    split_records,
)
from libra_cli.stream.row_store import RowLocation

INCORRECT, CORRECT = 0, 1
LABELS = (INCORRECT, CORRECT)


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
    chosen: bytes
    """Records of the chosen responses, correct and incorrect alternating, in the order of choice."""

    @property
    def kept(self) -> int:
        """Chosen responses of each label."""
        return len(self.chosen) // RECORD.size // len(LABELS)

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

    def locations(self) -> Iterator[RowLocation]:
        """Where to read the chosen rows again, in their order."""
        for _, _, _, *location in RECORD.iter_unpack(self.chosen):
            yield RowLocation(*location)

    def problems(self, labels: Sequence[int]) -> Iterator[bytes]:
        """The problem of each chosen response with one of `labels`."""
        return (record[PROBLEM] for record in split_records(self.chosen) if record[LABEL] in labels)


def balance_cells(index: ResponseIndex, limits: CellLimits) -> list[Cell]:
    """Balances every cell, sorted by subset and model. Empties `index`: only records of chosen responses stay."""
    return [balance_cell(name, index.take(name), limits, index.unusable(name)) for name in index.names()]


def balance_cell(name: CellName, records: list[bytes], limits: CellLimits, unusable: Mapping[str, int]) -> Cell:
    """Chooses from the sorted `records` of a cell as many correct as incorrect responses, as many as `limits` allow."""
    distinct, duplicates, contradictory = drop_repetitions(records)
    rounds = [rounds_of_problems(distinct, label) for label in LABELS]
    eligible = [list(chain.from_iterable(of_label[: limits.per_problem])) for of_label in rounds]
    n_incorrect, n_correct = len(eligible[INCORRECT]), len(eligible[CORRECT])
    per_cell = limits.of(name[0])
    # zip stops at the scarcer label, islice at the limit: this is how many of each label the cell keeps.
    pairs = islice(zip(eligible[CORRECT], eligible[INCORRECT], strict=False), per_cell)
    return Cell(
        *name,
        available=(sum(map(len, rounds[INCORRECT])), sum(map(len, rounds[CORRECT]))),
        eligible=(n_incorrect, n_correct),
        target=max(n_incorrect, n_correct) if per_cell is None else per_cell,
        unusable=unusable,
        duplicates=duplicates,
        contradictory=contradictory,
        chosen=b"".join(chain.from_iterable(pairs)),
    )


def drop_repetitions(records: list[bytes]) -> tuple[list[bytes], int, int]:
    """Returns sorted records without repetitions, the number of duplicates, and of contradictory responses.

    If copies of one response have different labels, all of them are contradictory and dropped.
    """
    distinct, duplicates, contradictory = [], 0, 0
    for _, group in groupby(records, key=lambda record: record[RESPONSE]):
        first, *others = group
        if others and others[-1][LABEL] != first[LABEL]:  # records sort by label next
            contradictory += 1 + len(others)
        else:
            distinct.append(first)
            duplicates += len(others)
    return distinct, duplicates, contradictory


def rounds_of_problems(records: Sequence[bytes], label: int) -> list[list[bytes]]:
    """Rounds of the sorted `records` with `label`: the first response to each problem, then the second ones, ..."""
    rounds: list[list[bytes]] = []
    labelled = (record for record in records if record[LABEL] == label)
    for _, responses in groupby(labelled, key=lambda record: record[PROBLEM]):
        for number, record in enumerate(responses):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(record)
    return rounds
