"""Sections, confusion matrix and calibration of verdicts on labelled responses, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, calibration, classification
from libra_cli.metrics.classification import CELLS
from libra_cli.stages.score.judged_items import Sums, intervals, missing_interval_notes, number, reported_interval
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.report import ScoreReport, Section
from libra_cli.stages.score.thresholding import NONE, JudgedResponses, ThresholdedVerdicts, scale_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MEASURES = {
    "accuracy": range(len(CELLS)),
    "accuracy_correct": classification.OF_CORRECT,
    "accuracy_incorrect": classification.OF_INCORRECT,
}
"""The measures of a section, and the cells of the responses that each is a share of."""
BY_LABEL_ONLY = (classification.accuracy_correct, classification.accuracy_incorrect)


def figures(
    judged: JudgedResponses, chosen: ThresholdedVerdicts, counted: Bools, config: ScoreConfig, unit: str
) -> ScoreReport:
    """Makes the part of a report that verdicts and labels determine: its sections, overall figures, notes.

    `counted` (N) marks the responses that count in the figures; `unit` is what the bootstrap resamples.
    """
    sums = judged.sums
    totals = _cell_counts(judged, chosen, counted)
    counts_C_G_6 = totals.reshape(len(totals), -1, len(CELLS))
    counts_G_6 = counts_C_G_6.sum(axis=0)
    names, _, sizes, _ = sums.figures(classification.accuracy(counts_G_6), counts_G_6.sum(axis=-1))

    values = figures_from(sums, totals.sum(axis=0))
    drawn = intervals(
        totals, counts_C_G_6.sum(axis=-1), lambda some: figures_from(sums, some), config.resamples, config.seed
    ) or [None] * len(values)
    n_clusters: list[int | None] = []  # behind each figure; None for macro F1, which is not a share of clusters
    for cells in MEASURES.values():
        n_clusters += sums.clusters(counts_C_G_6[..., list(cells)].sum(axis=-1), names)
    n_clusters.append(None)
    ends = [reported_interval(*each) for each in zip(drawn, values, n_clusters, strict=True)]

    # figures_from puts the sections and then the overall figure of each measure one after another.
    width = len(names) + 1
    value = {name: [*map(number, values[at * width : (at + 1) * width])] for at, name in enumerate(MEASURES)}
    interval = {name: ends[at * width : (at + 1) * width] for at, name in enumerate(MEASURES)}
    null_G = np.bincount(judged.groups[chosen.verdicts == NONE], minlength=len(sums.groups))
    n_null = null_G @ sums.membership(names)
    confusion = dict(zip(CELLS, counts_G_6.sum(axis=0).astype(int).tolist(), strict=True))
    report = ScoreReport(
        sections={
            name: Section(
                n=int(sizes[at]),
                n_null=int(n_null[at]),
                value=value["accuracy"][at],
                interval=interval["accuracy"][at],
                accuracy_correct=value["accuracy_correct"][at],
                accuracy_incorrect=value["accuracy_incorrect"][at],
            )
            for at, name in enumerate(names)
            if sizes[at]
        },
        overall=value["accuracy"][-1],
        interval=interval["accuracy"][-1],
        confusion={name: confusion[name] for name in CELLS[:4]},
        null_correct=confusion["null_correct"],
        null_incorrect=confusion["null_incorrect"],
        accuracy_correct=value["accuracy_correct"][-1],
        accuracy_incorrect=value["accuracy_incorrect"][-1],
        macro_f1=number(values[-1]),
        intervals={"macro_f1": ends[-1], **{name: interval[name][-1] for name in MEASURES if name != "accuracy"}},
        calibration=calibrated(judged, chosen),
        bootstrap=bootstrap.described(config.resamples, config.seed, unit, len(totals)),
    )
    missing = [name for name, size in zip(names, sizes, strict=True) if not size]
    report["notes"] = [*_notes(report, missing), *missing_interval_notes(drawn, ends)]
    return report


def _cell_counts(judged: JudgedResponses, chosen: ThresholdedVerdicts, counted: Bools) -> Floats:
    """Counts (C, G x 6) of the cells of each cluster and group."""
    cells_N_6 = classification.cells(judged.labels, chosen.verdicts.astype(np.int8)) & counted[:, None]
    n_clusters, n_groups, n_cells = int(judged.clusters.max()) + 1, len(judged.sums.groups), len(CELLS)
    judged.sums.check_size(n_clusters, n_cells)
    first_cell = (judged.clusters * n_groups + judged.groups) * n_cells
    size = n_clusters * n_groups * n_cells
    hits = np.flatnonzero(cells_N_6.any(axis=1))
    cell = first_cell[hits] + cells_N_6[hits].argmax(axis=1)
    return np.bincount(cell, minlength=size).reshape(n_clusters, -1).astype(float)


def figures_from(sums: Sums, totals: Floats) -> Floats:
    """Each of MEASURES by section and overall, then macro F1 (..., 3 (S + 1) + 1), from totals (..., G x 6).

    The overall figure of a measure by label is the plain mean of the sections that have such responses.
    """
    counts = totals.reshape(*totals.shape[:-1], len(sums.groups), len(CELLS))
    ns = counts.sum(axis=-1)
    _, values, _, overall = sums.figures(classification.accuracy(counts), ns)
    columns = [values, overall[..., None]]
    for measure in BY_LABEL_ONLY:
        _, values, _, _ = sums.figures(measure(counts), ns)
        known = ~np.isnan(values)
        mean = classification.ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
        columns += [values, np.where(np.isnan(overall), np.nan, mean)[..., None]]
    return np.concatenate([*columns, classification.macro_f1(counts.sum(axis=-2))[..., None]], axis=-1)


def _notes(report: ScoreReport, missing: list[str]) -> list[str]:
    notes = []
    if report["overall"] is None and missing:
        notes.append(f"no overall figure: there are no rows of {', '.join(missing)}; --as pointwise takes any subsets")
    if report["null_correct"] + report["null_incorrect"]:
        notes.append("rows without a verdict count as incorrect; --null exclude leaves them out")
    return notes


def calibrated(judged: JudgedResponses, chosen: ThresholdedVerdicts) -> dict[str, Any] | None:
    """Calibration of the scores, as ranks and, if they have a scale, as probabilities of being correct.

    Without a scale `brier`, `ece` and `reliability` are None. Returns None without scores.
    """
    known = ~np.isnan(judged.scores)
    if not known.any():
        return None
    scores, labels = judged.scores[known], judged.labels[known]
    ranked = {
        "n": int(known.sum()),
        "roc_auc": calibration.roc_auc(scores, labels),
        "pr_auc": calibration.pr_auc(scores, labels),
    }
    as_probabilities: dict[str, Any] = {"brier": None, "ece": None, "reliability": None, "scale": None}
    scale = scale_of(judged)
    if scale is not None:
        low, high = scale
        probabilities = (scores - low) / (high - low)
        curve = calibration.reliability(probabilities, labels)
        as_probabilities = {
            "brier": calibration.brier(probabilities, labels),
            "ece": calibration.expected_error(curve),
            "reliability": curve,
            "scale": [low, high],
        }
    sure = known & (chosen.verdicts != NONE) & ~np.isnan(chosen.margins)
    right = chosen.verdicts[sure] == judged.labels[sure]
    risk_coverage = calibration.risk_coverage(np.abs(chosen.margins[sure]), right) if sure.any() else None
    return {**ranked, **as_probabilities, "risk_coverage": risk_coverage}
