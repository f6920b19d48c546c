"""Bootstrap, paired tests, correlations: against figures worked out by hand or by enumeration."""

from __future__ import annotations

import itertools
from math import atanh, isclose, sqrt, tanh

import numpy as np
import pytest

from libra_cli.metrics import bootstrap, correlate, paired
from libra_cli.metrics.cluster_groups import ClusterGroups

# -- bootstrap --------------------------------------------------------------------------------------------------------


def test_weights_draw_as_many_problems_of_each_stratum_as_there_are():
    strata = np.array([0, 1, 0, 1, 1])
    drawn = bootstrap.weights(strata, 500, np.random.default_rng(0))
    assert (drawn[:, [0, 2]].sum(axis=1) == 2).all()
    assert (drawn[:, [1, 3, 4]].sum(axis=1) == 3).all()
    assert set(np.unique(drawn)) == {0, 1, 2, 3}


def strata_of(counts):
    """The strata of clusters with so many items (C, G) in each group."""
    clusters, groups = np.repeat(np.nonzero(counts), np.asarray(counts)[np.nonzero(counts)], axis=1)
    return ClusterGroups(clusters, len(counts), groups, np.shape(counts)[1]).strata()


def test_strata_are_problems_of_the_same_groups_and_lonely_ones_together():
    counts = np.array([[2, 0, 0], [5, 0, 0], [0, 1, 0], [0, 0, 1]])
    first, second, third, fourth = strata_of(counts)
    assert first == second != third == fourth


def test_the_interval_is_that_of_all_resamples_that_there_are():
    """Three problems have 27 resamples; the mean of 0, 1, 2 is 0 in 1 of them and 2 in 1."""
    values = np.array([[0.0], [1.0], [2.0]])
    every = [np.mean(picks) for picks in itertools.product([0, 1, 2], repeat=3)]
    found = bootstrap.resampled(values, np.zeros(3, int), lambda totals: totals / 3, 20000, 7)[:, 0]
    assert isclose(found.mean(), 1, abs_tol=0.02)
    assert isclose(found.std(), np.std(every), rel_tol=0.02)
    assert isclose((found == 0).mean(), 1 / 27, rel_tol=0.1)
    low, high = bootstrap.interval(found)
    assert (low, high) == (0.0, 2.0)  # 2.5% is less than 1/27


def test_items_of_one_problem_are_not_independent():
    """Ten samples of each problem all alike: the interval is as wide as if there were one."""
    verdicts = np.random.default_rng(3).random(50) < 0.6
    one = np.stack([verdicts * 1.0, np.ones(50)], axis=1)
    strata, mean = np.zeros(50, int), lambda totals: totals[:, :1] / totals[:, 1:]
    alone = bootstrap.resampled(one, strata, mean, 400, 0)
    assert np.allclose(alone, bootstrap.resampled(10 * one, strata, mean, 400, 0))


def test_a_seed_gives_the_same_resamples_in_any_chunks(monkeypatch):
    values, strata = np.random.default_rng(0).random((40, 1)), np.zeros(40, int)
    whole = bootstrap.resampled(values, strata, lambda totals: totals, 100, 5)
    monkeypatch.setattr(bootstrap, "CHUNK_BYTES", 12 * 40 * 7)
    assert np.allclose(whole, bootstrap.resampled(values, strata, lambda totals: totals, 100, 5))
    assert not np.allclose(whole, bootstrap.resampled(values, strata, lambda totals: totals, 100, 6))


def test_many_clusters_are_drawn_and_added_up_in_pieces(monkeypatch):
    values, strata = np.random.default_rng(0).random((400, 2)), np.arange(400) % 3
    whole = bootstrap.resampled(values, strata, lambda totals: totals, 20, 5)
    drawn = bootstrap.weights(strata, 20, np.random.default_rng(1))
    monkeypatch.setattr(bootstrap, "MANY", 7)
    monkeypatch.setattr(bootstrap, "BLOCK_BYTES", 16 * 33)
    assert (bootstrap.weights(strata, 20, np.random.default_rng(1)) == drawn).all()
    assert np.allclose(whole, bootstrap.resampled(values, strata, lambda totals: totals, 20, 5), rtol=1e-12)


