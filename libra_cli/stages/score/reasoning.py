"""Reports on verified responses: pass@k, mean@n, majority vote, best of n and weighted majority by a judge's score."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.time_limit import limited
from libra_cli.metrics import bootstrap
from libra_cli.rm_benchmarks import ProtocolName
from libra_cli.stages.score.columns import NameNumbers, problem_of
from libra_cli.stages.score.judged_items import (
    JudgedItems,
    ScoredJudge,
    Sums,
    intervals,
    missing_interval_notes,
    reported_interval,
)
from libra_cli.stages.score.problem_figures import CORRECT, FigureTable, ProblemFigures
from libra_cli.stages.score.problem_samples import SampleTable
from libra_cli.stages.score.reading import ScoreConfig, by_frequency
from libra_cli.stages.score.report import Figure, ScoreReport, Section
from libra_cli.stages.score.row_hashes import HashColumn
from libra_cli.stages.score.row_kinds import RowKind
from libra_cli.tasks import thinking

Fields = dict[str, Any]
Floats = NDArray[np.float64]
NO_LABEL = "no_label"


class ReasoningCollector:
    """The samples of one model or, with scores, of one model as one judge scored them."""

    def __init__(self, kind: RowKind, config: ScoreConfig, judge: str, file: str):
        self._kind, self._config, self._judge, self.file = kind, config, judge, file
        self._groups, self._table = NameNumbers(), SampleTable()
        self._null, self._null_of_group = Counter[str](), Counter[int]()
        self._n_scores = 0
        self._of_training = True
        """All samples so far are those of a training run (`libra grpo --save-rollouts`)."""

    def add(self, fields: Fields, raw: bytes) -> None:
        """Adds a sample; raises ValueError naming what it lacks."""
        label = fields["label"]
        group = self._groups.number(str(fields.get("subset", "all")))
        problem = self._problem(fields, group)
        sample = fields.get("sample")
        self._of_training = self._of_training and isinstance(fields.get("rollout"), dict)
        if sample is not None and not self._table.is_new(problem, sample):
            raise ValueError(f"sample {sample!r} of problem {self._table.name(problem)} is given twice: leave one out")
        if label is None:
            verification = fields.get("verification")
            reason = verification.get("reason", NO_LABEL) if isinstance(verification, dict) else NO_LABEL
            self._null[str(reason)] += 1
            self._null_of_group[group] += 1
            if self._config.null == "exclude":
                return
        score = fields.get("score")
        is_score = isinstance(score, (int, float)) and not isinstance(score, bool)
        self._n_scores += is_score
        number = float(cast(float, score)) if is_score else float("nan")
        self._table.add(problem, int(label or 0), number, _answer(fields))

    def _problem(self, fields: Fields, group: int) -> int:
        name = problem_of(fields)
        if name is None:
            raise ValueError('no "question", "id" or "index": samples need to say which problem they answer')
        return self._table.problem(name, group, str(fields.get("index") or fields.get("id") or name[:60]))

    def scored(self) -> ScoredJudge:
        """Makes the report; raises ValueError if there are no labels, or too few samples of a problem."""
        config, table = self._config, self._table
        table.finish()
        if not len(table):
            raise ValueError("none of its samples has a label: run libra review, or libra verify again")
        n = int(table.sizes.max())
        ks = config.at or tuple(sorted({n, *(2**power for power in range(n.bit_length()))}))
        short = np.flatnonzero(table.sizes < max(n, *ks))
        if len(short) and not (config.allow_short or self._of_training):
            name, size = table.name(table.number(int(short[0]))), int(table.sizes[short[0]])
            subset = f" of subset {self._groups.all()[table.group(int(short[0]))]}" if len(self._groups) > 1 else ""
            few = f"problem {name}{subset} has only {size} of {max(n, *ks)} samples"
            more = f", as one of {len(short)} with too few" if len(short) > 1 else ""
            cure = "sample them again (libra rollout), or --allow-short scores what is there"
            if config.kind is None:  # taken for samples of a policy, since there is no verdict
                cure = f"for pass@k {cure}; no judge has judged these rows: for a judge's score, run libra judge first"
            raise ValueError(f"{few}{more}; {cure}")
        of_problems = ProblemFigures(table, n, ks, self._n_scores > 0, config.seed)
        return ScoredJudge(self._report(max(n, *ks), of_problems, len(short)), partial(self._items, of_problems.table))

    def _items(self, figures: FigureTable) -> JudgedItems:
        """The problems as items to compare: their share of correct samples."""
        keys = HashColumn.of(self._table.problem_column("key"))
        return JudgedItems(
            sums=Sums(self._kind.benchmark, self._groups.all(), cast(ProtocolName, self._config.protocol)),
            groups=self._table.problem_column("group"),
            clusters=np.arange(len(keys)),
            values=figures.column(0),
            keys=keys,
            names=keys,
        )

    def _report(self, wanted: int, of_problems: ProblemFigures, n_short: int) -> ScoreReport:
        config, table = self._config, self._table
        groups = table.problem_column("group")
        notes = config.no_effect_notes("threshold", "folds")
        if n_short:
            why = "--allow-short" if self._config.allow_short else "a training run asks some prompts more often"
            counted = "each counts only in figures of no more samples than it has"
            notes.append(f"problems with fewer than {wanted} samples: {n_short} ({why}); {counted}")
        if self._null:
            what = (
                "are left out" if config.null == "exclude" else "count as not correct; --null exclude leaves them out"
            )
            notes.append(f"samples without a label {what}")
        figures, missing = self._figures(of_problems.table, groups)
        sections = self._sections(of_problems.table, groups)
        correct = figures.pop(CORRECT)["1"]
        return ScoreReport(
            benchmark=self._kind.name,
            judge=self._judge,
            file=self.file,
            protocol=config.protocol,
            metric="pass@1",
            n=table.n_samples,
            n_null=self._null.total(),
            null_reasons=by_frequency(self._null),
            null=config.null,
            sections=sections,
            overall=correct["value"],
            overall_is=self._kind.benchmark.overall_is,
            interval=correct["interval"],
            **cast(Any, figures),
            bootstrap=bootstrap.described(config.resamples, config.seed, "problem", len(table)),
            notes=[*notes, *of_problems.notes, *missing],
        )

    def _figures(self, table: FigureTable, groups: NDArray[Any]) -> tuple[dict[str, dict[str, Figure]], list[str]]:
        """The mean of each column by measure and k, with its interval, and notes; `n` counts the problems behind it."""

        def means(some: Floats) -> Floats:
            sums, ns = np.split(some, 2, axis=-1)
            return np.divide(sums, ns, out=np.full(sums.shape, np.nan), where=ns > 0)

        strata = bootstrap.strata_of_groups(groups)
        drawn = intervals(table, strata, means, self._config.resamples, self._config.seed)
        undefined = "no interval: a resample may hold no problem with so many samples"
        notes = [undefined] if None in drawn else []
        drawn = drawn or [None] * len(table.measures)
        figures: dict[str, dict[str, Figure]] = {}
        ends = []
        for at, (measure, k) in enumerate(table.measures):
            column = table.column(at)
            unknown = np.isnan(column)
            column[unknown] = 0.0
            n = len(column) - int(unknown.sum())
            value = float(column.sum() / n) if n else None
            ends.append(reported_interval(drawn[at], np.nan if value is None else value, n))
            figures.setdefault(measure, {})[str(k)] = Figure(value=value, interval=ends[-1], n=n)
        return figures, [*notes, *missing_interval_notes(drawn, ends)]

    def _sections(self, table: FigureTable, groups: NDArray[Any]) -> dict[str, Section]:
        """pass@1 by subset, with intervals."""
        resamples, seed = self._config.resamples, self._config.seed
        names = self._groups.all()
        sizes = self._table.samples_of_groups(groups, len(names))
        sections = {}
        for at, name in enumerate(names):
            if not sizes[at]:
                continue
            values = table.column(0)[groups == at]
            strata = np.zeros(len(values), np.int8)
            ends = intervals(_WithOnes(values), strata, lambda some: some[..., :1] / some[..., 1:], resamples, seed)
            mean = float(values.mean())
            interval = reported_interval(ends[0] if ends else None, mean, len(values))
            sections[name] = Section(n=int(sizes[at]), n_null=self._null_of_group[at], value=mean, interval=interval)
        return sections


class _WithOnes:
    """Values (C) with a 1 beside each (C, 2), made as they are read."""

    def __init__(self, values: Floats):
        self._values, self.shape = values, (len(values), 2)

    def __getitem__(self, index: slice) -> Floats:
        return np.stack([self._values[index], np.ones(len(self._values[index]))], axis=1)


def _answer(fields: Fields) -> str | None:
    """The final answer that libra verify recorded, or else that of the response."""
    verification = fields.get("verification")
    if isinstance(verification, dict) and "answer" in verification:
        return cast("str | None", verification["answer"])
    text = fields.get("response", fields.get("response_with_cot"))
    response = thinking.split_any(text).response if isinstance(text, str) else None
    return None if response is None else limited(None, final_answer, response)
