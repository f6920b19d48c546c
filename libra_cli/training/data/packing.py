"""The order of samples, and how a batch is split into micro-batches: functions of lengths alone.

The batch of a step does not depend on the number of ranks or the size of a micro-batch; only its split does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from libra_cli.stream.shuffle import permutation

Unit = Sequence[int]
"""Samples, by index, that one micro-batch must hold together: a single sample, a pair, a group."""
Pack = list[int]
"""Samples, by index, of one micro-batch of one rank."""


@dataclass(frozen=True)
class SampleOrder:
    """The order in which samples are seen: each once per epoch, shuffled anew in each epoch.

    Batches continue across the end of an epoch, so every batch but the last is full.
    """

    samples: int
    batch_size: int
    epochs: float
    seed: int
    shuffle: bool = True

    @property
    def total(self) -> int:
        """Samples over all epochs."""
        return round(self.samples * self.epochs)

    @property
    def steps(self) -> int:
        """Batches over all epochs."""
        return -(-self.total // self.batch_size)

    def batch(self, step: int) -> list[int]:
        """Samples of the batch of `step`, from 0."""
        first, last = step * self.batch_size, min((step + 1) * self.batch_size, self.total)
        batch: list[int] = []
        while first < last:
            epoch, begin = divmod(first, self.samples)
            end = min(begin + last - first, self.samples)
            order = _shuffled(self.samples, self.seed, epoch) if self.shuffle else np.arange(self.samples)
            batch += order[begin:end].tolist()
            first += end - begin
        return batch


@lru_cache(maxsize=2)  # a batch may reach into the next epoch
def _shuffled(samples: int, seed: int, epoch: int) -> np.ndarray:
    return permutation(samples, seed, epoch)


@dataclass(frozen=True)
class PackBudget:
    """How many tokens a micro-batch may hold, and how much work a sample is."""

    tokens: int
    """Of a micro-batch; padding counts."""
    quadratic: float = 0.0
    """Work of a pair of tokens in attention, relative to the work of a token everywhere else."""
    padded: bool = False
    """Each sample gets a row of its own, padded to the longest; otherwise samples share one row."""

    def work(self, length: int) -> float:
        return length + self.quadratic * length * length


def pack_batch(
    units: Sequence[Unit], lengths: Mapping[int, int] | Sequence[int] | Any, ranks: int, budget: PackBudget
) -> list[list[Pack]]:
    """The packs of each rank: as few as possible, equally many on every rank, with balanced work.

    `lengths[i]` is the length of sample i. Samples of a unit stay together, in its order; a unit beyond the budget gets
    a pack of its own. Some ranks may get empty packs, so that all ranks take part in every collective.
    """
    parts = [[int(lengths[i]) for i in unit] for unit in units]
    works = [sum(budget.work(length) for length in unit) for unit in parts]
    if budget.padded:
        order = sorted(range(len(units)), key=lambda u: (-max(parts[u]), units[u][0]))
        packs = _pack_rows(order, parts, budget)
    else:
        sizes = [sum(unit) for unit in parts]
        order = sorted(range(len(units)), key=lambda u: (-sizes[u], units[u][0]))
        per_rank = max(1, -(-sum(sizes) // (budget.tokens * ranks)))
        while (fitted := _pack_evenly(order, sizes, works, per_rank * ranks, budget)) is None:
            per_rank += 1
        packs = fitted
    per_rank = -(-len(packs) // ranks)
    packs += [[]] * (per_rank * ranks - len(packs))
    # Ranks wait for the slowest in each micro-batch, so packs of similar work run at the same time.
    packs.sort(key=lambda pack: -sum(works[u] for u in pack))
    flat = [[i for u in sorted(pack) for i in units[u]] for pack in packs]
    return [[flat[number * ranks + rank] for number in range(per_rank)] for rank in range(ranks)]


def _pack_evenly(
    order: Sequence[int], sizes: Sequence[int], works: Sequence[float], bins: int, budget: PackBudget
) -> list[list[int]] | None:
    """Units in `bins` packs, longest first, each into the least loaded pack with room; None if one finds no room."""
    packs: list[list[int]] = [[] for _ in range(bins)]
    loads, tokens = np.zeros(bins), np.zeros(bins, dtype=np.int64)
    for u in order:
        has_room = (tokens + sizes[u] <= budget.tokens) | (tokens == 0)
        if not has_room.any():
            return None
        best = int(np.where(has_room, loads, np.inf).argmin())
        packs[best].append(u)
        loads[best] += works[u]
        tokens[best] += sizes[u]
    return packs


def _pack_rows(order: Sequence[int], parts: Sequence[Sequence[int]], budget: PackBudget) -> list[list[int]]:
    """Units of similar length together, as many as fit; `order` is by the longest sample, descending."""
    packs: list[list[int]] = []
    rows = longest = 0
    for u in order:
        if not packs or longest * (rows + len(parts[u])) > budget.tokens:
            packs.append([])
            rows, longest = 0, max(parts[u])
        packs[-1].append(u)
        rows += len(parts[u])
    return packs
