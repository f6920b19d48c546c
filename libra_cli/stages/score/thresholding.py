"""From scores to verdicts: the threshold in use, and what other choices of it would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.choices import THRESHOLD_SEARCHES
from libra_cli.metrics import thresholds
from libra_cli.stages.score.judged_items import Sums, number
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.tasks import JUDGING
from libra_cli.tasks.judge import agrees_with_label, is_above

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
SEARCH, CROSS_FIT = THRESHOLD_SEARCHES
RATING = "score"
"""The judge task of integer scores from 0 to 4 if the rows name none."""


@dataclass(frozen=True)
class JudgedResponses:
    """N labelled responses with the scores and predictions of one judge."""

    groups: Ints
    clusters: Ints
    labels: Bools
    scores: Floats
    predictions: Ints
    """1, 0, or -1 if the row has none."""
    gated: Bools
    """Non-answers: incorrect whatever the threshold."""
    task: str
    sums: Sums

    def threshold_items(self, null: str) -> thresholds.ThresholdItems:
        """The items for a threshold search; `null` (rule, exclude) says how items without a verdict count."""
        scores = np.where(self.gated, np.nan, self.scores)
        counts = ~np.isnan(scores) | self.gated if null == "exclude" else np.ones(len(scores), bool)
        return thresholds.ThresholdItems(scores, self.labels, self.groups, self.gated & ~self.labels, counts)


@dataclass(frozen=True)
class ThresholdedVerdicts:
    """Verdicts (N: 1 correct, 0 incorrect, -1 none) and the threshold that made them."""

    verdicts: Ints
    threshold: float | None
    how: str
    margins: Floats
    """Distance of each score (N) to its threshold. If the rows have predictions: to the threshold of the judge task, or
    to the midpoint of its scale; nan if neither exists."""
    candidates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Threshold and overall accuracy of each way to choose a threshold."""
    notes: tuple[str, ...] = ()

    def is_wrong(self, fields: Mapping[str, Any]) -> bool:
        """Whether the verdict on a labelled row is wrong."""
        verdict = 0 if "gate" in fields else fields.get("prediction")
        if self.threshold is not None and fields.get("score") is not None and "gate" not in fields:
            verdict = int(is_above(fields["score"], self.threshold))
        return verdict is not None and agrees_with_label(bool(verdict), fields) is False


_NOTES = {
    "searched": ("the threshold was searched on these very rows; cross-fitted shows what it is worth on others",),
    "cross-fitted": (
        "each problem is judged by the best threshold of the other folds; the one shown is the mean of these",
    ),
}


def verdicts_by_threshold(judged: JudgedResponses, config: ScoreConfig) -> ThresholdedVerdicts:
    """Verdicts by the threshold of `config` or, if it has none, by what the rows are.

    Without a threshold: the predictions of the rows if they have any; the fixed threshold of the judge task; a searched
    one. Raises ValueError if there is a threshold and no score.
    """
    has_scores = bool((~np.isnan(judged.scores) & ~judged.gated).any())
    has_predictions = bool((judged.predictions[~judged.gated] != NONE).any())
    if config.threshold is not None and not has_scores:
        raise ValueError("its rows have no scores for --threshold: leave it out, predictions count as they are")
    fixed, notes = _fixed_threshold(judged, config)
    candidates = _candidates(judged, config, fixed) if has_scores else {}
    summaries = {name: summary for name, (summary, _) in candidates.items()}
    if config.threshold is not None:
        how = {SEARCH: "searched", CROSS_FIT: "cross-fitted"}.get(str(config.threshold), "fixed")
    elif has_predictions or not has_scores:
        how = "given"
    else:
        how = "searched" if fixed is None else "fixed"

    if how == "given":
        verdicts = np.where(judged.gated, 0, judged.predictions).astype(np.int64)
        scale = scale_of(judged)
        middle = fixed if fixed is not None else sum(scale) / 2 if scale is not None else np.nan
        return ThresholdedVerdicts(verdicts, None, how, judged.scores - middle, summaries)
    summary, thresholds_N = candidates[how.replace("-", "_")]
    if how == "cross-fitted":
        threshold = float(np.mean(summary["thresholds"])) if summary["thresholds"] else None
    else:
        threshold = float(summary["threshold"])
    verdicts = verdicts_at(judged, thresholds_N)
    margins = judged.scores - thresholds_N
    return ThresholdedVerdicts(verdicts, threshold, how, margins, summaries, (*notes, *_NOTES.get(how, ())))


