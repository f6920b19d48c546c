"""Which row comes when: walks over a set epoch by epoch, and the turns that sets take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from libra_cli.stream.shuffle import Numbers, permutation


def walk(kept: Numbers, wanted: int, seed: int, source: int, shuffle: bool) -> Iterator[int]:
    """`wanted` of the rows `kept` of a source, none a second time before every other has had its turn.

    Without `shuffle` each epoch keeps the order of the source; one that is not whole is a sample all the same.
    """
    for epoch, begin in enumerate(range(0, wanted, len(kept) or 1)):
        order = permutation(len(kept), seed, source, epoch)[: wanted - begin]
        yield from kept[order if shuffle else np.sort(order)].data


def turns(counts: Sequence[int], seed: int, shuffle: bool) -> NDArray[np.unsignedinteger]:
    """Whose row is next, for each of the sum of `counts` rows.

    Without `shuffle` the sets take turns so evenly that every beginning of the output has their proportions: the row j
    of n of a set stands at (j + 1/2) / n of the whole.
    """
    sources = np.repeat(np.arange(len(counts), dtype=np.min_scalar_type(len(counts))), counts)
    if shuffle:
        return sources[permutation(len(sources), seed, "turns")]
    at = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    return sources[np.argsort(at, kind="stable")]
