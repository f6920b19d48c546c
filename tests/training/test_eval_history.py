"""What was evaluated and scored is known to a run that goes on, and only of the same samples."""

from __future__ import annotations

import math

from libra_cli.training.monitoring.eval_history import Looks


def test_the_best_step_is_the_one_with_the_lowest_finite_loss() -> None:
    looks = Looks("digest", None)
    assert [looks.note_loss(step, loss) for step, loss in enumerate((2.0, math.nan, 1.0, 1.0, 3.0), 1)] == [
        True, False, True, False, False]  # fmt: skip
    assert looks.best == {"step": 3, "loss": 1.0}
    assert [looks.evaluated(step) for step in (3, 5)] == [False, True]


def test_a_run_that_goes_on_knows_what_was_seen_of_the_same_samples() -> None:
    before = Looks("digest", "bench")
    before.note_loss(2, 1.0)
    before.note_score(1)
    for held_out, benchmark in (("digest", "bench"), ("other", "bench"), ("digest", "other"), (None, None)):
        looks = Looks(held_out, benchmark)
        looks.take(before.known)
        same = held_out == "digest"
        assert (looks.evaluated(2), looks.best) == (same, {"step": 2, "loss": 1.0} if same else None)
        assert looks.scored(1) == (benchmark == "bench")
        assert looks.compared_elsewhere(before.known) != same
