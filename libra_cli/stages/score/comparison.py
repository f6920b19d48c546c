"""Two judges on the items that both of them judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, paired
from libra_cli.stages.score.report import JudgeComparison, ScoreReport
from libra_cli.stages.score.verdicts import JudgedItems, ScoredJudge, grouped, number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 2
"""Items that both must have judged."""


def compared(found: Sequence[ScoredJudge], resamples: int, seed: int) -> list[JudgeComparison]:
    """Each pair of judges of the same benchmark, also one that shares too few items to be compared, with a note of it.

    Raises ValueError where all of them do.
    """
    same = [(a, b) for a, b in combinations(found, 2) if a.report["benchmark"] == b.report["benchmark"]]
    comparisons = [_pair(a, b, resamples, seed) for a, b in same]
    if comparisons and all(each["n"] < FEWEST for each in comparisons):
        first = comparisons[0]
        raise ValueError(f"{first['a']} and {first['b']} {first['notes'][0]}")
    return comparisons


def _pair(a: ScoredJudge, b: ScoredJudge, resamples: int, seed: int) -> JudgeComparison:
    names = _names(a.report, b.report)
    keys_a, keys_b = _keys(a.items, b.items)
    first_a, first_b = _first_places(keys_a), _first_places(keys_b)
    _, at_a, at_b = np.intersect1d(keys_a[first_a], keys_b[first_b], return_indices=True)
    mine, other = first_a[at_a], first_b[at_b]
    both = ~np.isnan(a.items.values[mine]) & ~np.isnan(b.items.values[other])
    order = np.argsort(mine[both], kind="stable")  # as in the first file: keys differ from process to process
    mine, other = mine[both][order], other[both][order]
    n = int(a.items.verdicts[mine].sum())
    only = int(a.items.verdicts[first_a].sum()) - n, int(b.items.verdicts[first_b].sum()) - n
    found = _too_few(n)
    if n >= FEWEST:
        found = _figures(_Matched(a.items, b.items, mine, other), resamples, seed)
        found["notes"] = _notes(only, found, resamples > 0)
    about = {"a": names[0], "b": names[1], "n": n, "only_a": only[0], "only_b": only[1], "notes": found.pop("notes")}
    return cast(JudgeComparison, {**about, **found})


def _too_few(n: int) -> dict[str, Any]:
    """The figures of two judges with `n` items in common: none, and why."""
    what = "they have one item in common" if n else "they have none in common"
    note = (
        f"cannot be compared, {what}: items are matched by id (or index, or question), model and sample; "
        "judge the same rows with both"
    )
    mcnemar = {"b": None, "c": None, "p": None}
    return {"difference": None, "interval": None, "p_bootstrap": None, "mcnemar": mcnemar,
            "detectable_difference": None, "notes": [note]}  # fmt: skip


def _keys(a: JudgedItems, b: JudgedItems) -> tuple[Ints, Ints]:
    """What the items are matched by: their names where these tell all of them apart, else their texts as well.

    Texts may differ for the same item: one judge's file may have dropped some of them, or lost a blank.
    """
    is_named = all(each.names.all() and len(np.unique(each.names)) == len(each.names) for each in (a, b))
    return (a.names, b.names) if is_named else (a.keys, b.keys)


def _names(a: ScoreReport, b: ScoreReport) -> tuple[str, str]:
    """The judges, with their files where they have the same name."""
    if a["judge"] != b["judge"]:
        return a["judge"], b["judge"]
    return tuple(f"{report['judge']} ({report['file']})" for report in (a, b))  # type: ignore[return-value]


def _first_places(keys: Ints) -> Ints:
    """Where each key stands first; rows that nothing names are nowhere."""
    values, places = np.unique(keys, return_index=True)
    return places[values != 0]


def _notes(only: tuple[int, int], found: Mapping[str, Any], is_resampled: bool) -> list[str]:
    notes = []
    if found["difference"] is None:
        notes.append("no difference: the items in common have not every section; --as pointwise takes any subsets")
    elif found["interval"] is None and is_resampled:
        notes.append("no interval and no p: the difference is the same in all resamples")
    if not any(only):
        return notes
    return [
        *notes,
        f"{only[0]} items of a and {only[1]} of b have no match (or no verdict on one side) and do not count here",
    ]


class _Matched:
    """Items of two judges in the same order, with the problems and groups of the first."""

    def __init__(self, a: JudgedItems, b: JudgedItems, mine: Ints, other: Ints):
        _, clusters = np.unique(a.clusters[mine], return_inverse=True)
        self.a = a.take(mine, clusters.reshape(-1))
        self.b = JudgedItems(a.sums, self.a.groups, self.a.clusters, b.values[other], self.a.keys, self.a.names)

    def difference(self, totals: Floats) -> Floats:
        """Overall of a less that of b (..., 1), from the totals of both (..., 4 G)."""
        first, second = np.split(totals, 2, axis=-1)
        return (self.a.sums.from_totals(first) - self.b.sums.from_totals(second))[..., -1:]


def _figures(both: _Matched, resamples: int, seed: int) -> dict[str, Any]:
    totals, rows = np.concatenate([both.a.totals(), both.b.totals()], axis=1), grouped(both.a)
    difference = number(float(both.difference(totals.sum(axis=0))[0]))
    drawn = np.empty(0)
    if resamples and len(totals) > 1:
        strata = bootstrap.strata_of(rows.astype(np.int64))
        drawn = bootstrap.resampled(totals, strata, both.difference, resamples, seed)[:, 0]
    ends, verdicts = bootstrap.interval(drawn), both.a.verdicts
    is_known = ends is not None and not bootstrap.is_point(ends)
    return {
        "difference": difference,
        "interval": ends if is_known else None,
        "p_bootstrap": bootstrap.p_value(drawn) if is_known else None,
        "mcnemar": paired.mcnemar(both.a.values[verdicts], both.b.values[verdicts]),
        "detectable_difference": paired.detectable_difference(float(drawn.std(ddof=1))) if is_known else None,
    }
