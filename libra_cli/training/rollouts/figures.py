"""What the `rollout` event says of rewards and responses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from libra_cli.training.data.prompts import PromptStore
from libra_cli.training.rewards import NullBy, RewardBatch
from libra_cli.training.rollouts.judging import judge_figures
from libra_cli.training.rollouts.rollout import GradedResponse


def rollout_figures(
    responses: Sequence[GradedResponse], rewarded: RewardBatch, store: PromptStore
) -> dict[str, float | None]:
    """Means over the responses that were sampled at once; `rewarded` holds their rewards."""
    lengths = np.array([len(each.token_ids) for each in responses])
    by_task: dict[str, list[bool]] = {}
    rewards: dict[str, list[float]] = {}
    prompts = {index: store.prompt(index) for index in {each.prompt for each in responses}}
    for each, reward in zip(responses, rewarded.rewards_P_G.reshape(-1), strict=True):
        prompt = prompts[each.prompt]
        rewards.setdefault(prompt.task.name, []).extend([] if np.isnan(reward) else [reward])
        if each.null_by != NullBy.VERIFIER and prompt.has_golden:
            by_task.setdefault(prompt.task.name, []).append(bool(each.correct))
    graded = [right for each in by_task.values() for right in each]
    return {
        **{name.replace("/", "_"): value for name, value in rewarded.figures().items()},
        **{f"reward_of_{task}": float(np.mean(each)) if each else None for task, each in sorted(rewards.items())},
        "correct": float(np.mean(graded)) if graded else None,
        **{f"correct_{task}": float(np.mean(each)) for task, each in sorted(by_task.items())},
        "length_mean": float(lengths.mean()),
        "length_max": int(lengths.max()),
        "truncated_share": float(np.mean([each.finish_reason == "length" for each in responses])),
        **judge_figures(responses),
    }