def _fixed_threshold(judged: JudgedResponses, config: ScoreConfig) -> tuple[float | None, list[str]]:
    """The number of `config` or of the judge task, and notes on assumptions; None if there is no fixed threshold."""
    if isinstance(config.threshold, (int, float)):
        return float(config.threshold), []
    if judged.task == "verify":
        return 0.5, []
    if judged.task in JUDGING:
        threshold = JUDGING[judged.task].threshold
        return None if threshold is None else float(threshold), []
    known = judged.scores[~np.isnan(judged.scores)]
    low, high = JUDGING[RATING].scale or (0, 0)
    is_rating = len(known) and not judged.task and (known == np.floor(known)).all()
    if is_rating and known.min() >= low and 1 < known.max() <= high:
        threshold = float(JUDGING[RATING].threshold or 0)
        return threshold, [f"scores are taken for ratings from {low} to {high}, with the threshold of {threshold:g}"]
    return None, []


def scale_of(judged: JudgedResponses) -> tuple[float, float] | None:
    """The scale of the judge task, or of probabilities; None if scores only rank, like those of a reward head."""
    if judged.task == "verify":
        return 0.0, 1.0
    scores = judged.scores[~np.isnan(judged.scores)]
    if not len(scores):
        return None
    task = judged.task or (RATING if scores.max() > 1 and (scores == np.floor(scores)).all() else "")
    scale = JUDGING[task].scale if task in JUDGING else (0, 1) if not judged.task else None
    if scale is None or scores.min() < scale[0] or scores.max() > scale[1]:
        return None
    return float(scale[0]), float(scale[1])


def _candidates(
    judged: JudgedResponses, config: ScoreConfig, fixed: float | None
) -> dict[str, tuple[dict[str, Any], Floats]]:
    """Each possible choice of a threshold: a summary for the report, and the threshold of each response (N)."""
    n = len(judged.labels)
    candidates: dict[str, tuple[dict[str, Any], Floats]] = {}
    if fixed is not None:
        thresholds_N = np.full(n, fixed)
        candidates["fixed"] = ({"threshold": fixed, "overall": _overall(judged, thresholds_N, config)}, thresholds_N)
    items = judged.threshold_items(config.null)
    best = thresholds.searched(items)
    assert best is not None
    thresholds_N = np.full(n, best[0])
    searched = _overall(judged, thresholds_N, config)
    candidates["searched"] = ({"threshold": best[0], "overall": searched}, thresholds_N)
    n_folds = min(config.folds, len(np.unique(judged.clusters)))
    if n_folds > 1:
        folds = thresholds.folds_of(judged.clusters, n_folds, config.seed)
        of_fold, thresholds_N = thresholds.cross_fitted(items, folds)
        overall = _overall(judged, thresholds_N, config)
        optimism = None if searched is None or overall is None else searched - overall
        summary = {"thresholds": of_fold, "overall": overall, "optimism": optimism, "folds": n_folds}
        candidates["cross_fitted"] = (summary, thresholds_N)
    elif config.threshold == CROSS_FIT:
        raise ValueError("--threshold cross-fit needs two problems or more, there is one")
    return candidates


def verdicts_at(judged: JudgedResponses, thresholds_N: Floats) -> Ints:
    """Verdicts (N) by the threshold of each response (N): correct above it; none without a score."""
    known = ~np.isnan(judged.scores) & ~np.isnan(thresholds_N)
    with np.errstate(invalid="ignore"):
        verdicts = np.where(known, is_above(judged.scores, thresholds_N), NONE)
    return np.where(judged.gated, 0, verdicts).astype(np.int64)


def _overall(judged: JudgedResponses, thresholds_N: Floats, config: ScoreConfig) -> float | None:
    """The overall accuracy with these thresholds, as the benchmark defines it."""
    verdicts = verdicts_at(judged, thresholds_N)
    counts = verdicts != NONE if config.null == "exclude" else np.ones(len(verdicts), bool)
    n_groups = len(judged.sums.groups)
    right = np.bincount(judged.groups, weights=verdicts == judged.labels, minlength=n_groups)
    ns = np.bincount(judged.groups, weights=counts, minlength=n_groups)
    return number(float(judged.sums.from_totals(np.concatenate([right, ns]))[-1]))
