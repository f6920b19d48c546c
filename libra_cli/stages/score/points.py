"""Reports of the benchmarks whose rule gives each row its points: pairs, lists, best of N."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from libra_cli.metrics import bootstrap
from libra_cli.metrics.position_bias import PositionBias
from libra_cli.rm_benchmarks import BenchmarkPart, BenchmarkPoint, ProtocolName
from libra_cli.rm_benchmarks.base import missing_group_notes
from libra_cli.rm_benchmarks.verdicts import choice, scores, signs
from libra_cli.sampling.judgments import ordered_verdicts
from libra_cli.stages.score.columns import Clusters, Names, floats, ints, item_key, name_key, repeated
from libra_cli.stages.score.examples import Examples
from libra_cli.stages.score.reading import ScoreConfig, reasons
from libra_cli.stages.score.report import ScoreReport, Section
from libra_cli.stages.score.row_kinds import RowKind
from libra_cli.stages.score.verdicts import (
    JudgedItems,
    ScoredJudge,
    Sums,
    grouped,
    intervals,
    number,
    settled,
    without_interval,
)

Fields = dict[str, Any]
TIE = "A=B"


class BenchmarkCollector:
    """The points of one judge."""

    def __init__(self, kind: RowKind, how: ScoreConfig, judge: str, file: str):
        self._benchmark, self._how, self._judge, self.file = kind.benchmark, how, judge, file
        self._protocol = cast(ProtocolName, how.protocol)
        self._groups, self._clusters = Names(), Clusters()
        self._group, self._cluster, self._value = array("i"), array("i"), array("d")
        self._key, self._name, self._row_key = array("q"), array("q"), array("q")
        self._null, self._null_of, self._left_out = Counter[str](), Counter[str](), Counter[str]()
        self._parts: list[BenchmarkPart] = []
        self._position_bias, self._ties = PositionBias(), Counter[bool]()
        self._examples = Examples() if how.examples else None

    def add(self, fields: Fields, raw: bytes) -> None:
        """Takes a row; raises ValueError naming what it lacks."""
        key, name = item_key(fields), name_key(fields)
        self._row_key.append(key)
        for place, found in enumerate(self._benchmark.points(fields, self._protocol)):
            if isinstance(found, BenchmarkPart):
                self._parts.append(found)
                continue
            self._point(found, *(hash((each, place)) if each else 0 for each in (key, name)))
            if self._examples is not None and found.value == 0.0 and found.reason is None:
                self._examples.add(found.group, _confidence(fields), raw, _what_was_wrong(fields))
        if isinstance(fields.get("judgments"), list) and "judge_task" in fields:
            self._position_bias.add(ordered_verdicts(fields["judgments"]))
        if isinstance(fields.get("prediction"), str):
            self._ties[fields["prediction"] == TIE] += 1

    def _point(self, point: BenchmarkPoint, key: int, name: int) -> None:
        if point.value is None:
            self._left_out[str(point.reason)] += 1
            return
        if point.reason is not None:
            self._null[point.reason] += 1
            self._null_of[point.group] += 1
        excluded = point.reason is not None and self._how.null == "exclude"
        self._group.append(self._groups.number(point.group))
        self._cluster.append(self._clusters.number(point.cluster))
        self._value.append(float("nan") if excluded else point.value)
        self._key.append(key)
        self._name.append(name)

    def _join(self) -> None:
        """The points that several rows make together; they are known by what they are about."""
        seen: Counter[tuple[str, str]] = Counter()
        for point in self._benchmark.join(self._parts, self._protocol):
            name = point.cluster, point.group
            seen[name] += 1
            key = hash((*name, seen[name]))
            self._point(point, key, key)
        self._parts = []

    def scored(self) -> ScoredJudge:
        """The report; raises ValueError where no row can count."""
        self._join()
        if not len(self._groups):
            why = ", ".join(f"{reason} {count}" for reason, count in self._left_out.items())
            raise ValueError(f"no row can be scored ({why}); see libra score --help for what rows need")
        sums = Sums(self._benchmark, self._groups.all(), self._protocol)
        items = JudgedItems(sums, ints(self._group), ints(self._cluster), floats(self._value), ints(self._key),
                      ints(self._name))  # fmt: skip
        return ScoredJudge(self._report(items), items)

    def _report(self, items: JudgedItems) -> ScoreReport:
        totals, rows = items.totals(), grouped(items)
        names, _, sizes, _ = items.sums.figures(*_means(totals.sum(axis=0)))
        figures = items.sums.from_totals(totals.sum(axis=0))
        drawn = intervals(totals, rows, items.sums.from_totals, self._how.resamples, self._how.seed)
        drawn = drawn or [None] * len(figures)
        behind = items.sums.clusters(rows, names)
        ends = [settled(*each) for each in zip(drawn, figures, behind, strict=True)]
        null = self._nulls_of(names)
        sections = {
            name: Section(n=int(size), n_null=null[name], value=number(value), interval=end)
            for name, size, value, end in zip(names, sizes, figures, ends, strict=False) if size
        }  # fmt: skip
        missing = self._benchmark.missing(self._groups.all())
        report = ScoreReport(
            benchmark=self._benchmark.name, judge=self._judge, file=self.file, protocol=self._how.protocol,
            metric="accuracy", n=int((items.verdicts & ~np.isnan(items.values)).sum()),
            n_null=self._null.total(), null_reasons=reasons(self._null), null=self._how.null,
            sections=sections, overall=number(figures[-1]), interval=ends[-1],
            **({"missing": missing} if missing else {}), **self._pairwise(),
            bootstrap=bootstrap.described(self._how.resamples, self._how.seed, self._clusters.unit, len(totals)),
            notes=[*self._notes(names, sizes, number(figures[-1])), *missing_group_notes(missing),
                   *without_interval(drawn, ends)],
        )  # fmt: skip
        if self._examples is not None:
            report["examples"] = self._examples.chosen()
        return report

    def _nulls_of(self, names: Iterable[str]) -> Counter[str]:
        found: Counter[str] = Counter()
        for group, count in self._null_of.items():
            found.update(dict.fromkeys(set(self._benchmark.sections_of(group)) & set(names), count))
        return found

    def _pairwise(self) -> Any:
        figures = self._position_bias.figures()
        return {
            "flip_rate": figures.get("flip_rate"), "flip_interval": _listed(figures.get("flip_interval")),
            "position_bias": figures.get("position"), "ties": self._ties[True] if self._ties else None,
        }  # fmt: skip

    def _notes(self, names: list[str], sizes: Any, overall: float | None) -> list[str]:
        notes = [f"{count} left out: {reason}" for reason, count in sorted(self._left_out.items())]
        notes += [*repeated(ints(self._row_key)), *self._how.without_effect("threshold", "folds", "at")]
        notes += self._benchmark_is_short(names, sizes) if overall is None else []
        return notes

    def _benchmark_is_short(self, names: list[str], sizes: Any) -> list[str]:
        missing = ", ".join(name for name, size in zip(names, sizes, strict=True) if not size)
        return [f"no overall figure: there are no rows of {missing}"] if missing else []


def _means(totals: Any) -> tuple[Any, Any]:
    from libra_cli.metrics.classification import ratio

    sums, ns = np.split(totals, 2, axis=-1)
    return ratio(sums, ns), ns


def _listed(ends: tuple[float, float] | None) -> list[float] | None:
    return None if ends is None else list(ends)


def _what_was_wrong(fields: Fields) -> str:
    """What a verdict that is worth nothing says of the responses."""
    if choice(fields) is None and signs(fields, [(0, 1)]) == [0]:
        return "a tie, but one response is better"
    return "the other response was preferred" if len(scores(fields) or "ab") == 2 else "another response was preferred"


def _confidence(fields: Fields) -> float:
    """How far apart the judge put the responses, as far as the row says so in numbers."""
    found = fields.get("scores")
    known = [score for score in found if isinstance(score, (int, float))] if isinstance(found, list) else []
    if len(known) > 1:
        return float(max(known) - min(known))
    score = fields.get("score")
    return abs(float(score)) if isinstance(score, (int, float)) else 0.0
