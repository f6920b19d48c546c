"""Judged items as arrays, and the figures of a benchmark from them, for the data and for many resamples at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap
from libra_cli.metrics.agreement import wilson_interval
from libra_cli.metrics.classification import ratio
from libra_cli.metrics.cluster_groups import ClusterGroups
from libra_cli.rm_benchmarks import Benchmark, ProtocolName
from libra_cli.stages.score.report import ScoreReport
from libra_cli.stages.score.row_hashes import HashColumn

Floats = NDArray[np.float64]
Integers = NDArray[np.signedinteger[Any]]


MOST_TOTALS = 1 << 28
"""Numbers in a table of clusters and groups, at most, if there are more than MANY_GROUPS."""
MANY_GROUPS = 64
_SHOWN = 4
"""Sections that a note names."""


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

    def in_overall(self, names: Sequence[str], values: Floats, sizes: Floats) -> list[str]:
        """The sections that the overall figure depends on, from the values (S) and sizes (S) of all."""
        overall = self.benchmark.overall(values, names, sizes, self.protocol)
        moved_S = self.benchmark.overall(values + np.eye(len(names)), names, sizes, self.protocol)
        return [name for name, moved in zip(names, moved_S, strict=True) if abs(moved - overall) > 0]

    def check_size(self, n_clusters: int, n_columns: int) -> None:
        """Raises ValueError if so many columns for each cluster and group cannot be resampled in reasonable memory."""
        n_groups = len(self.groups)
        if n_groups > MANY_GROUPS and n_clusters * n_groups * n_columns > MOST_TOTALS:
            what = f"{n_groups:,} subsets of {n_clusters:,} problems are too many to resample"
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
    groups: Integers
    clusters: Integers
    """The problem of each, from 0 without a gap."""
    values: Floats
    """In [0, 1]; nan does not count."""
    keys: HashColumn
    """Key that the same item has with another judge; 0 if nothing identifies the item."""
    names: HashColumn
    """Key without the texts, so several items may share it; 0 for an item without id and index."""
    golds: NDArray[np.bool_] | None = None
    """The label of each response; None for items whose own rule says what is right."""

    @property
    def n_clusters(self) -> int:
        """C: the number of problems."""
        return int(self.clusters.max(initial=-1)) + 1

    @property
    def verdicts(self) -> NDArray[np.bool_]:
        """Mask (N) of the items that are verdicts themselves, not derived from those of other groups."""
        return np.array([group not in self.sums.benchmark.derived for group in self.sums.groups], bool)[self.groups]

    @property
    def addends(self) -> tuple[bootstrap.Addends, bootstrap.Addends]:
        """What the items add to totals (C, 2 G) of the clusters: their values, then 1 if they count."""
        known, n_groups = ~np.isnan(self.values), len(self.sums.groups)
        values = self.values if known.all() else np.where(known, self.values, 0.0)
        return bootstrap.Addends(self.groups, values, n_groups), bootstrap.Addends(self.groups, known, n_groups)

    def of_clusters(self) -> ClusterGroups:
        """The groups of each cluster; raises ValueError if there are too many."""
        self.sums.check_size(self.n_clusters, 1)
        return ClusterGroups(self.clusters, self.n_clusters, self.groups, len(self.sums.groups))


@dataclass(frozen=True)
class ScoredJudge:
    """The report on one judge, and what gives its items, for the comparison with another judge."""

    report: ScoreReport
    items: Callable[[], JudgedItems]


def intervals(
    totals: bootstrap.ClusterTotals | bootstrap.ItemTotals,
    strata: bootstrap.Integers,
    figures: bootstrap.Figures,
    resamples: int,
    seed: int,
) -> list[list[float] | None]:
    """Bootstraps an interval for each of F `figures` (b, S) -> (b, F), from the `totals` (C, S) of the clusters.

    `strata` (C) says which clusters are drawn for each other. Empty without resamples.
    """
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
    return ["no interval: the figure has a single problem behind it, or the same value in all resamples"]


def without_spread(names: Sequence[str], drawn: Sequence[list[float] | None]) -> list[str]:
    """The sections whose resamples are all alike, if those of their mean are not.

    `drawn` are the bootstrapped intervals of the S sections `names`, then that of the mean.
    """
    *of_sections, of_mean = drawn
    if of_mean is None or bootstrap.is_point(of_mean):
        return []
    return [
        name for name, ends in zip(names, of_sections, strict=True) if ends is not None and bootstrap.is_point(ends)
    ]


def without_spread_notes(sections_of: Mapping[str, Sequence[str]]) -> list[str]:
    """A note if means have sections without spread, which their intervals take for exactly known; mean -> sections."""
    listed = {mean: ", ".join(names[:_SHOWN]) for mean, names in sections_of.items() if names}
    if not listed:
        return []
    more = {mean: len(sections_of[mean]) - _SHOWN for mean in listed}
    means = [f"{mean} ({names}{f' and {more[mean]} more' if more[mean] > 0 else ''})" for mean, names in listed.items()]
    what = "an interval over several sections may be too narrow where all resamples of a section are alike"
    return [f"{what}, since that counts as exactly known: {', '.join(means)}"]


def number(value: float) -> float | None:
    """A float for JSON: None for nan."""
    return None if np.isnan(value) else float(value)
