"""Estimators of advantages and filters of responses reproduce their worked numbers."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from worked_examples import close, example, group

from libra_cli.exits import InvalidOptions
from libra_cli.training.rewards import RewardPlan
from libra_cli.training.rewards.filters import rank_weights


def apply(advantage, facts: dict, **config):
    return RewardPlan.from_config({"rewards": ["correct"], "advantage": advantage, **config}).apply(facts)


def advantages(advantage, correct, **config) -> np.ndarray:
    return apply(advantage, {"correct_P_G": np.array(correct, dtype=float)}, **config).advantages_P_G


def test_leave_one_out():
    inputs, expected = example("rloo")
    close(advantages("rloo", [inputs["rewards_G"]]), [expected])
    close(advantages("rloo", [[1, nan, 0, 0], [1, nan, nan, nan]]), [[1, 0, -0.5, -0.5], [0, 0, 0, 0]])


def test_beta_normalisation():
    inputs, expected = example("beta_norm")
    rewards = np.array(inputs["rewards_P_G"])
    close(advantages("beta_norm", rewards), expected["advantages_P_G"])
    close(advantages({"estimator": "beta_norm", "low": -1, "high": 1}, 2 * rewards - 1), expected["advantages_P_G"])
    with pytest.raises(InvalidOptions, match=r"beta_norm got a reward of -1, outside 0 to 1: set advantage.low and"):
        advantages("beta_norm", 2 * rewards - 1)


def test_beta_normalisation_without_a_spread_between_prompts():
    """One prompt, equal prompts: weight 1. Pass rates 0 and 1: advantage exactly 0. One known reward: no part."""
    close(advantages("beta_norm", [[1, 0, 0, 0]]), [[0.75, -0.25, -0.25, -0.25]])
    close(advantages("beta_norm", [[1, 0], [0, 1]]), [[0.5, -0.5], [-0.5, 0.5]])
    mixed = advantages("beta_norm", [[1, 1], [0, 0], [1, 0], [nan, 1]])
    assert mixed[[0, 1, 3]].tolist() == [[0, 0], [0, 0], [0, 0]]
    assert mixed[2, 0] == -mixed[2, 1] > 0
    close(mixed[:3], advantages("beta_norm", [[1, 1], [0, 0], [1, 0]]))
    pairs = [[1, 0], [1, 0], [1, 0], [1, 1]]
    close(advantages("beta_norm", pairs), advantages("beta_norm", np.repeat(pairs, 2, axis=1))[:, ::2])


def difference_of(values) -> np.ndarray:
    return np.array([[[i - j for j in values] for i in values]], dtype=float)


def test_pairwise_advantages():
    inputs, expected = example("pairwise_advantage")
    facts = {"difference_P_G_G": np.array([inputs["difference_G_G"]]), "lengths_P_G": group([1, 1, 1])}
    plan = RewardPlan.from_config({"rewards": ["win_margin"], "advantage": "pairwise"})
    batch = plan.apply(facts)
    close(batch.advantages_P_G, [expected])
    close(batch.rewards_P_G, [[1.5, -1.5, 0]])
    two = plan.apply({"difference_P_G_G": difference_of([3, 1]), "lengths_P_G": group([1, 1])})
    close(two.rewards_P_G, [[2, -2]])


def test_pairwise_advantages_of_differences_are_those_of_rewards():
    rewards = [3.0, 1.0, 0.5, -1.0]
    facts = {"difference_P_G_G": difference_of(rewards), "correct_P_G": group([0] * 4)}
    close(apply({"estimator": "pairwise", "epsilon": 0}, facts).advantages_P_G,
          advantages({"epsilon": 0}, [rewards]))  # fmt: skip
    unread = difference_of(rewards)
    unread[0, 0, 1] = unread[0, 1, 0] = nan
    assert np.all(np.isfinite(apply("pairwise", {**facts, "difference_P_G_G": unread}).advantages_P_G))
    with pytest.raises(ValueError, match="difference_P_G_G is not antisymmetric"):
        apply("pairwise", {**facts, "difference_P_G_G": np.abs(unread)})


def test_bootstrap_advantages():
    inputs, expected = example("bootstrap_advantage")
    wins = np.array(inputs["wins_G"], dtype=float)
    facts = {"wins_P_G": wins, "reference_P": np.full(2, inputs["reference"])}
    plan = {"rewards": [{"name": "judge", "fact": "wins"}],
            "advantage": {"estimator": "bootstrap", "skew": inputs["skew"]}}  # fmt: skip
    batch = RewardPlan.from_config(plan).apply(facts)
    close(batch.advantages_P_G, expected)
    unknown = RewardPlan.from_config(plan).apply({**facts, "wins_P_G": np.array([[0, nan, 0, 1], [0, 0, 0, 0]])})
    assert unknown.advantages_P_G[0, 1] == 0
    down = RewardPlan.from_config(plan).apply({**facts, "null_by_P_G": np.array([[0, 2, 0, 0], [0, 0, 0, 0]])})
    assert down.advantages_P_G[0].tolist() == [1, 0, 0, 1]


def test_a_response_that_a_filter_drops_leaves_mean_and_deviation():
    batch = apply({"epsilon": 0}, {"correct_P_G": group([4, 1, 0, 2])},
                  filter=[{"name": "reward_rank", "how": "best_worst", "keep": 2}])  # fmt: skip
    assert batch.keep_P_G.tolist() == [[True, False, True, False]]
    close(batch.advantages_P_G, [[2**-0.5, 0, -(2**-0.5), 0]])
    assert batch.counts.dropped == {"reward_rank": 2}


# -- what holds for all rewards ---------------------------------------------------------------------------------------

REWARDS = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 0.1, 0.3, nan]),
)
CENTRED = ["rloo", {"scale": "group"}, {"scale": "batch"}, {"scale": "none"}]


@given(REWARDS)
def test_unknown_rewards_are_as_if_they_had_not_been_sampled(rewards):
    """Each group by itself, with numpy's own functions on its known rewards."""
    by_hand = np.zeros(rewards.shape)
    for row, own in zip(by_hand, rewards, strict=True):
        known = ~np.isnan(own)
        if known.sum() > 1 and np.ptp(own[known]) > 0:
            row[known] = (own[known] - own[known].mean()) / (own[known].std(ddof=1) + 1e-4)
    close(advantages("group_norm", rewards), by_hand)


