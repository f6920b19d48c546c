"""The reward recipe of a run as a plan, checked against what its rollouts measure."""

from __future__ import annotations

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.training.rewards import RewardPlan
from libra_cli.training.settings import GrpoRunSettings

MEASURED = (
    "correct", "null_by", "lengths", "truncated", "format", "responses", "tokens", "prompt_id", "subset",
)  # fmt: skip
"""Facts that rollouts of `libra grpo` have."""


def plan_of(settings: GrpoRunSettings) -> RewardPlan:
    """The reward plan of a run. Raises Fatal(2) if the recipe cannot be used with these rollouts."""
    rollout = settings.rollout
    try:
        plan = RewardPlan.from_config(settings.rewards)
        plan.check(rollout.samples, MEASURED)
    except InvalidOptions as error:
        raise Fatal(Exit.USAGE, f"--rewards: {error}") from None
    return plan
