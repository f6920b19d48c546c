"""Rewards of saved rollouts, so that a recipe is judged before GPUs are taken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.stages.grpo.plan import plan_of
from libra_cli.training.rewards import PENALTY_EDGES
from libra_cli.training.rollouts.records import read_facts
from libra_cli.training.settings import GrpoRunSettings


def replayed(paths: Sequence[str], settings: GrpoRunSettings) -> Iterator[dict[str, Any]]:
    """The figures of each saved rollout under the recipe of `settings`. Raises Fatal(2)."""
    plan = plan_of(settings, is_replay=True)
    state: Mapping[str, Any] = {}
    for (number, attempt, step), facts, correct in read_facts(paths, plan):
        try:
            rewarded = plan.apply(facts, state, step)
        except (InvalidOptions, ValueError) as error:
            raise Fatal(Exit.USAGE, f"rollout {number}: {error}") from None
        state = rewarded.state
        advantages = rewarded.advantages_P_G
        edges = ["0", *(f"<={edge:g}" for edge in PENALTY_EDGES[1:])]
        yield {
            "rollout": number,
            "attempt": attempt,
            "prompts": rewarded.counts.prompts,
            "samples": advantages.shape[1],
            **{name: _finite(value) for name, value in rewarded.figures().items()},
            "correct": correct,
            "truncated_share": float(facts["truncated_P_G"].mean()),
            "length_mean": float(facts["lengths_P_G"].mean()),
            "length_max": int(facts["lengths_P_G"].max()),
            "penalties": dict(zip(edges, rewarded.counts.penalties, strict=False)),
            "dropped": dict(rewarded.counts.dropped),
            "advantage_min": float(advantages.min()),
            "advantage_max": float(advantages.max()),
            "advantage_zero_share": float((advantages == 0).mean()),
            **({"warnings": list(rewarded.warnings)} if rewarded.warnings else {}),
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
