"""The fields of a report of `libra score`, as JSON. Figures are unrounded fractions; null if undefined.

A single report is printed by itself, several as {"reports": [REPORT...], "comparisons": [COMPARISON...]}; the report of
`libra score correlate` is a CORRELATION. Intervals are [low, high] at 95%; null with --resamples 0, and for a figure
with a single problem behind it.

A report is pointwise if it has `confusion`, of reasoning if it has `pass@k`, and otherwise pairwise; every report has
the fields of `ScoreReport` before the first heading.
"""

from __future__ import annotations

from typing import Any, TypedDict

Interval = list[float] | None


class Section(TypedDict, total=False):
    """A part of a benchmark."""

    n: int
    """Verdicts that count in `value`."""
    n_null: int
    """Verdicts that cannot be read."""
    value: float | None
    interval: Interval
    accuracy_correct: float | None
    """Pointwise: share of the correct responses that are judged correct (Table 10 of the paper)."""
    accuracy_incorrect: float | None


class Figure(TypedDict, total=False):
    """A figure with its interval, and the number of problems behind it."""

    value: float | None
    interval: Interval
    n: int
    how: str


class ScoreReport(TypedDict, total=False):
    """The figures of one judge (or one policy) on one benchmark."""

    benchmark: str
    """A name of `libra_cli.rm_benchmarks.BENCHMARKS`, or `pointwise`, or `reasoning`."""
    judge: str
    """Its name in the rows, or else the name of the file. Reasoning: the model that answered."""
    file: str
    protocol: str
    """official or paper"""
    metric: str
    """What `overall` measures: accuracy or pass@1."""
    n: int
    """Verdicts (reasoning: responses)."""
    n_null: int
    """Verdicts that cannot be read; `null` says how they count."""
    null_reasons: dict[str, int]
    null: str
    """rule: they count as the benchmark says (as incorrect, for most); exclude: they are left out of every figure."""
    sections: dict[str, Section]
    overall: float | None
    overall_is: str
    """What `overall` is, and is called in tables: mean (of the sections, as the benchmark weighs them), or pooled (over
    all rows or problems, whatever their section)."""
    interval: Interval
    bootstrap: dict[str, Any] | None
    """{resamples, seed, unit ("problem" or "row"), n_units}; null with --resamples 0."""
    notes: list[str]
    """What a reader must know: what was left out, what the intervals assume."""
    missing: dict[str, list[str]]
    """RewardBench: of each section with rows, the subsets without any; absent if there are none."""
    examples: list[dict[str, Any]]
    """Only on the page of --html: a few wrong verdicts of each section, the most confident first:
    {id, model, sample, section, question, reference, response | responses, response_thinking, label, prediction, score,
    judgment_text, judgment_thinking, why}."""

    # -- pointwise
    threshold: float | None
    """A score above it means correct; null if the rows have predictions."""
    threshold_how: str
    """fixed, searched, cross-fitted (then `threshold` is the mean over the folds), or given (by the rows)"""
    thresholds: dict[str, dict[str, Any]]
    """{"fixed": {threshold, overall}, "searched": {threshold, overall}, "cross_fitted": {thresholds, overall, optimism,
    folds}}, as far as they exist. `optimism`: searched minus cross-fitted overall accuracy."""
    confusion: dict[str, int]
    """{tp, tn, fp, fn}, pooled; verdicts that cannot be read are in none."""
    null_correct: int
    """Correct responses without a verdict."""
    null_incorrect: int
    macro_f1: float | None
    """Mean of the F1 of both classes; a missing verdict counts as neither class."""
    accuracy_correct: float | None
    """The plain mean of the sections that have such responses, as in Table 10."""
    accuracy_incorrect: float | None
    intervals: dict[str, Interval]
    """Of macro_f1, accuracy_correct and accuracy_incorrect."""
    calibration: dict[str, Any] | None
    """{brier, ece, roc_auc, pr_auc, reliability: [{low, high, n, mean_score, accuracy}...], risk_coverage: [[coverage,
    risk]...], scale: [low, high] of the scores}; null if the rows have no scores. If scores only rank, scale, brier,
    ece and reliability are null; so is risk_coverage if the rows have predictions beside such scores."""

    # -- pairwise
    flip_rate: float | None
    """Share of the comparisons whose verdict changes with the order; null if no pair was judged in both orders."""
    flip_interval: Interval
    position_bias: dict[str, float] | None
    """{first, second, tie}: shares of the verdicts that prefer the response shown first, second, or neither."""
    ties: int | None
    """Rows whose prediction is a tie."""

    # -- reasoning: the fields of REASONING


REASONING = ("pass@k", "mean@n", "maj@k", "best_of_n", "weighted_majority")
"""Fields of a reasoning report that map k or n (as text) to a `Figure`; those that the rows do not allow are absent."""


class _Differing(TypedDict, total=False):
    differing: dict[str, Any]
    """Only on the page of --html: {n, rows}, the first rows on which the judges differ, with `a` and `b`, their
    verdicts, and `right`, the judge that is right."""


class JudgeComparison(_Differing):
    """Two judges on the same items; `difference` is the overall figure of `a` minus that of `b`."""

    a: str
    b: str
    n: int
    """Items that both judged; with fewer than two all figures are null."""
    only_a: int
    only_b: int
    difference: float | None
    interval: Interval
    p_bootstrap: float | None
    """Two-sided, from resampled problems."""
    mcnemar: dict[str, Any]
    """{b: items only `a` has right, c: items only `b` has right, p: two-sided, exact}; assumes independent items."""
    detectable_difference: float | None
    """The difference that a test at the 5% level would detect with a power of 80%."""
    p_adjusted: float | None
    """The larger of both p, adjusted for all comparisons of the report (Holm); null without both."""
    better: str | None
    """`a` or `b`, if it is better: `p_adjusted` is at most 0.05, and the interval does not hold 0; null if not."""
    notes: list[str]


class Correlation(TypedDict, total=False):
    """Judges' accuracy against that of policies trained with them (Figure 2 of the paper)."""

    file: str
    x: str
    y: str
    n: int
    points: list[dict[str, Any]]
    """{name, x, y, group}"""
    pearson: dict[str, Any]
    """{value, interval (Fisher's z), bootstrap (interval of resampled points)}; with several groups: of the deviations
    of the points from the means of their groups."""
    spearman: dict[str, Any]
    leave_one_out: list[dict[str, Any]]
    """{without: name, pearson, spearman}"""
    leave_one_out_range: dict[str, Interval]
    """{pearson, spearman}: the lowest and the highest."""
    groups: dict[str, Correlation]
    """The correlation within each group, if there are several."""
    bootstrap: dict[str, Any] | None
    notes: list[str]


_ACCURACIES = ("value", "interval", "accuracy_correct", "accuracy_incorrect")


def without_accuracy(report: ScoreReport) -> None:
    """Takes the accuracies out of a report on rows without a single verdict: a rule for nulls is no measurement."""
    figures: dict[str, Any] = report  # type: ignore[assignment]
    for part in (figures, *figures["sections"].values()):
        part.update(dict.fromkeys({*_ACCURACIES, "overall", "macro_f1"} & part.keys()))
    report["notes"].append("no verdict can be read: there is no accuracy")
