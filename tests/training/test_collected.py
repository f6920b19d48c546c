"""The responses of a rollout, where filters drop prompts or single responses and others take their place."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import sft_runs as runs
from grpo_runs import BATCH, COMMON, PROMPTS, SAMPLES, events, rows, write_tasks

from libra_cli.training.rewards import RewardPlan
from libra_cli.training.rollouts.collected import CollectedResponses
from libra_cli.training.rollouts.rollout import GradedResponse

RANK = {"rewards": ["correct"], "filter": [{"name": "reward_rank", "how": "best", "keep": 3}]}


def sampled(
    collected: CollectedResponses, plan: RewardPlan, right: list[list[float]], is_last: bool = False
) -> list[bool]:
    """Adds responses to new prompts, of which these are right; the last of each four is cut short."""
    first = 100 * len(collected.responses)
    responses = [GradedResponse(i, first + i // 4, i // 4, i % 4, [1]) for i in range(4 * len(right))]
    facts = {"correct_P_G": np.array(right), "truncated_P_G": np.tile([0.0, 0, 0, 1], (len(right), 1))}
    rewarded = plan.apply({**facts, "lengths_P_G": np.ones((len(right), 4))})
    return cast(list[bool], collected.add(responses, rewarded, is_last).tolist())


def samples_of(collected: CollectedResponses) -> list[int]:
    return [response.sample for response in collected.responses]


def test_responses_that_a_filter_drops_are_replaced_by_those_of_as_many_prompts_as_it_takes() -> None:
    plan, collected = RewardPlan.from_config(RANK), CollectedResponses(4, 4)
    assert collected.wanted == 4
    sampled(collected, plan, [[1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]])
    assert samples_of(collected) == [0, 2, 3, 1, 2, 3, 0, 1, 3, 0, 1, 2]
    assert collected.wanted == 2  # for the four that are missing, at three of each prompt
    learned = sampled(collected, plan, [[1, 0, 1, 1], [1, 1, 1, 0]])
    assert learned == [True, False, True, True, True, False, False, False]  # two are more than are missing
    assert samples_of(collected)[12:] == [0, 2, 3, 0]
    assert (collected.wanted, collected.prompts, collected.filtered_prompts) == (0, 6, 0)
    assert collected.learned.all()
    assert len(collected.advantages) == 16


def test_prompts_that_left_little_ask_for_no_more_than_a_few_times_the_rollout() -> None:
    best = RewardPlan.from_config(
        {"rewards": ["correct"], "filter": [{"name": "reward_rank", "how": "best", "keep": 1}]}
    )
    collected = CollectedResponses(8, 4)
    sampled(collected, best, [[1, 0, 0, 0]])
    assert len(collected.responses) == 1
    assert collected.wanted == 31  # one response of each prompt
    of_many = CollectedResponses(2, 4)
    sampled(of_many, best, [[1, 0, 0, 0]])
    assert of_many.wanted == 7
    # With more responses to a prompt, all that are missing would be many times the rollout.
    long = CollectedResponses(2, 16)
    sampled(long, best, [[1, 0, 0, 0]])
    assert long.wanted == 8
    sampled(long, best, [[1, 0, 0, 0]] * 8)
    assert (len(long.responses), long.wanted) == (9, 8)
    sampled(long, best, [[1, 0, 0, 0]] * 17)
    assert long.wanted == 6


def test_dropped_responses_fill_a_rollout_that_nothing_more_is_sampled_for() -> None:
    plan, collected = RewardPlan.from_config(RANK), CollectedResponses(2, 4)
    sampled(collected, plan, [[1, 0, 1, 1]])
    assert collected.wanted == 2
    sampled(collected, plan, [[0, 1, 1, 1]], is_last=True)
    assert samples_of(collected) == [0, 2, 3, 0, 1, 2, 3]
    assert collected.learned.tolist() == [True, True, True, False, True, True, True]


def test_a_rollout_that_is_sampled_once_has_all_its_responses() -> None:
    plan, collected = RewardPlan.from_config(RANK), CollectedResponses(2, 4)
    sampled(collected, plan, [[1, 0, 1, 1], [0, 0, 0, 0]], is_last=True)
    assert samples_of(collected) == [0, 1, 2, 3] * 2
    assert collected.learned.tolist() == [True, False, True, True, True, True, True, False]


def test_whole_prompts_are_replaced_and_masked_responses_are_not() -> None:
    config = {"rewards": ["correct"], "filter": ["zero_spread"], "mask_truncated": True}
    plan, collected = RewardPlan.from_config(config), CollectedResponses(3, 4)
    sampled(collected, plan, [[1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 0, 0]])
    assert samples_of(collected) == [0, 1, 2, 3] * 2
    assert collected.learned.tolist() == [True, True, True, False] * 2
    assert (collected.wanted, collected.filtered_prompts) == (1, 1)


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_steps_learn_from_as_many_responses_as_without_a_filter(tmp_path: Path) -> None:
    """The best and the worst of four: --refills 1 asks as many prompts again, and each step has its mini-batch."""
    recipe = tmp_path / "rank.yaml"
    recipe.write_text("rewards: [length_bell]\nfilter: [{name: reward_rank, how: best_worst, keep: 2}]\n")
    words = [*COMMON, str(write_tasks(tmp_path / "tasks.jsonl")), "--rewards", str(recipe), "--save-rollouts"]
    words += ["--max-steps", "4", "--epochs", "1"]
    runs.drive(tmp_path, 1, {"full": [*words, "--refills", "1"], "half": words}, stage="grpo")
    for name, prompts, learned in (("full", 2 * PROMPTS, PROMPTS * SAMPLES), ("half", PROMPTS, PROMPTS * SAMPLES // 2)):
        rollouts, steps = (events(tmp_path / f"{name}.log", kind) for kind in ("rollout", "step"))
        assert [event["prompts"] for event in rollouts] == [prompts] * 2
        for event in rollouts:
            saved = [row["rollout"]["learned"] for row in rows(tmp_path / name, event["rollout"])]
            assert (len(saved), sum(saved)) == (prompts * SAMPLES, learned)
        of_steps = [step["samples"] for step in steps]
        assert [sum(of_steps[:2]), sum(of_steps[2:])] == [learned] * 2
        assert name == "half" or of_steps == [BATCH] * 4
