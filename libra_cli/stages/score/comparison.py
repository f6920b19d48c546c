"""Compares two judges on the items that both of them judged."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, paired
from libra_cli.stages.score.columns import item_keys
from libra_cli.stages.score.examples import judgment_of, row_as_example
from libra_cli.stages.score.judged_items import JudgedItems, ScoredJudge, number
from libra_cli.stages.score.reading import rows_of_file
from libra_cli.stages.score.report import JudgeComparison
from libra_cli.stages.score.row_hashes import HashColumn
from libra_cli.stream.line_source import STDIN
from libra_cli.stream.rows import Row

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]

MIN_COMMON_ITEMS = 2
MAX_DIFFERING = 50
"""Items of a list of those on which two judges differ."""
LEVEL = 0.05
"""Of the tests that say which judge is better."""
MAX_NAMED = 3
"""Items that a note names."""
_SPREAD = np.int64(0x1E3779B97F4A7C15)
"""An odd number that scatters the numbers of occurrences over 64 bits."""
_Item = tuple[int, int]
"""The key of an item, and how many items of that key come before it."""


def compare_judges(
    judges: Sequence[ScoredJudge], resamples: int, seed: int, with_rows: bool = False
) -> list[JudgeComparison]:
    """Compares each pair of judges of the same benchmark; pairs with too few common items only get a note.

    `with_rows` adds the first rows on which they differ (`differing`), from the files, which are read again. Raises
    ValueError if no pair can be compared.
    """
    pairs = [(a, b) for a, b in combinations(judges, 2) if a.report["benchmark"] == b.report["benchmark"]]
    named = Counter((judge.report["benchmark"], judge.report["judge"]) for judge in judges)
    comparisons = []
    for pair in pairs:
        reports = [judge.report for judge in pair]
        names = [
            f"{one['judge']} ({one['file']})" if named[one["benchmark"], one["judge"]] > 1 else one["judge"]
            for one in reports
        ]
        comparisons.append(_compare(*pair, names, resamples, seed, with_rows))
    if comparisons and all(comparison["n"] < MIN_COMMON_ITEMS for comparison in comparisons):
        first = comparisons[0]
        raise ValueError(f"{first['a']} and {first['b']} {'; '.join(first['notes'])}")
    _decide(comparisons)
    return comparisons


def _decide(comparisons: Sequence[JudgeComparison]) -> None:
    """Says of each comparison which judge is better, where both of its tests show it beside all other comparisons.

    McNemar's test takes rows of one problem for independent, and the bootstrap has few problems to draw from in a small
    set: each is too sure where the other is not.
    """
    tested = [(one, p) for one in comparisons if (p := _larger_p(one)) is not None]
    for (one, _), adjusted in zip(tested, paired.holm([p for _, p in tested]), strict=True):
        one["p_adjusted"] = adjusted
        low, high = one["interval"] or (0.0, 0.0)
        if adjusted <= LEVEL and not low <= 0 <= high:
            one["better"] = "a" if low > 0 else "b"


def _larger_p(one: JudgeComparison) -> float | None:
    """The larger p of both tests, 1 if they point in different directions; None without both."""
    difference, p_bootstrap, mcnemar = one["difference"], one["p_bootstrap"], one["mcnemar"]
    if difference is None or p_bootstrap is None or mcnemar["p"] is None:
        return None
    return max(p_bootstrap, mcnemar["p"]) if difference * (mcnemar["b"] - mcnemar["c"]) > 0 else 1.0


def _compare(
    a: ScoredJudge, b: ScoredJudge, names: Sequence[str], resamples: int, seed: int, with_rows: bool
) -> JudgeComparison:
    items_a, items_b = a.items(), b.items()
    matched, n_verdicts, is_named = _matched_items(items_a, items_b)
    both = ~np.isnan(items_a.values[matched.a]) & ~np.isnan(items_b.values[matched.b])
    if items_a.golds is not None and items_b.golds is not None:
        relabelled = items_a.golds[matched.a] != items_b.golds[matched.b]
    else:
        relabelled = np.zeros(len(both), bool)
    counted = matched.where(both & ~relabelled)
    index_a, index_b = counted.a, counted.b
    n = int(items_a.verdicts[index_a].sum())
    only_a, only_b = (n_of_judge - n - int(relabelled.sum()) for n_of_judge in n_verdicts)

    comparison = JudgeComparison(
        a=names[0],
        b=names[1],
        n=n,
        only_a=only_a,
        only_b=only_b,
        notes=[],
        difference=None,
        interval=None,
        p_bootstrap=None,
        mcnemar={"b": None, "c": None, "p": None},
        detectable_difference=None,
        p_adjusted=None,
        better=None,
    )
    relabelled_notes = [_relabelled_note(a, matched.where(relabelled), is_named)] if relabelled.any() else []
    if n < MIN_COMMON_ITEMS:
        what = "they have one item in common" if n else "they have none in common"
        comparison["notes"].append(
            f"cannot be compared, {what}: items are matched by id (or index, or question), model and sample; "
            "judge the same rows with both"
        )
        comparison["notes"] += relabelled_notes
        return comparison
    _MatchedItems(items_a, items_b, index_a, index_b).add_figures(comparison, resamples, seed)
    if with_rows:
        right = items_a.values[index_a], items_b.values[index_b]
        comparison["differing"] = _differing(a, b, counted, right, is_named)
    notes = comparison["notes"]
    notes += relabelled_notes
    if comparison["difference"] is None:
        notes.append("no difference: the items in common have not every section; --as pointwise takes any subsets")
    elif comparison["interval"] is None and resamples > 0:
        n_problems = len(np.unique(items_a.clusters[index_a]))
        why = "the difference is the same in all resamples" if n_problems > 1 else "all items are about one problem"
        notes.append(f"no interval and no bootstrap p: {why}")
    if only_a or only_b:
        what = f"{only_a} items of a and {only_b} of b do not count here"
        notes.append(f"{what}: they have no match, or occur more often in one, or lack a verdict in one")
    return comparison


def _relabelled_note(judge: ScoredJudge, relabelled: _Matched, is_named: bool) -> str:
    """Says how many items have another label with the other judge, and the place of the first in the judge's file."""
    n = len(relabelled.a)
    what = f"{n} items have" if n > 1 else "1 item has"
    note = f"{what} another label in a than in b and {'do' if n > 1 else 'does'} not count here"
    if not _can_be_read_again(judge):
        return note
    places = [row.place for _, row in islice(_rows_of(judge, set(relabelled.items), is_named), MAX_NAMED)]
    return f"{note}: {', '.join(places)}{', ...' if n > len(places) else ''}"


