"""The order of a mixture: which row each set gives next, and which set is next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from libra_cli.stream.shuffle import Numbers, permutation


def walk(kept: Numbers, wanted: int, seed: int, source: int, shuffle: bool) -> Iterator[int]:
    """Yields `wanted` rows from `kept`, the rows of set number `source`; repeats none before all had their turn.

    Without `shuffle` each epoch keeps the order of the set; an incomplete epoch is still a random sample.
    """
    for epoch, begin in enumerate(range(0, wanted, len(kept) or 1)):
        order = permutation(len(kept), seed, source, epoch)[: wanted - begin]
        yield from kept[order if shuffle else np.sort(order)].data


def turns(counts: Sequence[int], seed: int, shuffle: bool) -> NDArray[np.unsignedinteger]:
    """Returns the set that each row of the mixture comes from, given the rows (`counts`) of each set.

    Without `shuffle` every prefix of the mixture has the proportions of the whole: row j of the n rows of a set goes to
    position (j + 1/2) / n of the mixture.
    """
    sources = np.repeat(np.arange(len(counts), dtype=np.min_scalar_type(len(counts))), counts)
    if shuffle:
        return sources[permutation(len(sources), seed, "turns")]
    positions = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    return sources[np.argsort(positions, kind="stable")]


def drawn(kept: Sequence[Numbers], wanted: Sequence[int], seed: int, shuffle: bool) -> Iterator[tuple[int, int]]:
    """Yields the rows of the mixture in their order, as (set, number of the row in it).

    `kept` are the rows of each set that may be taken, `wanted` the number to take.
    """
    walks = [
        walk(rows, count, seed, source, shuffle) for source, (rows, count) in enumerate(zip(kept, wanted, strict=True))
    ]
    for source in turns(wanted, seed, shuffle).data:
        yield source, next(walks[source])
