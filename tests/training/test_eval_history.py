"""A resumed run knows what was evaluated and scored, if it was the same samples."""

from __future__ import annotations

import json
import math

import pytest

from libra_cli.training.monitoring.eval_history import ACCURACY, EvalHistory


def test_the_best_step_has_the_best_finite_value() -> None:
    history = EvalHistory("loss", False, "digest", None)
    values = (2.0, math.nan, 1.0, 1.0, 3.0)
    assert [history.add_evaluation(step, {"loss": loss}) for step, loss in enumerate(values, 1)] == [
        True, False, True, False, False]  # fmt: skip
    assert history.best == {"step": 3, "loss": 1.0}
    assert [history.is_evaluated(step) for step in (3, 5)] == [False, True]


def test_a_higher_value_is_better_if_the_metric_says_so() -> None:
    history = EvalHistory("margin", True, "digest", None)
    assert [history.add_evaluation(step, {"margin": value}) for step, value in ((1, 0.5), (2, 0.4), (3, 0.7))] == [
        True, False, True]  # fmt: skip
    assert history.best == {"step": 3, "margin": 0.7}


def test_accuracy_on_the_benchmark_chooses_whatever_the_loss_says() -> None:
    history = EvalHistory(ACCURACY, True, "digest", "bench")
    scores = ((1, 0.5), (2, None), (3, 0.7), (4, 0.7))
    assert [history.add_score(step, {"accuracy": value}) for step, value in scores] == [True, False, True, False]
    assert not history.add_evaluation(5, {"loss": 0.1})
    assert history.best == {"step": 3, "accuracy": 0.7}
    for benchmark, metric in (("bench", ACCURACY), ("other", ACCURACY), ("bench", "loss")):
        again = EvalHistory(metric, True, "digest", benchmark)
        again.load(history.state())
        same = (benchmark, metric) == ("bench", ACCURACY)
        assert again.best == (history.best if same else None)
        assert again.best_is_of_other_data(history.state()) != same


@pytest.mark.parametrize(("start", "said"), [
    (0.9, None), (0.5, "no step is better than the model before training: loss 0.5 at the best step, loss 0.5 before"),
    (math.nan, None), (None, None),
])  # fmt: skip
def test_the_model_before_training_is_no_step_and_may_be_better(start: float | None, said: str | None) -> None:
    history = EvalHistory("loss", False, "digest", None)
    assert not history.is_evaluated(0)
    if start is not None:
        assert not history.add_evaluation(0, {"loss": start})
        assert history.is_evaluated(0)
    assert (history.best, history.without_gain) == (None, None)
    assert history.add_evaluation(1, {"loss": 0.5})
    assert (history.best, history.without_gain) == ({"step": 1, "loss": 0.5}, said)
    again = EvalHistory("loss", False, "digest", None)
    again.load(history.state())
    assert again.without_gain == said
    other = EvalHistory("loss", False, "other", None)
    other.load(history.state())
    assert other.start is None


def test_a_value_is_named_with_what_it_was_measured_on() -> None:
    assert EvalHistory("loss", False, "digest", None).describe(0.31234567) == "loss 0.3123 on the held-out rows"
    assert EvalHistory(ACCURACY, True, None, "bench").describe(0.952) == "accuracy 95.2% on the benchmark"


def test_only_steps_that_were_scored_on_the_same_rows_are_compared() -> None:
    history = EvalHistory(ACCURACY, True, None, "bench")
    scores = ((0.6, 2, "a"), (0.5, 2, "a"), (0.9, 2, "b"), (0.9, 3, "c"), (0.4, 1, "d"), (0.5, 1, "d"), (0.3, 0, ""))
    found = []
    for step, (accuracy, refused, which) in enumerate(scores, 1):
        figures = {"accuracy": accuracy, "refused": refused}
        is_comparable = history.is_comparable(figures, which)
        found.append((is_comparable, history.add_score(step, figures, which)))
        kept = EvalHistory(ACCURACY, True, None, "bench")
        kept.load(json.loads(json.dumps(history.state())))  # as a checkpoint holds it
        history = kept
    assert [is_best for _, is_best in found] == [True, False, False, False, True, True, True]
    assert [is_comparable for is_comparable, _ in found] == [True, True, False, False, False, True, False]
    assert history.best == {"step": 7, "accuracy": 0.3}
    assert history.is_comparable({"accuracy": None, "refused": 7}, "e")
    assert EvalHistory("loss", False, None, "bench").is_comparable({"accuracy": 1.0, "refused": 1}, "a")


@pytest.mark.parametrize(
    ("held_out", "benchmark"), [("digest", "bench"), ("other", "bench"), ("digest", "other"), (None, None)]
)
def test_a_resumed_run_knows_results_on_the_same_samples(held_out: str | None, benchmark: str | None) -> None:
    before = EvalHistory("loss", False, "digest", "bench")
    before.add_evaluation(2, {"loss": 1.0})
    before.add_score(1, {"accuracy": 0.5})
    history = EvalHistory("loss", False, held_out, benchmark)
    history.load(before.state())
    same = held_out == "digest"
    assert (history.is_evaluated(2), history.best) == (same, {"step": 2, "loss": 1.0} if same else None)
    assert history.is_scored(1) == (benchmark == "bench")
    assert history.best_is_of_other_data(before.state()) != same
