"""Credit of steps and tokens reproduces its worked numbers."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from worked_examples import close, example, group

from libra_cli.exits import InvalidOptions
from libra_cli.training.credit import clip_rewards, delta_rewards, min_form, prefix_values, returns
from libra_cli.training.rewards import RewardPlan


def credited(credit, facts: dict, **config):
    return RewardPlan.from_config({"rewards": ["correct"], "credit": credit, **config}).apply(facts)


def test_the_least_step_of_pure():
    inputs, expected = example("min_form")
    scores = inputs["scores_S"]
    shaped = min_form(scores, inputs["temperature"])
    close(shaped, expected["shaped_S"])
    close(shaped.sum(), expected["sum"])
    close(returns(shaped), expected["returns_S"])
    close(returns(min_form(scores, 0)), expected["strict_returns_S"])
    close(returns(scores), expected["sum_form_returns_S"])
    close(returns([1, 1, 1], gamma=0.5), [1.75, 1.5, 1])
    assert min_form([], 0.1).tolist() == []
    close(min_form([nan, 2, 3], 0), [0, 2, 0])
    close(min_form([nan, 2.0], 0.1), [0, 2])


def test_clip_and_delta():
    inputs, expected = example("clip_delta")
    scores = inputs["scores_S"]
    clipped = clip_rewards(scores, inputs["ceiling"])
    close(clipped, expected["clip_S"])
    close(delta_rewards(scores), expected["delta_S"])
    close(delta_rewards(clipped), expected["clip_then_delta_S"])
    close(returns(delta_rewards(scores)), expected["returns_of_delta_S"])
    close(clip_rewards([nan, 0.5], 0.9), [0, -0.4])
    assert delta_rewards([]).tolist() == []


STEPS = {
    "correct_P_G": group([1, 0, nan]),
    "lengths_P_G": group([5, 2, 3]),
    "step_rewards_P_G_S": [[[0.8, 0.4], [0.5], []]],
    "step_ends_P_G_S": [[[2, 4], [1], []]],
}
PLAIN = {"advantage": {"scale": "none"}}
"""Advantages 0.5 and -0.5 of the outcome."""


def test_steps_are_credited_on_their_tokens():
    """Delta: the return of a step is its own score, beside the advantage of the response."""
    tokens = credited("delta", STEPS, **PLAIN).advantages_P_G_T
    close(tokens[0][0], [1.3, 1.3, 1.3, 0.9, 0.9])
    close(tokens[0][1], [0, 0])
    close(tokens[0][2], [0, 0, 0])
    half = credited({"estimator": "delta", "weight": 0.5}, STEPS, **PLAIN).advantages_P_G_T
    close(half[0][0], [0.9, 0.9, 0.9, 0.7, 0.7])


def test_clipped_steps_never_gain():
    clipped = {"estimator": "clip", "ceiling": 0.5}
    close(credited(clipped, STEPS, **PLAIN).advantages_P_G_T[0][0], [0.5, 0.5, 0.5, 0.4, 0.4])
    summed = credited({**clipped, "delta": False}, STEPS, **PLAIN).advantages_P_G_T
    close(summed[0][0], [0.4, 0.4, 0.4, 0.4, 0.4])


def test_the_baseline_of_the_least_step_is_per_token():
    """The other response scores 0.5 over 2 tokens, 0.25 a token: 0.75 for three tokens, 0.5 for two."""
    tokens = credited({"estimator": "min", "temperature": 0}, STEPS, **PLAIN).advantages_P_G_T
    close(tokens[0][0], [0.5 + (0 - 0.75) + (0.4 - 0.5)] * 3 + [0.5 + 0.4 - 0.5] * 2)
    close(tokens[0][1], [-0.5 + 0.5 - 2 * 0.4 / 5] * 2)
    close(tokens[0][2], [0, 0, 0])


def test_without_another_response_there_is_no_baseline():
    """Only the outcome is left, here of a response without any step beside one with steps."""
    facts = {**STEPS, "correct_P_G": group([1, nan, 0])}
    tokens = credited("min", facts, **PLAIN).advantages_P_G_T
    close(tokens[0][0], [0.5] * 5)
    close(tokens[0][1], [0, 0])
    close(tokens[0][2], [-0.5] * 3)


@pytest.mark.parametrize("credit", ["min", "clip", "delta"])
def test_steps_that_do_not_fit_the_tokens_are_refused(credit):
    for wrong in ({"step_ends_P_G_S": [[[2, 5], [1], []]]}, {"step_ends_P_G_S": [[[4, 4], [1], []]]},
                  {"step_rewards_P_G_S": [[[0.8], [0.5], []]]}):  # fmt: skip
        with pytest.raises(ValueError, match=r"response 0 of prompt 0: .* do not fit 5 tokens"):
            credited(credit, {**STEPS, **wrong})


def test_values_of_prefixes():
    inputs, expected = example("prefix_values")
    for values, own in zip(prefix_values(inputs["tokens_G"], inputs["rewards_G"]), expected, strict=True):
        close(values, own)
    values = prefix_values([[1, 2], [1, 2], [], [3]], [1, 0, 1, nan])
    assert [value.tolist() for value in values[:3]] == [[0.5, 0.5], [0.5, 0.5], []]
    assert np.isnan(values[3]).all()


def test_tempo_credits_the_branch_that_a_token_takes():
    inputs, expected = example("tempo")
    facts = {"correct_P_G": group(inputs["rewards_G"]), "tokens_P_G_T": [inputs["tokens_G"]]}
    for advantages, own in zip(credited("tempo", facts).advantages_P_G_T[0], expected, strict=True):
        close(advantages, own)


def test_tempo_off_branches_is_group_norm():
    rewards = group([1, 0, nan, 0])
    facts = {"correct_P_G": rewards, "tokens_P_G_T": [[[1, 9, 9], [2, 9], [3], [4, 9, 9, 9]]]}
    tokens = credited("tempo", facts, advantage={"epsilon": 1e-6})
    for row, advantage in zip(tokens.advantages_P_G_T[0], tokens.advantages_P_G[0], strict=True):
        close(row[1:], [advantage] * (len(row) - 1))
    equal = {**facts, "correct_P_G": group([1, 1, 1, 1])}
    assert [row.tolist() for row in credited("tempo", equal).advantages_P_G_T[0]] == [[0] * 3, [0] * 2, [0], [0] * 4]


def test_tempo_is_credit_and_no_estimator():
    with pytest.raises(InvalidOptions, match=r"tempo differs by token: write credit: {estimator: tempo} instead"):
        RewardPlan.from_config({"advantage": {"estimator": "tempo"}})
    for advantage in ("rloo", {"scale": "none"}):
        with pytest.raises(InvalidOptions, match="credit: tempo has its own advantages, over the deviation"):
            RewardPlan.from_config({"advantage": advantage, "credit": "tempo"})
