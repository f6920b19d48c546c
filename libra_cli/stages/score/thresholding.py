"""From scores to verdicts: the threshold in use, and what other choices of it would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libra_cli.choices import THRESHOLD_SEARCHES
from libra_cli.metrics import thresholds
from libra_cli.metrics.ranking import CHUNK, RankedScores
from libra_cli.stages.score.judged_items import Sums, number
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.tasks import JUDGING
from libra_cli.tasks.judge import HALF, VERIFY, agrees_with_label, is_above, is_tie

Floats = NDArray[np.float64]
Integers = NDArray[np.signedinteger[Any]]
Verdicts = NDArray[np.int8]
Bools = NDArray[np.bool_]

NONE = -1
SEARCH, CROSS_FIT = THRESHOLD_SEARCHES
RATING = "score"
"""The judge task of integer scores from 0 to 4 if the rows name none."""


@dataclass(frozen=True)
class JudgedResponses:
    """N labelled responses with the scores and predictions of one judge."""

    groups: Integers
    clusters: Integers
    """The problem of each, from 0 without a gap."""
    labels: Bools
    scores: Floats
    predictions: Verdicts
    """1, 0, or -1 if the row has none."""
    gated: Bools
    """Non-answers: incorrect whatever the threshold."""
    task: str
    sums: Sums

    def threshold_items(self, null: str) -> thresholds.ThresholdItems:
        """The items for a threshold search; `null` (rule, exclude) says how items without a verdict count."""
        scores = self.scores
        if not np.isnan(scores[self.gated]).all():
            scores = np.where(self.gated, np.nan, scores)
        counts = ~np.isnan(scores) | self.gated if null == "exclude" else np.ones(len(scores), bool)
        return thresholds.ThresholdItems(scores, self.labels, self.groups, self.gated & ~self.labels, counts)

    @property
    def score_range(self) -> ScoreRange | None:
        """What the scores are; None without scores."""
        low, high, is_whole = np.inf, -np.inf, True
        for begin in range(0, len(self.scores), CHUNK):
            some = self.scores[begin : begin + CHUNK]
            some = some[~np.isnan(some)]
            low, high = min(low, some.min(initial=np.inf)), max(high, some.max(initial=-np.inf))
            is_whole = is_whole and bool((some == np.floor(some)).all())
        return None if low > high else ScoreRange(float(low), float(high), is_whole)


class ScoreRange(NamedTuple):
    """The lowest and the highest score, and whether all are whole numbers."""

    low: float
    high: float
    is_whole: bool


@dataclass(frozen=True)
class ResponseThresholds:
    """The threshold of each response (N): that of its fold, or the same for all."""

    of_fold: Floats
    """By fold (F), or just one; nan for none."""
    folds: Integers | None = None

    def of(self, some: slice) -> Floats:
        """The thresholds of some responses."""
        return self.of_fold[:1] if self.folds is None else self.of_fold[self.folds[some]]


@dataclass(frozen=True)
class ThresholdedVerdicts:
    """Verdicts (N: 1 correct, 0 incorrect, -1 none) and the threshold that made them."""

    verdicts: Verdicts
    threshold: float | None
    how: str
    thresholds: ResponseThresholds
    """What scores are measured from. If the rows have predictions: the threshold of the judge task, or the midpoint of
    its scale; nan if neither exists."""
    candidates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Threshold and overall accuracy of each way to choose a threshold."""
    notes: tuple[str, ...] = ()

    def is_wrong(self, fields: Mapping[str, Any]) -> bool:
        """Whether the verdict on a labelled row is wrong."""
        verdict = 0 if "gate" in fields else fields.get("prediction")
        score = fields.get("score")
        if self.threshold is not None and score is not None and "gate" not in fields:
            is_tied = is_tie(score, self.threshold, str(fields.get("judge_task")))
            verdict = None if is_tied else int(is_above(score, self.threshold))
        return verdict is not None and agrees_with_label(bool(verdict), fields) is False


_NOTES = {
    "searched": ("the threshold was searched on these very rows; cross-fitted shows what it is worth on others",),
    "cross-fitted": (
        "each problem is judged by the best threshold of the other folds; the one shown is the mean of these",
    ),
}


def verdicts_by_threshold(judged: JudgedResponses, config: ScoreConfig, ranked: RankedScores) -> ThresholdedVerdicts:
    """Verdicts by the threshold of `config` or, if it has none, by what the rows are; `ranked` are the scores.

    Without a threshold: the predictions of the rows if they have any; the fixed threshold of the judge task; a searched
    one. Raises ValueError if there is a threshold and no score.
    """
    items = judged.threshold_items(config.null)
    if items.scores is not judged.scores:
        ranked = RankedScores(items.scores)  # some non-answers have scores
    has_predictions = bool((judged.predictions[~judged.gated] != NONE).any())
    if config.threshold is not None and not len(ranked):
        raise ValueError("its rows have no scores for --threshold: leave it out, predictions count as they are")
    fixed, notes = _fixed_threshold(judged, config)
    candidates = _candidates(judged, config, fixed, items, ranked) if len(ranked) else {}
    summaries = {name: summary for name, (summary, _) in candidates.items()}
    if config.threshold is not None:
        how = {SEARCH: "searched", CROSS_FIT: "cross-fitted"}.get(str(config.threshold), "fixed")
    elif has_predictions or not len(ranked):
        how = "given"
    else:
        how = "searched" if fixed is None else "fixed"

    if how == "given":
        verdicts = np.where(judged.gated, np.int8(0), judged.predictions)
        scale = scale_of(judged)
        middle = fixed if fixed is not None else sum(scale) / 2 if scale is not None else np.nan
        return ThresholdedVerdicts(verdicts, None, how, ResponseThresholds(np.array([middle])), summaries)
    summary, of_responses = candidates[how.replace("-", "_")]
    if how == "cross-fitted":
        threshold = float(np.mean(summary["thresholds"])) if summary["thresholds"] else None
    else:
        threshold = float(summary["threshold"])
    verdicts = verdicts_at(judged, of_responses)
    return ThresholdedVerdicts(verdicts, threshold, how, of_responses, summaries, (*notes, *_NOTES.get(how, ())))


