"""Reports on verified responses: pass@k, mean@n, majority vote, best of n and weighted majority by a judge's score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from libra_cli.answers.extract import final_answer
from libra_cli.answers.time_limit import limited
from libra_cli.metrics import bootstrap, passk
from libra_cli.rm_benchmarks import ProtocolName
from libra_cli.stages.score.answers import grouped_answers
from libra_cli.stages.score.columns import NameNumbers, problem_of
from libra_cli.stages.score.judged_items import (
    JudgedItems,
    ScoredJudge,
    Sums,
    intervals,
    missing_interval_notes,
    reported_interval,
)
from libra_cli.stages.score.problem_samples import ProblemSamples, SampleTable
from libra_cli.stages.score.reading import ScoreConfig, by_frequency
from libra_cli.stages.score.report import Figure, ScoreReport, Section
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

    def add(self, fields: Fields, raw: bytes) -> None:
        """Adds a sample; raises ValueError naming what it lacks."""
        label = fields["label"]
        if label not in (0, 1, None):
            raise ValueError(f'"label" is {label!r}, not 1, 0 or null: run libra verify')
        group = self._groups.number(str(fields.get("subset", "all")))
        problem = self._problem(fields, group)
        sample = fields.get("sample")
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
        config = self._config
        problems = self._table.problems()
        if not problems:
            raise ValueError("none of its samples has a label: run libra review, or libra verify again")
        n = max(len(problem.right) for problem in problems)
        ks = config.at or tuple(sorted({n, *(2**power for power in range(n.bit_length()))}))
        short = [problem for problem in problems if len(problem.right) < max(n, *ks)]
        if short and not config.allow_short:
            few = f"problem {short[0].name} has only {len(short[0].right)} of {max(n, *ks)} samples"
            more = f", as one of {len(short)} with too few" if len(short) > 1 else ""
            raise ValueError(f"{few}{more}: sample them again (libra rollout), or --allow-short scores what is there")
        columns = _Columns(problems, n, ks, config, self._n_scores > 0, self._table.has_answers)
        keys = np.array([problem.key for problem in problems])
        items = JudgedItems(
            sums=Sums(self._kind.benchmark, self._groups.all(), cast(ProtocolName, config.protocol)),
            groups=np.array([problem.group for problem in problems]),
            clusters=np.arange(len(problems)),
            values=columns.columns["mean@n", n],
            keys=keys,
            names=keys,
        )
        return ScoredJudge(self._report(problems, columns, items, len(short)), items)

    def _report(
        self, problems: list[ProblemSamples], columns: _Columns, items: JudgedItems, n_short: int
    ) -> ScoreReport:
        config = self._config
        figures = columns.figures(items.groups)
        sections = columns.sections(items, self._null_of_group, self._groups.all())
        notes = config.no_effect_notes("threshold", "folds")
        if n_short:
            notes.append(f"problems with fewer than {columns.n} samples: {n_short} (--allow-short)")
        if self._null:
            what = (
                "are left out" if config.null == "exclude" else "count as not correct; --null exclude leaves them out"
            )
            notes.append(f"samples without a label {what}")
        mean = figures["mean@n"][str(columns.n)]
        return ScoreReport(
            benchmark=self._kind.name,
            judge=self._judge,
            file=self.file,
            protocol=config.protocol,
            metric="pass@1",
            n=sum(len(problem.right) for problem in problems),
            n_null=self._null.total(),
            null_reasons=by_frequency(self._null),
            null=config.null,
            sections=sections,
            overall=mean["value"],
            interval=mean["interval"],
            **cast(Any, figures),
            bootstrap=bootstrap.described(config.resamples, config.seed, "problem", len(problems)),
            notes=[*notes, *columns.notes],
        )


class _Columns:
    """Figures of each problem by (measure, k): columns (P) whose means are the figures of the report."""

    def __init__(
        self,
        problems: list[ProblemSamples],
        n: int,
        ks: tuple[int, ...],
        config: ScoreConfig,
        has_scores: bool,
        has_answers: bool,
    ):
        self.n, self._config = n, config
        self.columns: dict[tuple[str, int], Floats] = {}
        self.notes: list[str] = []
        counts = [(len(problem.right), sum(problem.right)) for problem in problems]
        self._sizes = [size for size, _ in counts]
        self.columns["mean@n", n] = np.array([right / size for size, right in counts])
        for k in ks:
            self._add("pass@k", k, lambda at, k: passk.pass_at_k(*counts[at], k))
        ks_above_1 = [k for k in ks if k > 1]
        if has_answers:
            self._add_majority(problems, ks_above_1, has_scores)
        if has_scores:
            for k in ks_above_1:
                self._add("best_of_n", k, lambda at, k: passk.best_of_k(problems[at].score, problems[at].correct, k))

    def _add(self, measure: str, k: int, figure: Callable[[int, int], float]) -> None:
        """Adds `figure(problem, k)` of each problem; nan for a problem with fewer than k samples."""
        values = [figure(at, k) if k <= size else np.nan for at, size in enumerate(self._sizes)]
        self.columns[measure, k] = np.array(values)

    def _add_majority(self, problems: list[ProblemSamples], ks: list[int], has_scores: bool) -> None:
        """Adds majority votes on equivalent answers; drawn subsets depend on the seed and the problem only."""
        groups = [grouped_answers(*problem.answers) for problem in problems]

        def majority(at: int, k: int) -> float:
            rng = np.random.default_rng([self._config.seed, at])
            return passk.majority_at_k(groups[at], problems[at].correct, k, rng)

        for k in ks:
            self._add("maj@k", k, majority)
        self.notes.append(
            "majority votes: equivalent answers count together, ties are shared; of more than "
            f"{passk.EXACT_SUBSETS} subsets of k samples, so many are drawn (seed {self._config.seed})"
        )
        if not has_scores:
            return
        weights = [np.nan_to_num(np.array(problem.score)) for problem in problems]  # no score, no weight
        if min(map(np.min, weights)) < 0:
            self.notes.append("no weighted majority: scores below 0 are no weights")
            return
        votes = zip(groups, problems, weights, strict=True)
        column = [passk.vote(of_problem, problem.correct, of_sample) for of_problem, problem, of_sample in votes]
        self.columns["weighted_majority", self.n] = np.array(column)

    def figures(self, groups: NDArray[np.int64]) -> dict[str, dict[str, Figure]]:
        """The mean of each column by measure and k, with its interval; `n` counts the problems with k samples."""
        table = np.stack(list(self.columns.values()), axis=1)
        known = ~np.isnan(table)
        totals = np.concatenate([np.where(known, table, 0.0), known], axis=1)
        rows = np.zeros((len(table), int(groups.max()) + 1))
        rows[np.arange(len(table)), groups] = 1.0

        def means(some: Floats) -> Floats:
            sums, ns = np.split(some, 2, axis=-1)
            return np.divide(sums, ns, out=np.full(sums.shape, np.nan), where=ns > 0)

        drawn = intervals(totals, rows, means, self._config.resamples, self._config.seed) or [None] * table.shape[1]
        values, sizes = means(totals.sum(axis=0)), known.sum(axis=0)
        ends = [reported_interval(*each) for each in zip(drawn, values, map(int, sizes), strict=True)]
        self.notes += missing_interval_notes(drawn, ends)
        figures: dict[str, dict[str, Figure]] = {}
        for ((measure, k), column), interval in zip(self.columns.items(), ends, strict=True):
            n = int((~np.isnan(column)).sum())
            value = float(np.nanmean(column)) if n else None
            figures.setdefault(measure, {})[str(k)] = Figure(value=value, interval=interval, n=n)
        return figures

    def sections(self, items: JudgedItems, null_of_group: Counter[int], names: list[str]) -> dict[str, Section]:
        """pass@1 by subset, with intervals."""
        resamples, seed = self._config.resamples, self._config.seed
        sizes = np.bincount(items.groups, weights=self._sizes, minlength=len(names))
        sections = {}
        for at, name in enumerate(names):
            if not sizes[at]:
                continue
            values = items.values[items.groups == at]
            ones = np.ones((len(values), 1))
            totals = np.concatenate([values[:, None], ones], axis=1)
            drawn = intervals(totals, ones, lambda some: some[..., :1] / some[..., 1:], resamples, seed)
            mean = float(values.mean())
            interval = reported_interval(drawn[0] if drawn else None, mean, len(values))
            sections[name] = Section(n=int(sizes[at]), n_null=null_of_group[at], value=mean, interval=interval)
        return sections


def _answer(fields: Fields) -> str | None:
    """The final answer that libra verify recorded, or else that of the response."""
    verification = fields.get("verification")
    if isinstance(verification, dict) and "answer" in verification:
        return cast("str | None", verification["answer"])
    text = fields.get("response", fields.get("response_with_cot"))
    response = thinking.split_any(text).response if isinstance(text, str) else None
    return None if response is None else limited(None, final_answer, response)
