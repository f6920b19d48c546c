"""Sections, confusion matrix and calibration of verdicts on labelled responses, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.metrics import bootstrap, calibration, classification
from libra_cli.metrics.classification import CELLS
from libra_cli.metrics.cluster_groups import ClusterGroups
from libra_cli.metrics.ranking import CHUNK, RankedScores
from libra_cli.stages.score.judged_items import (
    Sums,
    intervals,
    missing_interval_notes,
    number,
    reported_interval,
    without_spread,
    without_spread_notes,
)
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.report import ScoreReport, Section
from libra_cli.stages.score.thresholding import NONE, JudgedResponses, ThresholdedVerdicts, scale_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.signedinteger[Any]]

MEASURES = {
    "accuracy": range(len(CELLS)),
    "accuracy_correct": classification.OF_CORRECT,
    "accuracy_incorrect": classification.OF_INCORRECT,
}
"""The measures of a section, and the cells of the responses that each is a share of."""
MEANS = ("mean", "correct", "incorrect")
"""What notes call the mean of each measure over the sections."""
NULL_CELLS = (4, 5)
BY_LABEL_ONLY = (classification.accuracy_correct, classification.accuracy_incorrect)


@dataclass(frozen=True)
class ResponseCells:
    """The cell of each of N responses, by its label and verdict."""

    cells: NDArray[np.int8]
    """Index in CELLS."""
    groups: Integers
    clusters: Integers
    """The problem of each, from 0 without a gap."""
    counted: Bools | None
    """Marks those that count in the figures; None: all do."""
    sums: Sums

    @property
    def n_clusters(self) -> int:
        """C: the number of problems."""
        return int(self.clusters.max()) + 1

    def of_clusters(self, cells: Sequence[int]) -> ClusterGroups:
        """The groups in which each problem has responses of these `cells` that count."""
        counts = np.isin(np.arange(len(CELLS)), cells)[self.cells]
        if self.counted is not None:
            counts &= self.counted
        return ClusterGroups(self.clusters, self.n_clusters, self.groups, len(self.sums.groups), counts)

    def totals(self) -> bootstrap.ItemTotals:
        """Counts (C, G x 6) of the cells of each problem and group."""
        at = self.groups * np.int32(len(CELLS))
        at += self.cells
        width = len(self.sums.groups) * len(CELLS)
        return bootstrap.ItemTotals(self.clusters, self.n_clusters, bootstrap.Addends(at, self.counted, width))

    def nulls(self) -> Floats:
        """The number of responses without a verdict in each group (G), those that do not count included."""
        no_verdict = np.isin(np.arange(len(CELLS)), NULL_CELLS)[self.cells]
        return np.bincount(self.groups[no_verdict], minlength=len(self.sums.groups)).astype(float)


def figures(
    responses: ResponseCells, calibration: dict[str, Any] | None, config: ScoreConfig, unit: str
) -> ScoreReport:
    """Makes the part of a report that verdicts and labels determine: its sections, overall figures, notes.

    `unit` is what the bootstrap resamples.
    """
    sums = responses.sums
    sums.check_size(responses.n_clusters, len(CELLS))
    totals = responses.totals()
    whole = totals.whole()
    counts_G_6 = whole.reshape(-1, len(CELLS))
    names, _, sizes, _ = sums.figures(classification.accuracy(counts_G_6), counts_G_6.sum(axis=-1))

    values = figures_from(sums, whole)
    n_clusters: list[int | None] = []  # behind each figure; None for macro F1, which is not a share of clusters
    for cells in reversed(MEASURES.values()):
        of_clusters = responses.of_clusters(cells)  # at last, of all cells
        n_clusters[:0] = of_clusters.behind(sums.membership(names))
    n_clusters.append(None)
    strata = of_clusters.strata()
    drawn = intervals(totals, strata, lambda some: figures_from(sums, some), config.resamples, config.seed)
    drawn = drawn or [None] * len(values)
    ends = [reported_interval(*each) for each in zip(drawn, values, n_clusters, strict=True)]

    # figures_from puts the sections and then the overall figure of each measure one after another.
    width = len(names) + 1
    value = {name: [*map(number, values[at * width : (at + 1) * width])] for at, name in enumerate(MEASURES)}
    interval = {name: ends[at * width : (at + 1) * width] for at, name in enumerate(MEASURES)}
    n_null = responses.nulls() @ sums.membership(names)
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
        overall_is=sums.benchmark.overall_is,
        interval=interval["accuracy"][-1],
        confusion={name: confusion[name] for name in CELLS[:4]},
        null_correct=confusion["null_correct"],
        null_incorrect=confusion["null_incorrect"],
        accuracy_correct=value["accuracy_correct"][-1],
        accuracy_incorrect=value["accuracy_incorrect"][-1],
        macro_f1=number(values[-1]),
        intervals={"macro_f1": ends[-1], **{name: interval[name][-1] for name in MEASURES if name != "accuracy"}},
        calibration=calibration,
        bootstrap=bootstrap.described(config.resamples, config.seed, unit, responses.n_clusters),
    )
    narrow = _too_narrow(names, sums.in_overall(names, values[: len(names)], sizes), drawn)
    report["notes"] = [*_notes(report, names), *missing_interval_notes(drawn, ends), *narrow]
    return report


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


def _too_narrow(names: list[str], in_overall: list[str], drawn: Sequence[list[float] | None]) -> list[str]:
    """The note on sections without spread, from the intervals of `figures_from`."""
    width = len(names) + 1
    overall, *by_label = (
        without_spread(names, drawn[at : at + width]) for at in range(0, len(MEASURES) * width, width)
    )
    sections = [[name for name in overall if name in in_overall], *by_label]
    return without_spread_notes(dict(zip(MEANS, sections, strict=True)))


def _notes(report: ScoreReport, names: list[str]) -> list[str]:
    """What a reader must know of a report whose sections would be `names`."""
    missing, notes = [name for name in names if name not in report["sections"]], []
    if report["overall"] is None and missing:
        notes.append(f"no overall figure: there are no rows of {', '.join(missing)}; --as pointwise takes any subsets")
    if report["null_correct"] + report["null_incorrect"]:
        notes.append("rows without a verdict count as judged wrong; --null exclude leaves them out")
    return notes


def calibrated(judged: JudgedResponses, chosen: ThresholdedVerdicts, ranked: RankedScores) -> dict[str, Any] | None:
    """Calibration of the scores, as ranks and, if they have a scale, as probabilities of being correct.

    Without a scale `brier`, `ece` and `reliability` are None. Returns None without scores; `ranked` are all of them.
    """
    if not len(ranked):
        return None
    n_known = len(ranked)
    ranks = {
        "n": n_known,
        "roc_auc": calibration.roc_auc(ranked, judged.labels),
        "pr_auc": calibration.pr_auc(ranked, judged.labels),
    }
    as_probabilities: dict[str, Any] = {"brier": None, "ece": None, "reliability": None, "scale": None}
    scale = scale_of(judged)
    known = ~np.isnan(judged.scores)
    if scale is not None:
        low, high = scale
        probabilities, labels = judged.scores[known], judged.labels[known]
        probabilities -= low
        probabilities /= high - low
        curve = calibration.reliability(probabilities, labels)
        as_probabilities = {
            "brier": calibration.brier(probabilities, labels),
            "ece": calibration.expected_error(curve),
            "reliability": curve,
            "scale": [low, high],
        }
        del probabilities, labels
    known &= chosen.verdicts != NONE
    for begin in range(0, len(known), CHUNK):
        known[begin : begin + CHUNK] &= ~np.isnan(chosen.thresholds.of(slice(begin, begin + CHUNK)))
    risk_coverage = None
    if known.any():
        right = chosen.verdicts[known] == judged.labels[known]
        confidence, n = np.empty(len(right)), 0
        for begin in range(0, len(known), CHUNK):
            some = slice(begin, begin + CHUNK)
            margins = np.abs(judged.scores[some] - chosen.thresholds.of(some))[known[some]]
            confidence[n : n + len(margins)] = margins
            n += len(margins)
        risk_coverage = calibration.risk_coverage(confidence, right)
    return {**ranks, **as_probabilities, "risk_coverage": risk_coverage}