def test_strata_of_clusters_in_one_group_each():
    for seed in range(20):
        groups = np.random.default_rng(seed).choice([0, 1, 3, 4, 6, 7], size=9)
        counts = np.eye(8, dtype=int)[groups]
        assert (bootstrap.strata_of_groups(groups) == strata_of(counts)).all()


def test_an_undefined_figure_has_no_interval():
    assert bootstrap.interval(np.array([0.5, np.nan])) is None
    assert bootstrap.interval(np.empty(0)) is None


@pytest.mark.parametrize(("differences", "p"), [([1, 2, 3, 4], 0.4), ([-1, 1, 2, 3], 0.8), ([0, 0, 0], 1.0)])
def test_the_p_value_counts_the_other_side(differences, p):
    assert bootstrap.p_value(np.array(differences, float)) == pytest.approx(p)


# -- paired -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 2 / 32), (5, 0, 2 / 32), (1, 7, 2 * 9 / 256), (3, 4, 1.0)],
)
def test_the_sign_test_is_exact(b, c, p):
    assert paired.sign_test(b, c) == pytest.approx(p)


def test_the_sign_test_of_many_agrees_with_that_of_integers(monkeypatch):
    exact = paired.sign_test(430, 520)
    monkeypatch.setattr(paired, "EXACT", 10)
    assert paired.sign_test(430, 520) == pytest.approx(exact, rel=1e-9)
    assert 0 < exact < 0.01


def test_mcnemar_counts_what_only_one_has_right():
    a, b = np.array([1.0, 1, 0, 1, 0.5]), np.array([1.0, 0, 1, 0, 0])
    assert paired.mcnemar(a, b) == {"b": 3, "c": 1, "p": 0.625}


def test_a_detectable_difference_is_2_8_standard_errors():
    assert paired.detectable_difference(0.01) == pytest.approx(0.0280158, rel=1e-5)


# -- correlation ------------------------------------------------------------------------------------------------------

X, Y = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])


def test_both_coefficients_of_four_points():
    assert correlate.pearson(X, Y) == pytest.approx(0.8)
    assert correlate.spearman(X, Y) == pytest.approx(0.8)
    assert correlate.spearman(X, np.exp(5 * X)) == pytest.approx(1)
    assert correlate.pearson(X, np.array([0.0, 0, 0, 12])) == pytest.approx(18 / sqrt(5 * 108))
    assert np.isnan(correlate.pearson(X, np.ones(4)))


def test_equal_values_share_their_rank():
    assert correlate.ranks(np.array([3.0, 1, 3, 2])).tolist() == [3.5, 1, 3.5, 2]


def test_fisher_intervals():
    low, high = correlate.fisher_interval(0.5, 28)
    reach = 1.959963984540054 / 5
    assert (low, high) == pytest.approx((tanh(atanh(0.5) - reach), tanh(atanh(0.5) + reach)))
    wider = correlate.fisher_interval(0.5, 28, of_ranks=True)
    assert wider == pytest.approx([tanh(atanh(0.5) + sign * reach * sqrt(1.125)) for sign in (-1, 1)])
    assert correlate.fisher_interval(0.5, 3) is None
    assert correlate.fisher_interval(float("nan"), 30) is None
    assert correlate.fisher_interval(1.0, 30) is None


def test_a_correlation_of_what_hardly_varies_has_no_bootstrap():
    y = np.array([0.0, 0, 0, 0, 0, 0, 0, 1])
    assert correlate.bootstrap_interval(np.arange(8.0), y, correlate.pearson, 200, 0) is not None
    assert correlate.bootstrap_interval(np.arange(3.0), np.zeros(3), correlate.pearson, 200, 0) is None
    in_order = np.array([0.1, 0.3, 0.4, 0.9])
    assert correlate.bootstrap_interval(np.arange(4.0), in_order, correlate.spearman, 200, 0) is None
    assert correlate.bootstrap_interval(np.arange(4.0), in_order, correlate.pearson, 200, 0) is not None
