"""A resumed run knows what was evaluated and scored, if it was the same samples."""

from __future__ import annotations

import math

import pytest

from libra_cli.training.monitoring.eval_history import EvalHistory


def test_the_best_step_has_the_best_finite_value() -> None:
    history = EvalHistory("loss", False, "digest", None)
    values = (2.0, math.nan, 1.0, 1.0, 3.0)
    assert [history.add_evaluation(step, loss) for step, loss in enumerate(values, 1)] == [
        True, False, True, False, False]  # fmt: skip
    assert history.best == {"step": 3, "loss": 1.0}
    assert [history.is_evaluated(step) for step in (3, 5)] == [False, True]


def test_a_higher_value_is_better_if_the_metric_says_so() -> None:
    history = EvalHistory("accuracy", True, "digest", None)
    assert [history.add_evaluation(step, value) for step, value in ((1, 0.5), (2, 0.4), (3, 0.7))] == [
        True, False, True]  # fmt: skip
    assert history.best == {"step": 3, "accuracy": 0.7}


@pytest.mark.parametrize(
    ("held_out", "benchmark"), [("digest", "bench"), ("other", "bench"), ("digest", "other"), (None, None)]
)
def test_a_resumed_run_knows_results_on_the_same_samples(held_out: str | None, benchmark: str | None) -> None:
    before = EvalHistory("loss", False, "digest", "bench")
    before.add_evaluation(2, 1.0)
    before.add_score(1)
    history = EvalHistory("loss", False, held_out, benchmark)
    history.load(before.state())
    same = held_out == "digest"
    assert (history.is_evaluated(2), history.best) == (same, {"step": 2, "loss": 1.0} if same else None)
    assert history.is_scored(1) == (benchmark == "bench")
    assert history.best_is_of_other_samples(before.state()) != same
