"""Which samples are learned from when, and how a batch is spread over ranks and passes: functions of lengths.

A step's batch is the same whatever the number of ranks and the size of a forward pass; only how it is cut differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from libra_cli.stream.shuffle import permutation

Pack = list[int]
"""Samples of one forward pass of one rank, by their index."""


@dataclass(frozen=True)
class SampleOrder:
    """The order in which samples are seen: each once an epoch, shuffled anew in each.

    Batches run on over the end of an epoch, so that all but the very last are full.
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
        found: list[int] = []
        while first < last:
            epoch, begin = divmod(first, self.samples)
            end = min(begin + last - first, self.samples)
            found += self._epoch(epoch)[begin:end].tolist()
            first += end - begin
        return found

    def _epoch(self, epoch: int) -> np.ndarray:
        return _order(self.samples, self.seed, epoch) if self.shuffle else np.arange(self.samples)


@lru_cache(maxsize=2)  # a batch may reach into the next epoch
def _order(samples: int, seed: int, epoch: int) -> np.ndarray:
    return permutation(samples, seed, epoch)


@dataclass(frozen=True)
class Cost:
    """What a forward pass may hold, and how long samples take."""

    limit: int
    """Tokens of a pass; of a padded one, with its padding."""
    quadratic: float = 0.0
    """Work of a pair of tokens in attention, in units of that of a token elsewhere."""
    padded: bool = False
    """Samples stand in rows of equal length."""

    def work(self, length: int) -> float:
        return length + self.quadratic * length * length


def spread(samples: Sequence[int], lengths: Sequence[int], ranks: int, cost: Cost) -> list[list[Pack]]:
    """The packs of each rank: as few as fit, equally many everywhere, of even work.

    `lengths[i]` is that of `samples[i]`; a sample longer than the limit makes a pack of its own. A rank may have empty
    packs, so that all ranks take part in every exchange.
    """
    order = sorted(range(len(samples)), key=lambda i: (-lengths[i], samples[i]))
    packs = _padded(order, lengths, cost) if cost.padded else _packed(order, lengths, ranks, cost)
    passes = -(-len(packs) // ranks)
    packs += [[]] * (passes * ranks - len(packs))
    packs.sort(key=lambda pack: -sum(cost.work(lengths[i]) for i in pack))
    named = [[samples[i] for i in sorted(pack)] for pack in packs]
    # Passes of like work go together, since ranks wait for the slowest in each.
    return [[named[number * ranks + rank] for number in range(passes)] for rank in range(ranks)]


def _packed(order: Sequence[int], lengths: Sequence[int], ranks: int, cost: Cost) -> list[Pack]:
    """The fewest packs for which all samples find room."""
    passes = max(1, -(-sum(lengths) // (cost.limit * ranks)))
    while (packs := _even(order, lengths, passes * ranks, cost)) is None:
        passes += 1
    return packs


def _even(order: Sequence[int], lengths: Sequence[int], bins: int, cost: Cost) -> list[Pack] | None:
    """Longest first, each into the pack with the least work that has room; None where one has nowhere to go."""
    packs: list[Pack] = [[] for _ in range(bins)]
    works, tokens = np.zeros(bins), np.zeros(bins, dtype=np.int64)
    for i in order:
        length = lengths[i]
        room = (tokens + length <= cost.limit) | (tokens == 0)
        if not room.any():
            return None
        best = int(np.where(room, works, np.inf).argmin())
        packs[best].append(i)
        works[best] += cost.work(length)
        tokens[best] += length
    return packs


def _padded(order: Sequence[int], lengths: Sequence[int], cost: Cost) -> list[Pack]:
    """Rows of like length together, as many as fit."""
    packs: list[Pack] = []
    for i in order:
        longest = lengths[packs[-1][0]] if packs else 0
        if not packs or longest * (len(packs[-1]) + 1) > cost.limit:
            packs.append([])
        packs[-1].append(i)
    return packs
