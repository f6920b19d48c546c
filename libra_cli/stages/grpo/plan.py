"""The reward recipe of a run as a plan, checked against what its rollouts measure."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.training.rewards import RewardPlan
from libra_cli.training.settings import GrpoRunSettings

SAVED = ("correct", "null_by", "lengths", "truncated", "format", "responses", "confidence", "prompt_id", "subset")
"""Facts that saved rollouts have."""
MEASURED = (*SAVED, "tokens")
"""Facts that rollouts of `libra grpo` have."""


def plan_of(settings: GrpoRunSettings, available: Sequence[str] = MEASURED) -> RewardPlan:
    """The reward plan of a run. Raises Fatal(2) if the recipe cannot be used with these rollouts.

    A recipe without terms has the paper's, with L_max = --max-tokens and L_exp half of it (paper, Eq. 4).
    """
    rollout, recipe = settings.rollout, dict(settings.rewards)
    if "rewards" not in recipe and "reward" not in recipe:
        longest = rollout.max_tokens
        penalty = {"name": "len_penalty", "weight": -1, "expected": longest / 2, "longest": longest}
        recipe["rewards"] = [{"name": "correct"}, penalty]
    try:
        plan = RewardPlan.from_config(recipe)
        plan.check(rollout.samples, available)
    except InvalidOptions as error:
        raise Fatal(Exit.USAGE, f"--rewards: {error}") from None
    if rollout.refills and plan.batch_wide:
        what = f"--refills: {plan.batch_wide[0]} compares all prompts of a rollout, and refills are rewarded apart"
        raise Fatal(Exit.USAGE, f"{what}; leave out --refills, or that part of the recipe")
    return plan