def _fixed_threshold(judged: JudgedResponses, config: ScoreConfig) -> tuple[float | None, list[str]]:
    """The number of `config` or of the judge task, and notes on assumptions; None if there is no fixed threshold."""
    if isinstance(config.threshold, (int, float)):
        return float(config.threshold), []
    if judged.task == VERIFY:
        return HALF, []
    if judged.task in JUDGING:
        threshold = JUDGING[judged.task].threshold
        return None if threshold is None else float(threshold), []
    known = judged.score_range
    low, high = JUDGING[RATING].scale or (0, 0)
    if known is not None and not judged.task and known.is_whole and known.low >= low and 1 < known.high <= high:
        threshold = float(JUDGING[RATING].threshold or 0)
        return threshold, [f"scores are taken for ratings from {low} to {high}, with the threshold of {threshold:g}"]
    return None, []


def scale_of(judged: JudgedResponses) -> tuple[float, float] | None:
    """The scale of the judge task, or of probabilities; None if scores only rank, like those of a reward head."""
    if judged.task == VERIFY:
        return 0.0, 1.0
    known = judged.score_range
    if known is None:
        return None
    task = judged.task or (RATING if known.high > 1 and known.is_whole else "")
    scale = JUDGING[task].scale if task in JUDGING else (0, 1) if not judged.task else None
    if scale is None or known.low < scale[0] or known.high > scale[1]:
        return None
    return float(scale[0]), float(scale[1])


def _candidates(
    judged: JudgedResponses,
    config: ScoreConfig,
    fixed: float | None,
    items: thresholds.ThresholdItems,
    ranked: RankedScores,
) -> dict[str, tuple[dict[str, Any], ResponseThresholds]]:
    """Each possible choice of a threshold: a summary for the report, and the threshold of each response."""
    candidates: dict[str, tuple[dict[str, Any], ResponseThresholds]] = {}
    if fixed is not None:
        of_responses = ResponseThresholds(np.array([fixed]))
        candidates["fixed"] = ({"threshold": fixed, "overall": _overall(judged, of_responses, config)}, of_responses)
    best = thresholds.ThresholdSearch(items, ranked).best()
    assert best is not None
    of_responses = ResponseThresholds(np.array(best[:1]))
    searched = _overall(judged, of_responses, config)
    candidates["searched"] = ({"threshold": best[0], "overall": searched}, of_responses)
    n_folds = min(config.folds, int(judged.clusters.max()) + 1)
    if n_folds > 1:
        folds = thresholds.folds_of(judged.clusters, n_folds, config.seed)
        of_responses = ResponseThresholds(thresholds.cross_fitted(items, folds, ranked), folds)
        overall = _overall(judged, of_responses, config)
        optimism = None if searched is None or overall is None else searched - overall
        of_fold = of_responses.of_fold[~np.isnan(of_responses.of_fold)].tolist()
        summary = {"thresholds": of_fold, "overall": overall, "optimism": optimism, "folds": n_folds}
        candidates["cross_fitted"] = (summary, of_responses)
    elif config.threshold == CROSS_FIT:
        raise ValueError("--threshold cross-fit needs two problems or more, there is one")
    return candidates


def verdicts_at(judged: JudgedResponses, of_responses: ResponseThresholds) -> Verdicts:
    """Verdicts (N) by the threshold of each response: correct above it; none without a score, and for a tie."""
    verdicts = np.empty(len(judged.scores), np.int8)
    for begin in range(0, len(verdicts), CHUNK):
        some = slice(begin, begin + CHUNK)
        scores, thresholds_N = judged.scores[some], of_responses.of(some)
        with np.errstate(invalid="ignore"):
            is_known = ~np.isnan(scores) & ~np.isnan(thresholds_N) & ~is_tie(scores, thresholds_N, judged.task)
            verdicts[some] = np.where(is_known, is_above(scores, thresholds_N), NONE)
    verdicts[judged.gated] = 0
    return verdicts


def _overall(judged: JudgedResponses, of_responses: ResponseThresholds, config: ScoreConfig) -> float | None:
    """The overall accuracy with these thresholds, as the benchmark defines it."""
    verdicts = verdicts_at(judged, of_responses)
    n_groups = len(judged.sums.groups)
    right, ns = np.zeros(n_groups), np.zeros(n_groups)
    for begin in range(0, len(verdicts), CHUNK):
        some = slice(begin, begin + CHUNK)
        groups, of_items = judged.groups[some], verdicts[some]
        right += np.bincount(groups[of_items == judged.labels[some]], minlength=n_groups)
        ns += np.bincount(groups[of_items != NONE] if config.null == "exclude" else groups, minlength=n_groups)
    return number(float(judged.sums.from_totals(np.concatenate([right, ns]))[-1]))
