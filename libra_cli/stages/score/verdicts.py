"""Verdicts as numbers, and the figures of a benchmark from them: once, and over many resamples at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap
from libra_cli.metrics.agreement import wilson_interval
from libra_cli.metrics.classification import ratio
from libra_cli.rm_benchmarks import Benchmark, ProtocolName
from libra_cli.stages.score.report import ScoreReport

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """How a benchmark adds up: from totals of its groups to sections and an overall figure."""

    benchmark: Benchmark
    groups: Sequence[str]
    protocol: ProtocolName

    def figures(self, means: Floats, ns: Floats) -> tuple[list[str], Floats, Floats, Floats]:
        """Names of the sections, their values (..., S) and sizes (..., S), and the overall figure (...).

        `means` and `ns` (..., G) are of the groups.
        """
        names, values = self.benchmark.sections(means, self.groups, ns, self.protocol)
        sizes = ns @ self.belongs(names)
        return names, values, sizes, self.benchmark.overall(values, names, sizes, self.protocol)

    def clusters(self, rows: Floats, names: Sequence[str]) -> list[int]:
        """How many clusters stand behind each section and, last, behind all: from the items (C, G) of each."""
        of_section = ((rows > 0) @ self.belongs(names) > 0).sum(axis=0)
        return [*map(int, of_section), int((rows > 0).any(axis=1).sum())]

    def from_totals(self, totals: Floats) -> Floats:
        """Sections and overall (..., S + 1) from totals (..., 2 G): of the values, then of the items that count."""
        sums, ns = np.split(totals, 2, axis=-1)
        _, values, _, overall = self.figures(ratio(sums, ns), ns)
        return np.concatenate([values, overall[..., None]], axis=-1)

    def belongs(self, names: Sequence[str]) -> Floats:
        """Which group (G) counts in the size of which section (S)."""
        sections = [set(self.benchmark.sections_of(group)) for group in self.groups]
        return np.array([[float(name in found) for name in names] for found in sections]).reshape(-1, len(names))


@dataclass(frozen=True)
class JudgedItems:
    """N verdicts of one judge."""

    sums: Sums
    groups: Ints
    clusters: Ints
    values: Floats
    """In [0, 1]; nan is left out."""
    keys: Ints
    """The same for the same item of another judge; 0 where nothing names it."""
    names: Ints
    """The same without regard to its texts, so not always of one item only; 0 where it has no id and no index."""

    @property
    def verdicts(self) -> NDArray[np.bool_]:
        """Which items (N) are verdicts of their own, not made of those of other groups."""
        derived = [at for at, group in enumerate(self.sums.groups) if group in self.sums.benchmark.derived]
        return ~np.isin(self.groups, derived)

    def totals(self) -> Floats:
        """Of each cluster, (C, 2 G): the values, and the items that count."""
        known = ~np.isnan(self.values)
        parts = [grouped(self, np.where(known, self.values, 0.0)), grouped(self, known.astype(float))]
        return np.concatenate(parts, axis=1)

    def take(self, index: Ints, clusters: Ints) -> JudgedItems:
        """The items at `index`, in `clusters`."""
        keys, names = self.keys[index], self.names[index]
        return JudgedItems(self.sums, self.groups[index], clusters, self.values[index], keys, names)


@dataclass(frozen=True)
class ScoredJudge:
    """One judge's report, and the verdicts that another judge's are compared with."""

    report: ScoreReport
    items: JudgedItems


def grouped(items: JudgedItems, values: Floats | None = None) -> Floats:
    """Sums (C, G) of `values` (N) by cluster and group; without them, the items."""
    n_clusters, n_groups = int(items.clusters.max(initial=-1)) + 1, len(items.sums.groups)
    at = items.clusters * n_groups + items.groups
    return np.bincount(at, weights=values, minlength=n_clusters * n_groups).reshape(n_clusters, n_groups).astype(float)


def intervals(totals: Floats, rows: Floats, figures: bootstrap.Figures, resamples: int, seed: int
              ) -> list[list[float] | None]:  # fmt: skip
    """An interval for each of F `figures` (b, S) -> (b, F), from `totals` (C, S) of the clusters.

    `rows` (C, G) are the items of each cluster in each group. Empty without resamples.
    """
    if not resamples:
        return []
    found = bootstrap.resampled(totals, bootstrap.strata_of(rows.astype(np.int64)), figures, resamples, seed)
    return [bootstrap.interval(found[:, at]) for at in range(found.shape[1])]


def settled(ends: list[float] | None, value: float, n_clusters: int | None) -> list[float] | None:
    """An interval as it is reported: None for a single cluster, and where resamples do not vary.

    Where they do not because all of `n_clusters` are right, or all wrong, it is Wilson's, over clusters; `n_clusters`
    is None for a figure that is no share of them.
    """
    if ends is None or (n_clusters is not None and n_clusters < 2):
        return None
    if not bootstrap.is_point(ends):
        return ends
    if n_clusters is None or value not in (0.0, 1.0):
        return None
    return list(wilson_interval(round(value * n_clusters), n_clusters) or ()) or None


def without_interval(drawn: Sequence[list[float] | None], reported: Sequence[list[float] | None]) -> list[str]:
    """A note where an interval was drawn and is not reported."""
    if all(ends is not None or found is None for found, ends in zip(drawn, reported, strict=True)):
        return []
    return ["no interval for a figure with a single problem behind it, or with the same value in all resamples"]


def number(value: float) -> float | None:
    """As JSON has it: nan is null."""
    return None if np.isnan(value) else float(value)
