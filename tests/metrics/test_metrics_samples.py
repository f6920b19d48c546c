"""Figures of several samples, against enumeration of all subsets."""

from __future__ import annotations

from itertools import combinations
from statistics import mean

import numpy as np
import pytest

from libra_cli.metrics import passk

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", range(1, 7))
def test_pass_at_k_is_the_share_of_subsets_with_a_correct_sample(n):
    for correct in range(n + 1):
        samples = [1] * correct + [0] * (n - correct)
        for k in range(1, n + 1):
            every = mean(float(any(subset)) for subset in combinations(samples, k))
            assert passk.pass_at_k(n, correct, k) == pytest.approx(every)


def test_pass_at_1_of_many_is_their_mean():
    assert passk.pass_at_k(1000, 137, 1) == pytest.approx(0.137)


@pytest.mark.parametrize(
    "figure", [lambda k: passk.pass_at_k(3, 1, k), lambda k: passk.best_of_k([1, 2, 3], [0, 0, 1], k)]
)
@pytest.mark.parametrize("k", [0, 4])
def test_k_is_within_the_samples(figure, k):
    with pytest.raises(ValueError, match="needs"):
        figure(k)


@pytest.mark.parametrize(
    ("groups", "correct", "value"),
    [
        ([0, 0, 1], [1, 1, 0], 1.0),
        ([0, 1, 1], [1, 0, 0], 0.0),
        ([0, 1], [1, 0], 0.5),  # a tie is shared
        ([0, 1, 2], [1, 0, 0], 1 / 3),
        ([0, 0, -1, -1, -1], [1, 1, 0, 0, 0], 1.0),  # no answer has no vote
        ([-1, -1], [0, 0], 0.0),
        ([0, 0], [1, 0], 0.5),  # one answer whose labels differ
    ],
)
def test_a_majority_vote(groups, correct, value):
    assert passk.vote(groups, correct) == pytest.approx(value)
    assert passk.majority_at_k(groups, correct, len(groups), RNG) == pytest.approx(value)


def test_a_weighted_vote():
    assert passk.vote([0, 0, 1], [0, 0, 1], [1.0, 1.0, 3.0]) == 1.0
    assert passk.vote([0, 0, 1], [0, 0, 1], [1.0, 1.0, 2.0]) == 0.5
    assert passk.vote([0, 1, 1], [1, 0, 0], [0.1 + 0.2, 0.1, 0.2]) == 0.5  # the same weight in other words


def test_a_majority_of_k_is_the_mean_over_all_subsets():
    groups, correct = [0, 0, 0, 1, 1, 2], [1, 1, 1, 0, 0, 0]
    for k in (1, 2, 3, 4, 5):
        every = [
            passk.vote([groups[at] for at in some], [correct[at] for at in some]) for some in combinations(range(6), k)
        ]
        assert passk.majority_at_k(groups, correct, k, RNG) == pytest.approx(mean(every))


def test_of_too_many_subsets_some_are_drawn(monkeypatch):
    groups, correct = [0] * 12 + [1] * 8, [1] * 12 + [0] * 8
    drawn = passk.majority_at_k(groups, correct, 5, np.random.default_rng(1))
    monkeypatch.setattr(passk, "EXACT_SUBSETS", 1 << 20)
    assert drawn == pytest.approx(passk.majority_at_k(groups, correct, 5, RNG), abs=0.03)


@pytest.mark.parametrize("scores", [[3, 1, 2, 2], [1, 1, 1, 1], [1, float("nan"), 2, 2]])
def test_best_of_k_is_the_mean_over_all_subsets(scores):
    correct = [1, 0, 0, 1]
    for k in (1, 2, 3, 4):
        every = [
            passk.best_of([scores[at] for at in some], [correct[at] for at in some])
            for some in combinations(range(4), k)
        ]
        assert passk.best_of_k(scores, correct, k) == pytest.approx(mean(every))


def test_the_best_scored_sample_is_chosen_and_ties_are_shared():
    assert passk.best_of([1, 3, 2], [0, 1, 0]) == 1.0
    assert passk.best_of([3, 3, 2], [0, 1, 0]) == 0.5
    assert passk.best_of([float("nan"), -5, -7], [0, 1, 0]) == 1.0