@given(REWARDS, st.sampled_from(CENTRED))
def test_advantages_of_a_group_sum_to_0_and_follow_the_rewards(rewards, estimator):
    values = advantages(estimator, rewards)
    assert np.all(np.isfinite(values))
    np.testing.assert_allclose(values.sum(axis=1), 0, atol=1e-9)
    for own, row in zip(rewards, values, strict=True):
        known = np.flatnonzero(~np.isnan(own))
        assert np.all(np.diff(row[known[np.argsort(own[known], kind="stable")]]) >= 0)
        assert np.all(row[np.isnan(own)] == 0)


@given(REWARDS, st.randoms(use_true_random=False), st.sampled_from([*CENTRED, "none"]))
def test_the_order_of_responses_and_prompts_does_not_matter(rewards, random, estimator):
    prompts, responses = list(range(len(rewards))), list(range(len(rewards[0])))
    random.shuffle(prompts)
    random.shuffle(responses)
    moved = advantages(estimator, rewards[prompts][:, responses])
    np.testing.assert_allclose(moved, advantages(estimator, rewards)[prompts][:, responses], atol=1e-9)


@given(REWARDS, st.sampled_from([0.5, 3.0]), st.sampled_from([-2.0, 0.25]))
def test_a_standardised_advantage_knows_neither_scale_nor_shift(rewards, slope, shift):
    plain = advantages({"epsilon": 0}, rewards)
    np.testing.assert_allclose(advantages({"epsilon": 0}, slope * rewards + shift), plain, atol=1e-7)


def test_known_estimators_are_special_cases_of_the_beta_density():
    """a = b = 1: REINFORCE with a baseline. a = b = 1.5: GRPO times pi / 8, with the deviation of a coin (n)."""
    uniform = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=float)
    close(advantages("beta_norm", uniform), uniform - uniform.mean(axis=1, keepdims=True))
    rewards = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=float)
    rates = rewards.mean(axis=1, keepdims=True)
    close(advantages("beta_norm", rewards), np.pi / 8 * (rewards - rates) / np.sqrt(rates * (1 - rates)))


# -- filters ----------------------------------------------------------------------------------------------------------


def kept(how: str, rewards, keep: int, state=None, seed: int = 0):
    plan = {"rewards": ["correct"], "filter": [{"name": "reward_rank", "how": how, "keep": keep, "seed": seed}]}
    return RewardPlan.from_config(plan).apply({"correct_P_G": group(rewards)}, state)


