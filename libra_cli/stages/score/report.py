"""What `libra score` reports, as JSON. All figures are fractions, unrounded; what is not defined is null.

One report is printed as it is, several as {"reports": [REPORT...], "comparisons": [COMPARISON...]}, and the report of
`libra score correlate` is a CORRELATION. Intervals are [low, high] at 95%; null with --resamples 0, and where only one
problem stands behind a figure.

Kinds of report, by their fields: `confusion` pointwise, `pass@k` reasoning, `flip_rate` pairwise (null where no pair
was asked about in both orders); every report has those of `Report` before the first heading.
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
    """A figure and its interval; `k` or `n` where its name has one, `how` where it can be had in several ways."""

    value: float | None
    interval: Interval
    n: int
    how: str


class ScoreReport(TypedDict, total=False):
    """How one judge (or one policy) did on one benchmark."""

    benchmark: str
    """A name of `libra_cli.rm_benchmarks.BENCHMARKS`, or `pointwise`, or `reasoning`."""
    judge: str
    """Its name in the rows; the name of the file where they do not say. Reasoning: the model that answered."""
    file: str
    protocol: str
    """official or paper"""
    metric: str
    """What `overall` is: accuracy, or pass@1."""
    n: int
    """Verdicts (reasoning: responses)."""
    n_null: int
    """Verdicts that cannot be read; `null` says what was made of them."""
    null_reasons: dict[str, int]
    null: str
    """rule: they count as the benchmark says (as wrong, for most); exclude: they are left out of every figure."""
    sections: dict[str, Section]
    overall: float | None
    interval: Interval
    bootstrap: dict[str, Any] | None
    """{resamples, seed, unit ("problem" or "row"), n_units}; null with --resamples 0."""
    notes: list[str]
    """What a reader must know of these figures: what was left out, which unit the intervals stand on."""
    missing: dict[str, list[str]]
    """RewardBench, where it is so: the subsets without rows of each section that has rows of others."""
    examples: list[dict[str, Any]]
    """Only with --html, and only on its page: at most a few of each section, the most confident wrong verdicts first:
    {id, section, question, response | responses, label, prediction, score, judgment_text, why}."""

    # -- pointwise
    threshold: float | None
    """A score above it counts as correct; null where the rows have predictions of their own."""
    threshold_how: str
    """fixed, searched, cross-fitted (then `threshold` is the mean of the folds'), or given (by the rows)"""
    thresholds: dict[str, dict[str, Any]]
    """{"fixed": {threshold, overall}, "searched": {threshold, overall}, "cross_fitted": {thresholds, overall, optimism,
    folds}}, as far as they can be had. `optimism`: searched overall less cross-fitted overall."""
    confusion: dict[str, int]
    """{tp, tn, fp, fn}, pooled; verdicts that cannot be read are in none of them."""
    null_correct: int
    """Correct responses without a verdict."""
    null_incorrect: int
    macro_f1: float | None
    """Mean of the F1 of both classes, a missing verdict counted as neither."""
    accuracy_correct: float | None
    """The plain mean of the sections that have such responses, as in Table 10."""
    accuracy_incorrect: float | None
    intervals: dict[str, Interval]
    """Of macro_f1, accuracy_correct and accuracy_incorrect."""
    calibration: dict[str, Any] | None
    """{brier, ece, roc_auc, pr_auc, reliability: [{low, high, n, mean_score, accuracy}...], risk_coverage: [[coverage,
    risk]...], scale: how scores became probabilities; null: they are ranks only, and brier, ece, reliability are null;
    so is risk_coverage where rewards stand beside predictions of the rows' own, and nothing says how sure these are};
    null where the rows have no scores."""

    # -- pairwise
    flip_rate: float | None
    """Share of the comparisons in which another response was better when the order was the other way round."""
    flip_interval: Interval
    position_bias: dict[str, float] | None
    """{first, second, tie}: shares of the verdicts by which of the two was shown first."""
    ties: int | None
    """Rows whose prediction is a tie."""

    # -- reasoning. Each maps k, or n, as a string, to a figure.


REASONING = ("pass@k", "mean@n", "maj@k", "best_of_n", "weighted_majority")
"""Fields of a reasoning report that map k (as text) to a `Figure`; those that the rows do not allow are left out."""


class JudgeComparison(TypedDict):
    """Two judges on the same items; `difference` is the overall figure of `a` less that of `b`."""

    a: str
    b: str
    n: int
    """Items that both judged; with fewer than two all figures are null, and `notes` says why."""
    only_a: int
    only_b: int
    difference: float | None
    interval: Interval
    p_bootstrap: float | None
    """Two-sided, from resampled problems."""
    mcnemar: dict[str, Any]
    """{b: items that only `a` has right, c: items that only `b` has right, p: two-sided, exact}; it takes items for
    independent."""
    detectable_difference: float | None
    """The difference that would be found with a power of 80% at the 5% level."""
    notes: list[str]


class Correlation(TypedDict, total=False):
    """A judge's accuracy against what came of training with it (Figure 2 of the paper)."""

    file: str
    x: str
    y: str
    n: int
    points: list[dict[str, Any]]
    """{name, x, y, group}"""
    pearson: dict[str, Any]
    """{value, interval (by Fisher's z), bootstrap (the interval of resampled points)}; of several groups: of the
    deviations of each point from the means of its group."""
    spearman: dict[str, Any]
    leave_one_out: list[dict[str, Any]]
    """{without: name, pearson, spearman}"""
    leave_one_out_range: dict[str, Interval]
    """{pearson, spearman}: the lowest and the highest of these."""
    groups: dict[str, Correlation]
    """The same of each group, where there are several."""
    bootstrap: dict[str, Any] | None
    notes: list[str]
