"""Reports of verified responses: pass@k, mean@n, majority vote, best of n and weighted majority by a judge's score."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from libra_cli.answers.extract import final_answer
from libra_cli.metrics import bootstrap, passk
from libra_cli.rm_benchmarks import ProtocolName
from libra_cli.stages.score.answers import grouped_answers
from libra_cli.stages.score.columns import Names, problem_of
from libra_cli.stages.score.reading import ScoreConfig, reasons
from libra_cli.stages.score.report import Figure, ScoreReport, Section
from libra_cli.stages.score.row_kinds import RowKind
from libra_cli.stages.score.verdicts import JudgedItems, ScoredJudge, Sums, intervals, settled, without_interval
from libra_cli.tasks import thinking

Fields = dict[str, Any]
Floats = NDArray[np.float64]
NO_LABEL = "no_label"


@dataclass
class Problem:
    """The samples of one problem, column by column."""

    name: str
    group: int
    key: int
    right: array[int] = field(default_factory=lambda: array("b"))
    score: array[float] = field(default_factory=lambda: array("d"))
    answer: array[int] = field(default_factory=lambda: array("i"))
    answers: Names = field(default_factory=Names)
    samples: set[Any] = field(default_factory=set)


class ReasoningCollector:
    """The samples of one model, or of one model as one judge scored them."""

    def __init__(self, kind: RowKind, how: ScoreConfig, judge: str, file: str):
        self._kind, self._how, self._judge, self.file = kind, how, judge, file
        self._groups, self._problems = Names(), dict[int, Problem]()
        self._null, self._null_of = Counter[str](), Counter[int]()
        self._n_scores = 0

    def add(self, fields: Fields, raw: bytes) -> None:
        """Takes a sample; raises ValueError naming what it lacks."""
        label = fields["label"]
        if label not in (0, 1, None):
            raise ValueError(f'"label" is {label!r}, not 1, 0 or null: run libra verify')
        problem = self._problem(fields)
        self._check_new(problem, fields.get("sample"))
        if label is None:
            found = fields.get("verification")
            self._null[str(found.get("reason", NO_LABEL)) if isinstance(found, dict) else NO_LABEL] += 1
            self._null_of[problem.group] += 1
            if self._how.null == "exclude":
                return
        score = fields.get("score")
        is_score = isinstance(score, (int, float)) and not isinstance(score, bool)
        self._n_scores += is_score
        problem.right.append(int(label or 0))
        problem.score.append(float(cast(float, score)) if is_score else float("nan"))
        answer = _answer(fields)
        problem.answer.append(-1 if answer is None else problem.answers.number(answer))

    def _problem(self, fields: Fields) -> Problem:
        name = problem_of(fields)
        if name is None:
            raise ValueError('no "question", "id" or "index": samples need to say which problem they answer')
        group = self._groups.number(str(fields.get("subset", "all")))
        key = hash((name, group))
        found = self._problems.get(key)
        if found is None:
            shown = fields.get("index") or fields.get("id") or name[:60]
            found = self._problems[key] = Problem(str(shown), group, hash(name))
        return found

    def _check_new(self, problem: Problem, sample: Any) -> None:
        if sample is not None:
            if sample in problem.samples:
                raise ValueError(f"sample {sample!r} of problem {problem.name} is given twice: leave one out")
            problem.samples.add(sample)

    def scored(self) -> ScoredJudge:
        """The report; raises ValueError where a problem has too few samples."""
        problems = [problem for problem in self._problems.values() if problem.right]
        if not problems:
            raise ValueError("none of its samples has a label: run libra review, or libra verify again")
        n = max(len(problem.right) for problem in problems)
        ks = self._ks(n)
        short = [problem for problem in problems if len(problem.right) < max(n, *ks)]
        if short and not self._how.allow_short:
            few = f"problem {short[0].name} has only {len(short[0].right)} of {max(n, *ks)} samples"
            more = f", as one of {len(short)} with too few" if len(short) > 1 else ""
            raise ValueError(f"{few}{more}: sample them again (libra rollout), or --allow-short scores what is there")
        figures = _Figures(problems, n, ks, self._how, self._n_scores > 0)
        groups = np.array([problem.group for problem in problems])
        sums = Sums(self._kind.benchmark, self._groups.all(), cast(ProtocolName, self._how.protocol))
        keys = np.array([problem.key for problem in problems])
        items = JudgedItems(sums, groups, np.arange(len(problems)), figures.columns["mean@n", n], keys, keys)
        return ScoredJudge(self._report(problems, figures, items, len(short)), items)

    def _ks(self, n: int) -> tuple[int, ...]:
        """What --at asks for; without it 1, 2, 4 and so on, and n."""
        if self._how.at:
            return self._how.at
        return tuple(sorted({n, *(2**power for power in range(n.bit_length()))}))

    def _report(self, problems: list[Problem], figures: _Figures, items: JudgedItems, n_short: int) -> ScoreReport:
        how, names = self._how, self._groups.all()
        ends = figures.ends(items.groups)
        found = figures.as_figures(ends)
        first = found["mean@n"][str(figures.n)]
        sections = figures.sections(items, self._null_of, names)
        notes = how.without_effect("threshold", "folds")
        notes += [f"problems with fewer than {figures.n} samples: {n_short} (--allow-short)"] if n_short else []
        if self._null:
            made = "are left out" if how.null == "exclude" else "count as not correct; --null exclude leaves them out"
            notes.append(f"samples without a label {made}")
        return ScoreReport(
            benchmark=self._kind.name, judge=self._judge, file=self.file, protocol=how.protocol, metric="pass@1",
            n=sum(len(problem.right) for problem in problems), n_null=self._null.total(),
            null_reasons=reasons(self._null), null=how.null, sections=sections,
            overall=first["value"], interval=first["interval"], **cast(Any, found),
            bootstrap=bootstrap.described(how.resamples, how.seed, "problem", len(problems)),
            notes=[*notes, *figures.notes],
        )  # fmt: skip


class _Figures:
    """Each figure of each problem: columns (P) that are averaged."""

    def __init__(self, problems: list[Problem], n: int, ks: tuple[int, ...], how: ScoreConfig, has_scores: bool):
        self.n, self._how = n, how
        self.columns: dict[tuple[str, int], Floats] = {}
        self.notes: list[str] = []
        counts = [(len(problem.right), sum(problem.right)) for problem in problems]
        self._sizes, self._has_scores = [size for size, _ in counts], has_scores
        self.columns["mean@n", n] = np.array([right / size for size, right in counts])
        for k in ks:
            self.columns["pass@k", k] = _over(self._sizes, k, lambda at, k: passk.pass_at_k(*counts[at], k))
        several = [k for k in ks if k > 1]
        if any(len(problem.answers) for problem in problems):
            self._vote(problems, several)
        if has_scores:
            self._choose(problems, several)

    def _vote(self, problems: list[Problem], ks: list[int]) -> None:
        """Majority votes on equivalent answers; where subsets are drawn, always the same for a problem."""
        groups = [grouped_answers(problem.answers.all(), list(problem.answer)) for problem in problems]

        def majority(at: int, k: int) -> float:
            rng = np.random.default_rng([self._how.seed, at])
            return passk.majority_at_k(groups[at], _bools(problems[at]), k, rng)

        for k in ks:
            self.columns["maj@k", k] = _over(self._sizes, k, majority)
        self.notes.append(
            "majority votes: equivalent answers count together, ties are shared; of more than "
            f"{passk.EXACT_SUBSETS} subsets of k samples, so many are drawn (seed {self._how.seed})"
        )
        if self._has_scores:
            self._vote_by_score(problems, groups)

    def _vote_by_score(self, problems: list[Problem], groups: list[list[int]]) -> None:
        """Each vote weighs as much as its score; a missing one nothing."""
        scores = [np.nan_to_num(np.array(problem.score)) for problem in problems]
        if min(map(np.min, scores)) < 0:
            self.notes.append("no weighted majority: scores below 0 are no weights")
            return
        votes = zip(groups, problems, scores, strict=True)
        column = [passk.vote(of_problem, _bools(problem), weights) for of_problem, problem, weights in votes]
        self.columns["weighted_majority", self.n] = np.array(column)

    def _choose(self, problems: list[Problem], ks: list[int]) -> None:
        def best(at: int, k: int) -> float:
            return passk.best_of_k(list(problems[at].score), _bools(problems[at]), k)

        for k in ks:
            self.columns["best_of_n", k] = _over(self._sizes, k, best)

    def ends(self, groups: NDArray[np.int64]) -> list[list[float] | None]:
        """An interval for each column."""
        table = np.stack(list(self.columns.values()), axis=1)
        known = ~np.isnan(table)
        totals = np.concatenate([np.where(known, table, 0.0), known], axis=1)
        rows = np.zeros((len(table), int(groups.max()) + 1))
        rows[np.arange(len(table)), groups] = 1.0

        def means(some: Floats) -> Floats:
            sums, ns = np.split(some, 2, axis=-1)
            return np.divide(sums, ns, out=np.full(sums.shape, np.nan), where=ns > 0)

        found = intervals(totals, rows, means, self._how.resamples, self._how.seed) or [None] * table.shape[1]
        values, sizes = means(totals.sum(axis=0)), known.sum(axis=0)
        reported = [settled(*each) for each in zip(found, values, map(int, sizes), strict=True)]
        self.notes += without_interval(found, reported)
        return reported

    def as_figures(self, ends: list[list[float] | None]) -> dict[str, dict[str, Figure]]:
        """By measure and k; of a problem with fewer than k samples there is none, and `n` says so."""
        found: dict[str, dict[str, Figure]] = {}
        for ((measure, k), column), end in zip(self.columns.items(), ends, strict=True):
            n = int((~np.isnan(column)).sum())
            value = float(np.nanmean(column)) if n else None
            found.setdefault(measure, {})[str(k)] = Figure(value=value, interval=end, n=n)
        return found

    def sections(self, items: JudgedItems, null_of: Counter[int], names: list[str]) -> dict[str, Section]:
        """pass@1 by subset."""
        sizes = np.bincount(items.groups, weights=self._sizes, minlength=len(names))
        return {
            name: Section(n=int(sizes[at]), n_null=null_of[at], **self._mean(items.values[items.groups == at]))
            for at, name in enumerate(names) if sizes[at]
        }  # fmt: skip

    def _mean(self, values: Floats) -> Any:
        """The mean of problems, and its interval."""
        ones = np.ones((len(values), 1))
        totals = np.concatenate([values[:, None], ones], axis=1)
        how, mean = self._how, float(values.mean())
        found = intervals(totals, ones, lambda some: some[..., :1] / some[..., 1:], how.resamples, how.seed)
        return {"value": mean, "interval": settled(found[0] if found else None, mean, len(values))}


def _bools(problem: Problem) -> list[bool]:
    return [bool(right) for right in problem.right]


def _over(sizes: list[int], k: int, figure: Callable[[int, int], float]) -> Floats:
    """A figure of each problem that has k samples; nan for one that has fewer."""
    return np.array([figure(at, k) if k <= size else np.nan for at, size in enumerate(sizes)])


def _answer(fields: Fields) -> str | None:
    """The final answer that libra verify found, or that the response gives."""
    found = fields.get("verification")
    if isinstance(found, dict) and "answer" in found:
        return cast("str | None", found["answer"])
    text = fields.get("response", fields.get("response_with_cot"))
    response = thinking.split_any(text).response if isinstance(text, str) else None
    return None if response is None else final_answer(response)
