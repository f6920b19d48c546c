"""From scores to verdicts: the threshold that is used, and the others beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.choices import THRESHOLD_SEARCHES
from libra_cli.metrics import thresholds
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.verdicts import Sums, number
from libra_cli.tasks import JUDGING
from libra_cli.tasks.judge import is_above

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
SEARCH, CROSS_FIT = THRESHOLD_SEARCHES
RATING = "score"
"""The judge task that integers from 0 to 4 are of, where rows do not say."""


@dataclass(frozen=True)
class JudgedResponses:
    """N responses as one judge saw them."""

    groups: Ints
    clusters: Ints
    labels: Bools
    scores: Floats
    predictions: Ints
    """1, 0, or -1 where the row makes none."""
    gated: Bools
    """No answer at all, by rule: judged incorrect whatever the threshold."""
    task: str
    sums: Sums

    def scored(self, null: str) -> thresholds.ThresholdItems:
        """The items as a threshold is searched on them, where what has no verdict counts as `null` says."""
        scores = np.where(self.gated, np.nan, self.scores)
        counts = ~np.isnan(scores) | self.gated if null == "exclude" else np.ones(len(scores), bool)
        return thresholds.ThresholdItems(scores, self.labels, self.groups, self.gated & ~self.labels, counts)


@dataclass(frozen=True)
class ThresholdedVerdicts:
    """Verdicts (N): 1 correct, 0 incorrect, -1 none; and where they come from."""

    verdicts: Ints
    threshold: float | None
    how: str
    margins: Floats
    """How far each score (N) is from its threshold or, where the rows have predictions, from where their judge task is
    cut or the middle of its scale; nan where there is nothing like that."""
    all: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each way to choose a threshold comes to."""
    notes: tuple[str, ...] = ()

    def is_wrong(self, fields: Mapping[str, Any]) -> bool:
        """Whether the verdict on a row that has a label is the wrong one."""
        verdict = 0 if "gate" in fields else fields.get("prediction")
        if self.threshold is not None and fields.get("score") is not None and "gate" not in fields:
            verdict = int(is_above(fields["score"], self.threshold))
        return verdict is not None and bool(verdict) != bool(fields["label"])


def cut(judged: JudgedResponses, how: ScoreConfig) -> ThresholdedVerdicts:
    """Verdicts by the threshold that is asked for, or else by what the rows are.

    Without --threshold: predictions of their own where rows have them; the fixed one of the judge task; a searched one.
    Raises ValueError where there is no score to cut.
    """
    has_scores = bool((~np.isnan(judged.scores) & ~judged.gated).any())
    has_own = bool((judged.predictions[~judged.gated] != NONE).any())
    if how.threshold is not None and not has_scores:
        raise ValueError("its rows have no scores for --threshold: leave it out, predictions count as they are")
    fixed, note = _fixed(judged, how)
    found = _ways(judged, how, fixed) if has_scores else {}
    ways = {name: way for name, (way, _) in found.items()}
    chosen = _chosen(how, fixed, has_own or not has_scores)
    if chosen == "given":
        verdicts = np.where(judged.gated, 0, judged.predictions).astype(np.int64)
        return ThresholdedVerdicts(verdicts, None, chosen, judged.scores - _middle(judged, fixed), ways)
    way, of_item = found[chosen.replace("-", "_")]
    verdicts = verdicts_at(judged, of_item)
    return ThresholdedVerdicts(
        verdicts, _shown(way), chosen, judged.scores - of_item, ways, tuple(note) + _HOW.get(chosen, ())
    )


_HOW = {
    "searched": ("the threshold was searched on these very rows; cross-fitted shows what it is worth on others",),
    "cross-fitted": ("each problem is cut by the best threshold of the other folds; the one shown is their mean",),
}


def _chosen(how: ScoreConfig, fixed: float | None, own: bool) -> str:
    asked = {SEARCH: "searched", CROSS_FIT: "cross-fitted"}
    if how.threshold is None:
        return "given" if own else "searched" if fixed is None else "fixed"
    return asked.get(str(how.threshold), "fixed")


def _shown(way: Mapping[str, Any]) -> float | None:
    if "thresholds" in way:
        return float(np.mean(way["thresholds"])) if way["thresholds"] else None
    return float(way["threshold"])