def test_rewards_of_the_highest_and_lowest_rank():
    inputs, expected = example("policy_filter")
    rewards, keep = inputs["rewards_G"], inputs["keep"]
    for how in ("best", "best_worst"):
        assert np.flatnonzero(kept(how, rewards, keep).keep_P_G[0]).tolist() == expected[how]
    for how in ("pow", "max_min", "max_random"):
        close(rank_weights(np.array(rewards), how), expected[how])
    assert kept("best_worst", [nan, 1, 0, 2], 3).keep_P_G.tolist() == [[False, True, True, True]]
    assert kept("best_worst", [nan, 1, 0, 2], 9).keep_P_G.tolist() == [[False, True, True, True]]
    assert kept("pow", [nan, nan], 1).keep_P_G.tolist() == [[False, False]]


def test_squared_correlation_tells_rules_of_selection_apart():
    inputs, expected = example("policy_filter")
    rewards, actual = np.array(inputs["rewards_G"]), np.array(inputs["actual_G"])
    both = expected["best_worst"]
    close(np.corrcoef(rewards, actual)[0, 1] ** 2, expected["r2_all"])
    close(np.corrcoef(rewards[both], actual[both])[0, 1] ** 2, expected["r2_best_worst"])


@pytest.mark.parametrize("how", ["best_random", "pow", "max_min", "max_random"])
def test_random_choices_follow_from_seed_and_batch(how):
    rewards = [0.9, 0.1, 0.5, 0.7, -0.2, 0.3, 0.4, 0.6]
    first = kept(how, rewards, 4)
    assert first.keep_P_G.sum() == 4
    assert first.keep_P_G.tolist() == kept(how, rewards, 4).keep_P_G.tolist()
    choices, state = set(), None
    for _ in range(20):
        batch = kept(how, rewards, 4, state)
        state = batch.state
        choices.add(tuple(np.flatnonzero(batch.keep_P_G[0])))
        if how == "best_random":
            assert batch.keep_P_G[0, [0, 3]].all()
    assert len(choices) > 1


def test_prompts_within_a_range_of_pass_rates():
    correct = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, nan], [nan] * 5])
    batch = apply("group_norm", {"correct_P_G": correct}, filter=["pass_rate"])
    assert batch.keep_P_G[:, 0].tolist() == [True, False, True, False, False]
    exact = apply("group_norm", {"correct_P_G": correct}, filter=[{"name": "pass_rate", "low": 0.8, "high": 0.8}])
    assert exact.keep_P_G[:, 0].tolist() == [True, False, False, False, False]
    wide = apply("group_norm", {"correct_P_G": correct}, filter=[{"name": "pass_rate", "low": 0, "high": 1}])
    assert wide.keep_P_G[:, 0].tolist() == [True, True, True, True, False]


def spread(deviations) -> np.ndarray:
    """Rewards [P, 2] with these standard deviations (n - 1)."""
    return np.array([[0, deviation * 2**0.5] for deviation in deviations])


def test_prompts_whose_spread_falls_behind_the_running_mean():
    inputs, expected = example("std_filter")
    options = {"beta": inputs["beta"], "decay": inputs["decay"], "record_from": 1, "drop_from": 1}
    plan = RewardPlan.from_config({"rewards": ["correct"], "filter": [{"name": "spread_ema", **options}]})
    state = None
    for deviations, kept_P in zip(inputs["stds_steps"], expected, strict=True):
        batch = plan.apply({"correct_P_G": spread(deviations)}, state)
        state = batch.state
        assert batch.keep_P_G[:, 0].tolist() == kept_P
    close(state["spread_ema"], 0.99 * 0.3 + 0.01 * 0.15)


def test_the_running_mean_of_spreads_warms_up():
    plan = RewardPlan.from_config({"rewards": ["correct"], "filter": ["spread_ema"]})
    state, dropped = None, []
    for batch_number in range(1, 13):
        batch = plan.apply({"correct_P_G": spread([1.0, 0.01])}, state)
        state = batch.state
        dropped.append(not batch.keep_P_G[1, 0])
        assert (state["spread_ema"] is None) == (batch_number < 6)
    assert dropped == [False] * 10 + [True] * 2


def test_one_right_and_one_wrong_response():
    correct = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, nan, nan, 1]])
    batch = apply("group_norm", {"correct_P_G": correct}, filter=["one_each"])
    assert batch.keep_P_G.sum(axis=1).tolist() == [2, 0, 2]
    assert correct[0, batch.keep_P_G[0]].sum() == 1
    assert batch.keep_P_G[2].tolist() == [True, False, False, True]
