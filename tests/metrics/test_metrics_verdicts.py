"""Classification, thresholds and calibration, on items few enough to count by hand."""

from __future__ import annotations

from math import isclose

import numpy as np
import pytest

from libra_cli.metrics import calibration, classification, thresholds
from libra_cli.metrics.ranking import RankedScores
from libra_cli.rm_benchmarks.published import tables

# -- classification ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", tables()["table3"], ids=lambda row: row["model"])
def test_macro_f1_of_the_papers_table_3(row):
    counts = np.array([row[name] for name in ("tp", "tn", "fp", "fn")] + [0, 0], float)
    assert round(float(classification.macro_f1(counts)), 3) == row["macro_f1"]


def test_cells_count_every_item_once():
    labels = np.array([1, 0, 0, 1, 1, 0], bool)
    cells = classification.cells(labels, np.array([1, 0, 1, 0, -1, -1], np.int8))
    assert cells.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_missing_verdict_costs_the_recall_of_its_class():
    counts = np.array([3.0, 4, 1, 1, 1, 2])  # tp tn fp fn, and without a verdict
    assert classification.accuracy(counts) == pytest.approx(7 / 12)
    assert classification.accuracy_correct(counts) == pytest.approx(3 / 5)
    assert classification.accuracy_incorrect(counts) == pytest.approx(4 / 7)
    assert classification.macro_f1(counts) == pytest.approx((6 / (6 + 1 + 1 + 1) + 8 / (8 + 1 + 1 + 2)) / 2)


def test_a_share_of_nothing_is_not_defined():
    only_correct = np.array([2.0, 0, 0, 0, 0, 0])
    assert np.isnan(classification.accuracy_incorrect(only_correct))
    assert np.isnan(classification.macro_f1(only_correct))


# -- thresholds -------------------------------------------------------------------------------------------------------


def scored(scores, labels, groups=None, fixed=None, counts=None):
    n = len(scores)
    return thresholds.ThresholdItems(
        np.array(scores, float),
        np.array(labels, bool),
        np.array(groups or [0] * n),
        np.array(fixed or [False] * n),
        np.array(counts or [True] * n),
    )


def best_of(items):
    return thresholds.ThresholdSearch(items).best()


def test_the_best_cut_lies_between_the_classes():
    assert best_of(scored([1, 2, 3, 4], [0, 0, 1, 1])) == (2.5, 1.0)
    assert best_of(scored([1, 2, 3, 4], [0, 1, 0, 1])) == (1.5, 0.75)  # 3.5 is as good: the lowest


def test_everything_or_nothing_can_be_the_best_cut():
    assert best_of(scored([1, 2], [1, 1])) == (0.0, 1.0)
    threshold, best = best_of(scored([1, 2], [0, 0]))
    assert best == 1.0
    assert threshold >= 2


def test_subsets_count_alike_whatever_their_sizes():
    """Pooled, the three items of the first subset would win; the mean of both has the cut of the second as well."""
    items = scored([1, 2, 3, 10, 4, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    threshold, best = best_of(items)
    gains = {t: (sum(s > t for s in (1, 2, 3)) / 3 + sum(s <= t for s in (10, 4, 0)) / 3) / 2 for t in (0.5, 3.5, 10)}
    assert best == pytest.approx(max(gains.values()))
    assert gains[threshold] == pytest.approx(best)


def test_items_without_a_score_do_not_move_the_cut():
    nan = float("nan")
    items = scored([nan, nan, 1, 2], [0, 1, 0, 1], fixed=[True, False, False, False])
    assert best_of(items) == (1.5, 0.75)
    assert best_of(items._replace(counts=np.array([True, False, True, True]))) == (1.5, 1.0)
    assert best_of(scored([nan], [1])) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_search_finds_what_trying_every_cut_finds(seed):
    rng = np.random.default_rng(seed)
    items = scored(rng.integers(0, 6, 30), rng.random(30) < 0.5, rng.integers(0, 3, 30).tolist())
    tried = []
    for cut in np.arange(-1, 7) + 0.5:
        right = (items.scores > cut) == items.labels
        tried.append(np.mean([right[items.groups == group].mean() for group in range(3)]))
    assert best_of(items)[1] == pytest.approx(max(tried))


def test_neighbouring_doubles_can_be_cut():
    low = 1.0
    high = float(np.nextafter(low, 2))
    threshold, best = best_of(scored([low, high], [0, 1]))
    assert best == 1.0
    assert low <= threshold < high


def test_a_problem_is_in_one_fold():
    clusters = np.repeat(np.arange(10), 3)
    folds = thresholds.folds_of(clusters, 5, 0)
    assert [len(set(folds[clusters == cluster])) for cluster in range(10)] == [1] * 10
    assert sorted(np.bincount(folds)) == [6] * 5


def test_cross_fitting_takes_each_item_by_the_others():
    items = scored([1, 2, 11, 12], [0, 1, 0, 1])
    assert thresholds.cross_fitted(items, np.array([0, 0, 1, 1])).tolist() == [11.5, 1.5]


# -- calibration ------------------------------------------------------------------------------------------------------


def ranked(scores, labels):
    return RankedScores(np.array(scores, float)), np.array(labels, bool)


def arrays(scores, labels):
    return np.array(scores, float), np.array(labels, bool)


@pytest.mark.parametrize(
    ("scores", "labels", "roc", "precision"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0, 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0, (1 / 3 + 2 / 4) / 2),
        ([1, 2, 3, 4], [0, 1, 0, 1], 3 / 4, (1 / 1 + 2 / 3) / 2),
        ([5, 5, 5, 5], [0, 1, 0, 1], 1 / 2, 1 / 2),
        ([1, 2, 2, 3], [0, 0, 1, 1], 3.5 / 4, (1 / 1 + 2 / 3) / 2),
    ],
)
def test_auc_with_ties(scores, labels, roc, precision):
    assert calibration.roc_auc(*ranked(scores, labels)) == pytest.approx(roc)
    assert calibration.pr_auc(*ranked(scores, labels)) == pytest.approx(precision)


def test_one_class_has_no_auc():
    assert calibration.roc_auc(*ranked([1, 2], [1, 1])) is None
    assert calibration.pr_auc(*ranked([1, 2], [0, 0])) is None


def test_brier_and_expected_calibration_error():
    scores, labels = arrays([0.0, 0.25, 0.75, 1.0], [0, 1, 1, 0])
    assert calibration.brier(scores, labels) == pytest.approx((0 + 0.5625 + 0.0625 + 1) / 4)
    curve = calibration.reliability(scores, labels, bins=2)
    assert curve == [
        {"low": 0.0, "high": 0.5, "n": 2, "mean_score": 0.125, "accuracy": 0.5},
        {"low": 0.5, "high": 1.0, "n": 2, "mean_score": 0.875, "accuracy": 0.5},
    ]
    assert calibration.expected_error(curve) == pytest.approx(0.375)
    assert calibration.expected_error([]) is None


def test_the_risk_of_the_most_confident():
    curve = calibration.risk_coverage(*arrays([3, 2, 2, 1], [1, 1, 0, 0]))
    assert curve == [[0.25, 0.0], [0.75, pytest.approx(1 / 3)], [1.0, 0.5]]
    assert calibration.risk_coverage(*arrays([], [])) == []


def test_a_long_curve_is_thinned_and_keeps_its_end():
    curve = calibration.risk_coverage(np.arange(5000.0), np.arange(5000) % 4 > 0)
    assert len(curve) == calibration.CURVE_POINTS
    assert isclose(curve[-1][0], 1)
    assert isclose(curve[-1][1], 0.25)
