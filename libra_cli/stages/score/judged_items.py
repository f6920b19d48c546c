"""Judged items as arrays, and the figures of a benchmark from them, for the data and for many resamples at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


MOST_TOTALS = 1 << 28
"""Numbers in a table of clusters and groups, at most: 2 GB."""


@dataclass(frozen=True)
class Sums:
    """How a benchmark adds up its groups to sections and an overall figure."""

    benchmark: Benchmark
    groups: Sequence[str]
    protocol: ProtocolName

    def figures(self, means: Floats, ns: Floats) -> tuple[list[str], Floats, Floats, Floats]:
        """Returns the names of the sections, their values (..., S) and sizes (..., S), and the overall figure (...).

        `means` and `ns` (..., G) are the means and sizes of the groups.
        """
        names, values = self.benchmark.sections(means, self.groups, ns, self.protocol)
        sizes = ns @ self.membership(names)
        return names, values, sizes, self.benchmark.overall(values, names, sizes, self.protocol)

    def clusters(self, rows: Floats, names: Sequence[str]) -> list[int]:
        """Counts the clusters with items in each section and, last, in any; `rows` (C, G) counts the items."""
        of_section = ((rows > 0) @ self.membership(names) > 0).sum(axis=0)
        return [*map(int, of_section), int((rows > 0).any(axis=1).sum())]

    def check_size(self, n_clusters: int, n_columns: int) -> None:
        """Raises ValueError if a table of so many columns for each cluster and group does not fit into memory."""
        if n_clusters * len(self.groups) * n_columns > MOST_TOTALS:
            what = f"{len(self.groups):,} subsets of {n_clusters:,} problems are too many to resample"
            raise ValueError(f'{what}; give rows a "subset" that many of them share')

    def from_totals(self, totals: Floats) -> Floats:
        """Sections and overall (..., S + 1) from totals (..., 2 G): sums of the values, then numbers of items."""
        sums, ns = np.split(totals, 2, axis=-1)
        _, values, _, overall = self.figures(ratio(sums, ns), ns)
        return np.concatenate([values, overall[..., None]], axis=-1)

    def membership(self, names: Sequence[str]) -> Floats:
        """A matrix (G, S): 1 if the group counts in the size of the section."""
        sections = [set(self.benchmark.sections_of(group)) for group in self.groups]
        return np.array([[float(name in of_group) for name in names] for of_group in sections]).reshape(-1, len(names))


@dataclass(frozen=True)
class JudgedItems:
    """N verdicts of one judge."""

    sums: Sums
    groups: Ints
    clusters: Ints
    values: Floats
    """In [0, 1]; nan does not count."""
    keys: Ints
    """Key that the same item has with another judge; 0 if nothing identifies the item."""
    names: Ints
    """Key without the texts, so several items may share it; 0 for an item without id and index."""

    @property
    def verdicts(self) -> NDArray[np.bool_]:
        """Mask (N) of the items that are verdicts themselves, not derived from those of other groups."""
        derived = [number for number, group in enumerate(self.sums.groups) if group in self.sums.benchmark.derived]
        return ~np.isin(self.groups, derived)

    def totals(self) -> Floats:
        """Totals (C, 2 G) of each cluster: sums of the values, then numbers of items that count."""
        known = ~np.isnan(self.values)
        columns = [grouped(self, np.where(known, self.values, 0.0)), grouped(self, known.astype(float))]
        return np.concatenate(columns, axis=1)

    def take(self, index: Ints, clusters: Ints) -> JudgedItems:
        """The items at `index`, with these clusters instead of their own."""
        keys, names = self.keys[index], self.names[index]
        return JudgedItems(self.sums, self.groups[index], clusters, self.values[index], keys, names)


@dataclass(frozen=True)
class ScoredJudge:
    """The report on one judge, and what gives its items, for the comparison with another judge."""

    report: ScoreReport
    items: Callable[[], JudgedItems]


def grouped(items: JudgedItems, values: Floats | None = None) -> Floats:
    """Sums (C, G) of `values` (N), or numbers of items without them, by cluster and group."""
    n_clusters, n_groups = int(items.clusters.max(initial=-1)) + 1, len(items.sums.groups)
    items.sums.check_size(n_clusters, 1)
    cells = items.clusters * n_groups + items.groups
    return (
        np.bincount(cells, weights=values, minlength=n_clusters * n_groups).reshape(n_clusters, n_groups).astype(float)
    )


def intervals(
    totals: Floats, rows: Floats, figures: bootstrap.Figures, resamples: int, seed: int
) -> list[list[float] | None]:
    """Bootstraps an interval for each of F `figures` (b, S) -> (b, F), from the `totals` (C, S) of the clusters.

    `rows` (C, G) counts the items of each cluster in each group. Empty without resamples.
    """
    return intervals_by_stratum(totals, bootstrap.strata_of(rows.astype(np.int64)), figures, resamples, seed)


def intervals_by_stratum(
    totals: bootstrap.ClusterTotals, strata: bootstrap.Integers, figures: bootstrap.Figures, resamples: int, seed: int
) -> list[list[float] | None]:
    """`intervals` of clusters whose `strata` (C) are known."""
    if not resamples:
        return []
    resampled_B_F = bootstrap.resampled(totals, strata, figures, resamples, seed)
    return [bootstrap.interval(column) for column in resampled_B_F.T]


def reported_interval(ends: list[float] | None, value: float, n_clusters: int | None) -> list[float] | None:
    """The interval to report for a bootstrapped one: None for a single cluster, or if resamples do not vary.

    If they do not vary because all `n_clusters` are right, or all wrong, it is Wilson's interval over clusters.
    `n_clusters` is None for a figure that is not a share of clusters.
    """
    if ends is None or (n_clusters is not None and n_clusters < 2):
        return None
    if not bootstrap.is_point(ends):
        return ends
    if n_clusters is None or value not in (0.0, 1.0):
        return None
    return list(wilson_interval(round(value * n_clusters), n_clusters) or ()) or None


def missing_interval_notes(drawn: Sequence[list[float] | None], reported: Sequence[list[float] | None]) -> list[str]:
    """A note if an interval was bootstrapped and is not reported."""
    if all(ends is not None or of_figure is None for of_figure, ends in zip(drawn, reported, strict=True)):
        return []
    return ["no interval for a figure with a single problem behind it, or with the same value in all resamples"]


def number(value: float) -> float | None:
    """A float for JSON: None for nan."""
    return None if np.isnan(value) else float(value)
