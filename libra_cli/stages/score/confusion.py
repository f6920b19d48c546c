"""Accuracy, confusion and calibration of verdicts on responses with a label, with intervals."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, calibration, classification
from libra_cli.metrics.classification import CELLS
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.report import Interval, ScoreReport, Section
from libra_cli.stages.score.thresholding import NONE, JudgedResponses, ThresholdedVerdicts, scale_of
from libra_cli.stages.score.verdicts import Sums, intervals, number, settled, without_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
T = TypeVar("T")

MEASURES = {
    "accuracy": range(len(CELLS)),
    "accuracy_correct": classification.OF_CORRECT,
    "accuracy_incorrect": classification.OF_INCORRECT,
}
"""The measures that sections have, and the cells of the responses that each is a share of."""
BY_LABEL_ONLY = (classification.accuracy_correct, classification.accuracy_incorrect)


def figures(
    judged: JudgedResponses, chosen: ThresholdedVerdicts, kept: Bools, how: ScoreConfig, unit: str
) -> ScoreReport:
    """The part of a report that verdicts and labels make; `kept` (N) are the items that count."""
    totals = _totals(judged, chosen, kept)
    whole = totals.sum(axis=0)
    names, sizes = _sections(judged.sums, whole)
    found = figures_from(judged.sums, whole)
    drawn = _drawn(judged.sums, totals, how) or [None] * len(found)
    ends = [settled(*each) for each in zip(drawn, found, _clusters(judged.sums, totals, names), strict=True)]
    values_of, ends_of = _by_measure([*map(number, found)], len(names)), _by_measure(ends, len(names))
    null = _null_by_section(judged, chosen, names)
    report = ScoreReport(
        sections={
            name: Section(n=int(sizes[at]), n_null=null[at], value=values_of["accuracy"][at],
                          interval=ends_of["accuracy"][at], accuracy_correct=values_of["accuracy_correct"][at],
                          accuracy_incorrect=values_of["accuracy_incorrect"][at])
            for at, name in enumerate(names) if sizes[at]
        },
        overall=values_of["accuracy"][-1], interval=ends_of["accuracy"][-1], **_pooled(whole),
        accuracy_correct=values_of["accuracy_correct"][-1], accuracy_incorrect=values_of["accuracy_incorrect"][-1],
        macro_f1=number(found[-1]), intervals=_intervals(ends_of, ends[-1]), calibration=calibrated(judged, chosen),
        bootstrap=bootstrap.described(how.resamples, how.seed, unit, len(totals)),
    )  # fmt: skip
    missing = [name for name, size in zip(names, sizes, strict=True) if not size]
    report["notes"] = [*_notes(report, missing), *without_interval(drawn, ends)]
    return report


def _drawn(sums: Sums, totals: Floats, how: ScoreConfig) -> list[Interval]:
    """Intervals of all that `figures_from` makes; empty without resamples."""
    rows = totals.reshape(len(totals), -1, len(CELLS)).sum(axis=-1)
    return intervals(totals, rows, lambda some: figures_from(sums, some), how.resamples, how.seed)


def _clusters(sums: Sums, totals: Floats, names: list[str]) -> list[int | None]:
    """How many clusters have responses that each figure is a share of; None for macro F1, which is no share."""
    counts = totals.reshape(len(totals), -1, len(CELLS))
    behind = [sums.clusters(counts[..., list(cells)].sum(axis=-1), names) for cells in MEASURES.values()]
    return [*(n for of_measure in behind for n in of_measure), None]


def _by_measure(found: list[T], n_sections: int) -> dict[str, list[T]]:
    """What `figures_from` makes, by measure: its sections, then overall; macro F1 is behind them."""
    width = n_sections + 1
    return {name: found[at * width : (at + 1) * width] for at, name in enumerate(MEASURES)}


def _totals(judged: JudgedResponses, chosen: ThresholdedVerdicts, kept: Bools) -> Floats:
    """Counts (C, G x 6) of the cells of each cluster and group."""
    cells_N_6 = classification.cells(judged.labels, chosen.verdicts.astype(np.int8)) & kept[:, None]
    n_clusters, n_groups, n_cells = int(judged.clusters.max()) + 1, len(judged.sums.groups), len(CELLS)
    at = (judged.clusters * n_groups + judged.groups) * n_cells
    size = n_clusters * n_groups * n_cells
    hits = np.flatnonzero(cells_N_6.any(axis=1))
    return np.bincount(at[hits] + cells_N_6[hits].argmax(axis=1), minlength=size).reshape(n_clusters, -1).astype(float)


def figures_from(sums: Sums, totals: Floats) -> Floats:
    """Each of MEASURES by section and overall, then macro F1 (..., 3 (S + 1) + 1), from totals (..., G x 6)."""
    counts = totals.reshape(*totals.shape[:-1], len(sums.groups), len(CELLS))
    ns, parts = counts.sum(axis=-1), []
    _, values, _, overall = sums.figures(classification.accuracy(counts), ns)
    parts += [values, overall[..., None]]
    for measure in BY_LABEL_ONLY:
        _, values, _, _ = sums.figures(measure(counts), ns)
        parts += [values, _mean(values, overall)[..., None]]
    return np.concatenate([*parts, classification.macro_f1(counts.sum(axis=-2))[..., None]], axis=-1)


def _mean(values: Floats, overall: Floats) -> Floats:
    """The plain mean (...) of the sections (..., S) with such responses; nan without an overall figure."""
    known = ~np.isnan(values)
    mean = classification.ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
    return np.where(np.isnan(overall), np.nan, mean)


def _sections(sums: Sums, totals: Floats) -> tuple[list[str], Floats]:
    counts = totals.reshape(len(sums.groups), len(CELLS))
    names, _, sizes, _ = sums.figures(classification.accuracy(counts), counts.sum(axis=-1))
    return names, sizes


def _pooled(totals: Floats) -> Any:
    counts = dict(zip(CELLS, totals.reshape(-1, len(CELLS)).sum(axis=0).astype(int).tolist(), strict=True))
    null = {name: counts.pop(name) for name in CELLS[4:]}
    return {"confusion": counts, **null}


def _null_by_section(judged: JudgedResponses, chosen: ThresholdedVerdicts, names: list[str]) -> list[int]:
    n_groups = len(judged.sums.groups)
    null = np.bincount(judged.groups[chosen.verdicts == NONE], minlength=n_groups)
    return [int(count) for count in null @ judged.sums.belongs(names)]


def _intervals(ends_of: dict[str, list[Interval]], macro: Interval) -> dict[str, Interval]:
    return {"macro_f1": macro, **{name: ends_of[name][-1] for name in MEASURES if name != "accuracy"}}


def _notes(report: ScoreReport, missing: list[str]) -> list[str]:
    notes = []
    if report["overall"] is None and missing:
        notes.append(f"no overall figure: there are no rows of {', '.join(missing)}; --as pointwise takes any subsets")
    if report["null_correct"] + report["null_incorrect"]:
        notes.append("rows without a verdict count as wrong; --null exclude leaves them out")
    return notes


# -- calibration ------------------------------------------------------------------------------------------------------


def calibrated(judged: JudgedResponses, chosen: ThresholdedVerdicts) -> dict[str, Any] | None:
    """What the scores are worth as ranks and, where they have a scale, as probabilities of being correct."""
    known = ~np.isnan(judged.scores)
    if not known.any():
        return None
    scores, labels = judged.scores[known], judged.labels[known]
    found: dict[str, Any] = {"n": int(known.sum()), "roc_auc": calibration.roc_auc(scores, labels),
                             "pr_auc": calibration.pr_auc(scores, labels)}  # fmt: skip
    sure = known & (chosen.verdicts != NONE) & ~np.isnan(chosen.margins)
    right = chosen.verdicts[sure] == judged.labels[sure]
    curve = calibration.risk_coverage(np.abs(chosen.margins[sure]), right) if sure.any() else None
    return {**found, **_probabilities(judged, scores, labels), "risk_coverage": curve}


def _probabilities(judged: JudgedResponses, scores: Floats, labels: Bools) -> dict[str, Any]:
    """Brier, ECE and the reliability curve; null for scores that are on no scale."""
    scale = scale_of(judged)
    if scale is None:
        return {"brier": None, "ece": None, "reliability": None, "scale": None}
    low, high = scale
    probabilities = (scores - low) / (high - low)
    curve = calibration.reliability(probabilities, labels)
    return {"brier": calibration.brier(probabilities, labels), "ece": calibration.expected_error(curve),
            "reliability": curve, "scale": [low, high]}  # fmt: skip