def _differing(
    a: ScoredJudge, b: ScoredJudge, counted: _Matched, right: tuple[Floats, Floats], is_named: bool
) -> dict[str, Any]:
    """The number of items on which the judges differ, and the first of them as {...row, a, b, right}."""
    differ = np.flatnonzero(right[0] != right[1])
    first = differ[:MAX_DIFFERING]
    better = dict(zip(counted.where(first).items, (right[0] > right[1])[first].tolist(), strict=True))
    if not (_can_be_read_again(a) and _can_be_read_again(b)):
        return {"n": len(differ), "rows": []}
    found = [{item: row.fields for item, row in _rows_of(judge, better, is_named)} for judge in (a, b)]
    shown = []
    for item, fields in found[0].items():
        if (other := found[1].get(item)) is not None:
            verdicts = {"a": _verdict(fields), "b": _verdict(other), "right": "a" if better[item] else "b"}
            of_b = {f"{name}_b": text for name, text in judgment_of(other).items()}
            shown.append({**row_as_example(fields), **of_b, "section": fields.get("subset"), **verdicts})
    return {"n": len(differ), "rows": shown}


def _can_be_read_again(judge: ScoredJudge) -> bool:
    """Whether the judge's rows came from a file; a pipe is read once."""
    file = str(judge.report["file"])
    return file != STDIN and os.path.isfile(file)


def _rows_of(judge: ScoredJudge, wanted: Collection[_Item], is_named: bool) -> Iterator[tuple[_Item, Row]]:
    """The row of each of the items that a judge judged, in the order of its file."""
    hashes = {key for key, _ in wanted}
    seen: Counter[int] = Counter()
    n_found, name = 0, judge.report["judge"]
    for row in rows_of_file(str(judge.report["file"])):
        key = item_keys(row.fields)[is_named]
        key = key if key in hashes else hash((key, 0))  # benchmarks number the points of a row
        if key not in hashes or row.fields.get("judge", name) != name:
            continue
        item = key, seen[key]
        seen[key] += 1
        if item in wanted:
            yield item, row
            n_found += 1
            if n_found == len(wanted):
                return


def _verdict(fields: Mapping[str, Any]) -> str:
    """The verdict of a row in words."""
    known = [(name, fields.get(name)) for name in ("prediction", "score", "scores")]
    return ", ".join(f"{name} {value}" for name, value in known if value is not None) or "none"


