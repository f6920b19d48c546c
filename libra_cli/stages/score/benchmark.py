"""Reports on judges of benchmarks whose own rule scores each row: pairs, lists, best of N."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any, cast

import numpy as np

from libra_cli.metrics import bootstrap
from libra_cli.metrics.classification import ratio
from libra_cli.metrics.position_bias import PositionBias
from libra_cli.plural import counted
from libra_cli.rm_benchmarks import BenchmarkPart, BenchmarkPoint, ProtocolName
from libra_cli.rm_benchmarks.base import missing_group_notes
from libra_cli.rm_benchmarks.result_files import LOOKED_FOR, VERDICT_FIELDS
from libra_cli.sampling.judgments import ordered_verdicts
from libra_cli.stages.score.columns import NameNumbers, ProblemNames, item_keys, repeated, view
from libra_cli.stages.score.examples import Examples, confidence, explain_preference
from libra_cli.stages.score.judged_items import (
    JudgedItems,
    ScoredJudge,
    Sums,
    intervals,
    missing_interval_notes,
    number,
    reported_interval,
    without_spread,
    without_spread_notes,
)
from libra_cli.stages.score.reading import ScoreConfig, by_frequency
from libra_cli.stages.score.report import ScoreReport, Section, without_accuracy
from libra_cli.stages.score.row_hashes import RowHashes
from libra_cli.stages.score.row_kinds import RowKind

Fields = dict[str, Any]
TIE = "A=B"
_NAMES_SHOWN = 20


class BenchmarkCollector:
    """The points that one judge gets by the rule of a benchmark."""

    def __init__(self, kind: RowKind, config: ScoreConfig, judge: str, file: str):
        self._benchmark, self._config, self._judge, self.file = kind.benchmark, config, judge, file
        self._protocol = cast(ProtocolName, config.protocol)
        self._groups, self._problems = NameNumbers(), ProblemNames()
        self._group, self._value = array("i"), array("d")
        self._hashes, self._row_keys = RowHashes(3), RowHashes(1)
        self._null, self._null_of_group, self._left_out = Counter[str](), Counter[str](), Counter[str]()
        self._parts: list[BenchmarkPart] = []
        self._position_bias, self._ties = PositionBias(), Counter[bool]()
        self._examples = Examples() if config.examples else None
        self._first_names, self._has_verdicts = "", False

    def add(self, fields: Fields, raw: bytes) -> None:
        """Adds a row; raises ValueError naming what it lacks."""
        if not self._has_verdicts:
            self._first_names = self._first_names or ", ".join(list(fields)[:_NAMES_SHOWN])
            self._has_verdicts = not VERDICT_FIELDS.isdisjoint(fields)
        key, name = item_keys(fields)
        self._row_keys.add(key)
        for number_in_row, point in enumerate(self._benchmark.points(fields, self._protocol)):
            if isinstance(point, BenchmarkPart):
                self._parts.append(point)
                continue
            self._add_point(point, hash((key, number_in_row)) if key else 0, hash((name, number_in_row)) if name else 0)
            if self._examples is not None and point.value == 0.0 and point.reason is None:
                self._examples.add(point.group, confidence(fields), raw, explain_preference(fields))
        if isinstance(fields.get("judgments"), list) and "judge_task" in fields:
            self._position_bias.add(ordered_verdicts(fields["judgments"]))
        if isinstance(fields.get("prediction"), str):
            self._ties[fields["prediction"] == TIE] += 1

    def _add_point(self, point: BenchmarkPoint, key: int, name: int) -> None:
        if point.value is None:
            self._left_out[str(point.reason)] += 1
            return
        if point.reason is not None:
            self._null[point.reason] += 1
            self._null_of_group[point.group] += 1
        is_excluded = point.reason is not None and self._config.null == "exclude"
        self._group.append(self._groups.number(point.group))
        self._value.append(float("nan") if is_excluded else point.value)
        self._hashes.add(self._problems.hash(point.cluster), key, name)

    def scored(self) -> ScoredJudge:
        """Makes the report; raises ValueError if no row counts."""
        seen: Counter[tuple[str, str]] = Counter()
        for point in self._benchmark.join(self._parts, self._protocol):
            name = point.cluster, point.group
            seen[name] += 1
            key = hash((*name, seen[name]))
            self._add_point(point, key, key)
        self._parts = []
        if not len(self._groups):
            why = ", ".join(f"{reason} {count}" for reason, count in self._left_out.items())
            raise ValueError(f"no row can be scored ({why}); see libra score --help for what rows need")
        if not self._has_verdicts and self._null.total() == len(self._value):
            what = f"there is no verdict in {counted(len(self._value), 'row')}: looked for {LOOKED_FOR}"
            raise ValueError(f"{what}; the first row has {self._first_names}; run libra judge first")
        items = JudgedItems(
            sums=Sums(self._benchmark, self._groups.all(), self._protocol),
            groups=view(self._group),
            clusters=self._hashes.column(0).numbers(),
            values=view(self._value),
            keys=self._hashes.column(1),
            names=self._hashes.column(2),
        )
        return ScoredJudge(self._report(items), lambda: items)

    def _report(self, items: JudgedItems) -> ScoreReport:
        config, sums = self._config, items.sums
        of_clusters = items.of_clusters()
        totals = bootstrap.ItemTotals(items.clusters, items.n_clusters, *items.addends)
        whole = totals.whole()
        group_sums, group_ns = np.split(whole, 2, axis=-1)
        names, _, sizes, _ = sums.figures(ratio(group_sums, group_ns), group_ns)
        figures = sums.from_totals(whole)
        drawn = intervals(totals, of_clusters.strata(), sums.from_totals, config.resamples, config.seed)
        drawn = drawn or [None] * len(figures)
        n_clusters = of_clusters.behind(sums.membership(names))
        ends = [reported_interval(*each) for each in zip(drawn, figures, n_clusters, strict=True)]

        null: Counter[str] = Counter()
        for group, count in self._null_of_group.items():
            null.update(dict.fromkeys(set(self._benchmark.sections_of(group)) & set(names), count))
        sections = {
            name: Section(n=int(size), n_null=null[name], value=number(value), interval=end)
            for name, size, value, end in zip(names, sizes, figures, ends, strict=False)
            if size
        }
        overall = number(figures[-1])
        empty = [name for name, size in zip(names, sizes, strict=True) if not size]
        missing = self._benchmark.missing(self._groups.all())
        bias = self._position_bias.figures()
        report = ScoreReport(
            benchmark=self._benchmark.name,
            judge=self._judge,
            file=self.file,
            protocol=config.protocol,
            metric="accuracy",
            n=int((items.verdicts & ~np.isnan(items.values)).sum()),
            n_null=self._null.total(),
            null_reasons=by_frequency(self._null),
            null=config.null,
            sections=sections,
            overall=overall,
            overall_is=self._benchmark.overall_is,
            interval=ends[-1],
            **({"missing": missing} if missing else {}),
            flip_rate=bias.get("flip_rate"),
            flip_interval=list(bias.get("flip_interval") or ()) or None,
            position_bias=bias.get("position"),
            ties=self._ties[True] if self._ties else None,
            bootstrap=bootstrap.described(config.resamples, config.seed, self._problems.unit, items.n_clusters),
            notes=[f"{count} left out: {reason}" for reason, count in sorted(self._left_out.items())],
        )
        report["notes"] += [*repeated(self._row_keys.column(0)), *config.no_effect_notes("threshold", "folds", "at")]
        if overall is None and empty:
            report["notes"].append(f"no overall figure: there are no rows of {', '.join(empty)}")
        report["notes"] += [*missing_group_notes(missing), *missing_interval_notes(drawn, ends)]
        counted = sums.in_overall(names, figures[:-1], sizes)
        alike = [name for name in without_spread(names, drawn) if name in counted]
        report["notes"] += without_spread_notes({self._benchmark.overall_is: alike})
        if self._null.total() == len(items.values):
            without_accuracy(report)
        if self._examples is not None:
            report["examples"] = self._examples.chosen()
        return report