def _fixed(judged: JudgedResponses, how: ScoreConfig) -> tuple[float | None, list[str]]:
    """The number that is asked for or that the judge task has, and what was taken for granted."""
    if isinstance(how.threshold, (int, float)):
        return float(how.threshold), []
    if judged.task in JUDGING:
        found = JUDGING[judged.task].threshold
        return (0.5 if judged.task == "verify" else None if found is None else float(found)), []
    known = judged.scores[~np.isnan(judged.scores)]
    low, high = JUDGING[RATING].scale or (0, 0)
    is_rating = len(known) and not judged.task and (known == np.floor(known)).all()
    if is_rating and known.min() >= low and 1 < known.max() <= high:
        threshold = float(JUDGING[RATING].threshold or 0)
        return threshold, [f"scores are taken for grades from {low} to {high}, with the threshold of {threshold:g}"]
    return None, []


def _middle(judged: JudgedResponses, fixed: float | None) -> float:
    """The score that says neither; nan for scores on no scale."""
    scale = scale_of(judged)
    return fixed if fixed is not None else sum(scale) / 2 if scale is not None else np.nan


def scale_of(judged: JudgedResponses) -> tuple[float, float] | None:
    """The scale of the judge task, or of probabilities; None where scores only rank (a reward head's)."""
    if judged.task == "verify":
        return 0.0, 1.0
    scores = judged.scores[~np.isnan(judged.scores)]
    if not len(scores):
        return None
    task = judged.task or (RATING if scores.max() > 1 and (scores == np.floor(scores)).all() else "")
    found = JUDGING[task].scale if task in JUDGING else (0, 1) if not judged.task else None
    if found is None or scores.min() < found[0] or scores.max() > found[1]:
        return None
    return float(found[0]), float(found[1])


def _ways(judged: JudgedResponses, how: ScoreConfig, fixed: float | None) -> dict[str, tuple[dict[str, Any], Floats]]:
    """What each threshold comes to, and the threshold of each item (N) by it."""
    n, found = len(judged.labels), {}
    if fixed is not None:
        of_item = np.full(n, fixed)
        found["fixed"] = ({"threshold": fixed, "overall": _overall(judged, of_item, how)}, of_item)
    best = thresholds.searched(judged.scored(how.null))
    assert best is not None
    of_item = np.full(n, best[0])
    searched = _overall(judged, of_item, how)
    found["searched"] = ({"threshold": best[0], "overall": searched}, of_item)
    folds = min(how.folds, len(np.unique(judged.clusters)))
    if folds > 1:
        found["cross_fitted"] = _cross_fitted(judged, how, folds, searched)
    elif how.threshold == CROSS_FIT:
        raise ValueError("--threshold cross-fit needs two problems or more, there is one")
    return found


def _cross_fitted(
    judged: JudgedResponses, how: ScoreConfig, folds: int, searched: float | None
) -> tuple[dict[str, Any], Floats]:
    chosen, of_item = thresholds.cross_fitted(
        judged.scored(how.null), thresholds.folds_of(judged.clusters, folds, how.seed)
    )
    overall = _overall(judged, of_item, how)
    optimism = None if searched is None or overall is None else searched - overall
    return {"thresholds": chosen, "overall": overall, "optimism": optimism, "folds": folds}, of_item


def verdicts_at(judged: JudgedResponses, of_item: Floats) -> Ints:
    """Verdicts (N) by the threshold of each item (N): correct above it; none without a score."""
    known = ~np.isnan(judged.scores) & ~np.isnan(of_item)
    with np.errstate(invalid="ignore"):
        verdicts = np.where(known, is_above(judged.scores, of_item), NONE)
    return np.where(judged.gated, 0, verdicts).astype(np.int64)


def _overall(judged: JudgedResponses, of_item: Floats, how: ScoreConfig) -> float | None:
    """The benchmark's overall accuracy by a threshold."""
    verdicts = verdicts_at(judged, of_item)
    counts = verdicts != NONE if how.null == "exclude" else np.ones(len(verdicts), bool)
    n_groups = len(judged.sums.groups)
    right = np.bincount(judged.groups, weights=verdicts == judged.labels, minlength=n_groups)
    ns = np.bincount(judged.groups, weights=counts, minlength=n_groups)
    return number(float(judged.sums.from_totals(np.concatenate([right, ns]))[-1]))
