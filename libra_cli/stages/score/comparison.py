"""Compares two judges on the items that both of them judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, paired
from libra_cli.stages.score.judged_items import JudgedItems, ScoredJudge, grouped, number
from libra_cli.stages.score.report import JudgeComparison

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_COMMON_ITEMS = 2


def compare_judges(judges: Sequence[ScoredJudge], resamples: int, seed: int) -> list[JudgeComparison]:
    """Compares each pair of judges of the same benchmark; pairs with too few common items only get a note.

    Raises ValueError if no pair can be compared.
    """
    pairs = [(a, b) for a, b in combinations(judges, 2) if a.report["benchmark"] == b.report["benchmark"]]
    comparisons = [_compare(a, b, resamples, seed) for a, b in pairs]
    if comparisons and all(comparison["n"] < MIN_COMMON_ITEMS for comparison in comparisons):
        first = comparisons[0]
        raise ValueError(f"{first['a']} and {first['b']} {first['notes'][0]}")
    return comparisons


def _compare(a: ScoredJudge, b: ScoredJudge, resamples: int, seed: int) -> JudgeComparison:
    items_a, items_b = a.items(), b.items()
    # Names identify items better than texts do: one judge's file may lack some texts, or have lost a blank.
    names = (items_a.names, items_b.names)
    is_named = all(of_judge.all() and len(np.unique(of_judge)) == len(of_judge) for of_judge in names)
    keys_a, keys_b = names if is_named else (items_a.keys, items_b.keys)
    first_a, first_b = _first_indices(keys_a), _first_indices(keys_b)
    _, at_a, at_b = np.intersect1d(keys_a[first_a], keys_b[first_b], return_indices=True)
    index_a, index_b = first_a[at_a], first_b[at_b]
    both = ~np.isnan(items_a.values[index_a]) & ~np.isnan(items_b.values[index_b])
    order = np.argsort(index_a[both], kind="stable")  # as in the first file: keys differ from process to process
    index_a, index_b = index_a[both][order], index_b[both][order]
    n = int(items_a.verdicts[index_a].sum())
    only_a = int(items_a.verdicts[first_a].sum()) - n
    only_b = int(items_b.verdicts[first_b].sum()) - n

    name_a, name_b = a.report["judge"], b.report["judge"]
    if name_a == name_b:
        name_a, name_b = (f"{judge.report['judge']} ({judge.report['file']})" for judge in (a, b))
    comparison = JudgeComparison(
        a=name_a,
        b=name_b,
        n=n,
        only_a=only_a,
        only_b=only_b,
        notes=[],
        difference=None,
        interval=None,
        p_bootstrap=None,
        mcnemar={"b": None, "c": None, "p": None},
        detectable_difference=None,
    )
    if n < MIN_COMMON_ITEMS:
        what = "they have one item in common" if n else "they have none in common"
        comparison["notes"].append(
            f"cannot be compared, {what}: items are matched by id (or index, or question), model and sample; "
            "judge the same rows with both"
        )
        return comparison
    _MatchedItems(items_a, items_b, index_a, index_b).add_figures(comparison, resamples, seed)
    notes = comparison["notes"]
    if comparison["difference"] is None:
        notes.append("no difference: the items in common have not every section; --as pointwise takes any subsets")
    elif comparison["interval"] is None and resamples > 0:
        notes.append("no interval and no p: the difference is the same in all resamples")
    if only_a or only_b:
        what = f"{only_a} items of a and {only_b} of b have no match (or no verdict on one side)"
        notes.append(f"{what} and do not count here")
    return comparison


def _first_indices(keys: Ints) -> Ints:
    """The index of the first item with each key; items without a key (0) have none."""
    values, indices = np.unique(keys, return_index=True)
    return indices[values != 0]


class _MatchedItems:
    """Items of two judges in the same order, with the problems and groups of the first judge."""

    def __init__(self, a: JudgedItems, b: JudgedItems, index_a: Ints, index_b: Ints):
        _, clusters = np.unique(a.clusters[index_a], return_inverse=True)
        self.a = a.take(index_a, clusters.reshape(-1))
        self.b = JudgedItems(a.sums, self.a.groups, self.a.clusters, b.values[index_b], self.a.keys, self.a.names)

    def difference(self, totals: Floats) -> Floats:
        """Overall figure of a minus that of b (..., 1), from the totals of both (..., 4 G)."""
        totals_a, totals_b = np.split(totals, 2, axis=-1)
        return (self.a.sums.from_totals(totals_a) - self.b.sums.from_totals(totals_b))[..., -1:]

    def add_figures(self, comparison: JudgeComparison, resamples: int, seed: int) -> None:
        """Adds the difference, its interval and the tests."""
        totals = np.concatenate([self.a.totals(), self.b.totals()], axis=1)
        drawn = np.empty(0)
        if resamples and len(totals) > 1:
            strata = bootstrap.strata_of(grouped(self.a).astype(np.int64))
            drawn = bootstrap.resampled(totals, strata, self.difference, resamples, seed)[:, 0]
        verdicts = self.a.verdicts
        comparison["difference"] = number(float(self.difference(totals.sum(axis=0))[0]))
        comparison["mcnemar"] = paired.mcnemar(self.a.values[verdicts], self.b.values[verdicts])
        ends = bootstrap.interval(drawn)
        if ends is not None and not bootstrap.is_point(ends):
            comparison["interval"] = ends
            comparison["p_bootstrap"] = bootstrap.p_value(drawn)
            comparison["detectable_difference"] = paired.detectable_difference(float(drawn.std(ddof=1)))