class _Matched(NamedTuple):
    """M items that two judges have both."""

    a: Indices
    """The indices (M) of the items among those of the first judge."""
    b: Indices
    hashes: NDArray[np.int64]
    """Their keys (M)."""
    occurrence: NDArray[np.int32]
    """How many items of the same key come before each (M)."""

    def where(self, chosen: NDArray[Any]) -> _Matched:
        """Some of the items, by a mask or by their numbers."""
        return _Matched(*(column[chosen] for column in self))

    @property
    def items(self) -> list[_Item]:
        return list(zip(self.hashes.tolist(), self.occurrence.tolist(), strict=True))


def _matched_items(a: JudgedItems, b: JudgedItems) -> tuple[_Matched, list[int], bool]:
    """The items that two judges have both, the verdicts of each, and whether names alone told the items apart.

    Names that are all different identify items better than texts do: one judge's file may lack some texts, or have lost
    a blank.
    """
    verdicts = [a.verdicts, b.verdicts]
    n_names = [items.names.n_distinct() for items in (a, b)]
    if n_names != [len(a.names), len(b.names)]:
        matched, n_verdicts = _matched([a.keys, b.keys], verdicts)
        if len(matched.a) or None in n_names:
            return matched, n_verdicts, False
    return *_matched([a.names, b.names], verdicts), True


def _matched(keys: Sequence[HashColumn], verdicts: Sequence[NDArray[np.bool_]]) -> tuple[_Matched, list[int]]:
    """The items that two judges have both, by the items' keys, in the order of the first judge.

    The second item with a key is that of the other judge with this key that comes second, if both have as many: one of
    two may be either. Items without a key (0) match none. Also counts the verdicts among the items of each judge.
    """
    n_parts = max(column.n_parts for column in keys)
    matched, n_verdicts = [], [0, 0]
    for number_of_part in range(n_parts):
        parts = [column.occurrences(number_of_part, n_parts) for column in keys]
        for judge, (_, _, index) in enumerate(parts):
            n_verdicts[judge] += int(verdicts[judge][index].sum())
        numbered = [hashes ^ (occurrence * _SPREAD) for hashes, occurrence, _ in parts]
        _, at_a, at_b = np.intersect1d(numbered[0], numbered[1], return_indices=True)
        n_with_key = [occurrence[np.searchsorted(hashes, hashes, "right") - 1] for hashes, occurrence, _ in parts]
        as_often = n_with_key[0][at_a] == n_with_key[1][at_b]
        at_a, at_b = at_a[as_often], at_b[as_often]
        (hashes, occurrence, index_a), (_, _, index_b) = parts
        matched.append(_Matched(index_a[at_a], index_b[at_b], hashes[at_a], occurrence[at_a]))
    whole = _Matched(*map(np.concatenate, zip(*matched, strict=True)))
    return whole.where(np.argsort(whole.a)), n_verdicts  # hashes differ from process to process


class _MatchedItems:
    """Items (M) of two judges in the same order, with the problems and groups of the first judge."""

    def __init__(self, a: JudgedItems, b: JudgedItems, index_a: Indices, index_b: Indices):
        occurs = np.zeros(a.n_clusters, bool)
        occurs[a.clusters[index_a]] = True
        clusters = (np.cumsum(occurs, dtype=np.int32) - 1)[a.clusters[index_a]]
        self.a = replace(a, groups=a.groups[index_a], clusters=clusters, values=a.values[index_a])
        self.b = replace(self.a, sums=a.sums, values=b.values[index_b])

    def difference(self, totals: Floats) -> Floats:
        """Overall figure of a minus that of b (..., 1), from the totals of both (..., 4 G)."""
        totals_a, totals_b = np.split(totals, 2, axis=-1)
        return (self.a.sums.from_totals(totals_a) - self.b.sums.from_totals(totals_b))[..., -1:]

    def add_figures(self, comparison: JudgeComparison, resamples: int, seed: int) -> None:
        """Adds the difference, its interval and the tests."""
        n_clusters = self.a.n_clusters
        totals = bootstrap.ItemTotals(self.a.clusters, n_clusters, *self.a.addends, *self.b.addends)
        drawn = np.empty(0)
        if resamples and n_clusters > 1:
            strata = self.a.of_clusters().strata()
            drawn = bootstrap.resampled(totals, strata, self.difference, resamples, seed)[:, 0]
        verdicts = self.a.verdicts
        comparison["difference"] = number(float(self.difference(totals.whole())[0]))
        comparison["mcnemar"] = paired.mcnemar(self.a.values[verdicts], self.b.values[verdicts])
        ends = bootstrap.interval(drawn)
        if ends is not None and not bootstrap.is_point(ends):
            comparison["interval"] = ends
            comparison["p_bootstrap"] = bootstrap.p_value(drawn)
            comparison["detectable_difference"] = paired.detectable_difference(float(drawn.std(ddof=1)))
