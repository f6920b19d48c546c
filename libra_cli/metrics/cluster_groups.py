"""The groups that each cluster has items in: the strata of a bootstrap, and how many clusters are behind a figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.signedinteger[Any]]
Bools = NDArray[np.bool_]

CHUNK = 1 << 16
"""Items, or clusters, at a time."""


class ClusterGroups:
    """Of N items in `clusters` (N) and `groups` (N), the groups of each of C clusters.

    Only the items of the mask `counted` count, or all without one.
    """

    def __init__(
        self, clusters: Integers, n_clusters: int, groups: Integers, n_groups: int, counted: Bools | None = None
    ):
        self._n_groups = n_groups
        width = -(-max(1, n_groups) // 8)
        width = next((size for size in (1, 2, 4, 8) if size >= width), width)
        bits = np.zeros(n_clusters * width, np.uint8)  # a bit for each group of each cluster, that of the first highest
        bit_of_group = (128 >> (np.arange(n_groups) & 7)).astype(np.uint8)
        for begin in range(0, len(clusters), CHUNK):
            some = slice(begin, begin + CHUNK)
            of_item = groups[some].astype(np.intp)
            ones = bit_of_group[of_item]
            if counted is not None:
                ones = ones * counted[some]
            np.bitwise_or.at(bits, clusters[some].astype(np.intp) * width + (of_item >> 3), ones)
        keys = bits.view(f">u{width}" if width in (1, 2, 4, 8) else f"S{width}")
        chunks = range(0, n_clusters, CHUNK)
        patterns = np.unique(keys[:0])
        for begin in chunks:
            patterns = np.union1d(patterns, keys[begin : begin + CHUNK])
        self._pattern_of = np.empty(n_clusters, np.int8 if len(patterns) < 127 else np.int32)
        for begin in chunks:
            self._pattern_of[begin : begin + CHUNK] = np.searchsorted(patterns, keys[begin : begin + CHUNK])
        self._patterns = np.ascontiguousarray(patterns.astype(keys.dtype)).view(np.uint8).reshape(len(patterns), -1)
        self._sizes = np.zeros(len(patterns), np.int64)
        for begin in chunks:
            self._sizes += np.bincount(self._pattern_of[begin : begin + CHUNK], minlength=len(patterns))

    def strata(self) -> Integers:
        """A stratum for each cluster (C); clusters with items in the same groups share one.

        Clusters that would be alone in a stratum share the last one, because alone they would never vary.
        """
        is_alone = self._sizes < 2
        stratum_of_pattern = np.cumsum(~is_alone) - 1
        stratum_of_pattern[is_alone] = (~is_alone).sum()
        return stratum_of_pattern.astype(self._pattern_of.dtype)[self._pattern_of]

    def behind(self, membership: NDArray[np.float64]) -> list[int]:
        """Counts the clusters with items in each section and, last, in any; `membership` (G, S) is 1 for its groups."""
        n_sections = membership.shape[1]
        counts = np.zeros(n_sections + 1, np.int64)
        step = max(1, CHUNK // max(1, self._n_groups))
        for begin in range(0, len(self._patterns), step):
            sizes = self._sizes[begin : begin + step]
            has = np.unpackbits(self._patterns[begin : begin + step], axis=1)[:, : self._n_groups]
            counts[:n_sections] += sizes @ (has @ membership > 0)
            counts[n_sections] += sizes @ has.any(axis=1)
        return [int(count) for count in counts]
