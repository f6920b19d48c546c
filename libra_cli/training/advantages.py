"""Advantages of the responses of a batch, from their rewards [P, G]: P prompts with G responses each.

An unknown reward (nan) leaves mean and standard deviation and has advantage 0, and so does a response that `keep_P_G`
drops. A group with fewer than two known rewards has advantage 0, as has one whose known rewards are equal: exactly 0.
Standard deviations are with n - 1, as in TRL and verl.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from libra_cli.training.registry import NonNegative, Registry

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Advantage = Callable[..., Array]

ADVANTAGES: Registry[Advantage] = Registry("estimator")

_EQUAL = 1e-9
"""Rewards that differ by less, relative to the largest, are equal: sums of the same terms differ by rounding."""


def group_spread(rewards_P_G: Array) -> tuple[NDArray[np.int64], Mask]:
    """(number of known rewards [P], they differ [P]) of each group."""
    known = ~np.isnan(rewards_P_G)
    highest = np.where(known, rewards_P_G, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(known, rewards_P_G, np.inf).min(axis=1, initial=np.inf)
    n_known = known.sum(axis=1)
    scale = np.where(known, np.abs(rewards_P_G), 0.0).max(axis=1, initial=1.0)
    return n_known, (n_known > 1) & (highest - lowest > _EQUAL * scale)


def _centred(rewards_P_G: Array, keep_P_G: Mask | None) -> tuple[Array, Mask, NDArray[np.int64]]:
    """(rewards less the mean of their group, which of them can learn, known rewards [P, 1]); 0 where they cannot."""
    rewards = rewards_P_G if keep_P_G is None else np.where(keep_P_G, rewards_P_G, np.nan)
    n_known, spread = group_spread(rewards)
    counted = ~np.isnan(rewards) & spread[:, None]
    mean = np.where(counted, rewards, 0.0).sum(axis=1, keepdims=True) / np.maximum(n_known, 1)[:, None]
    return np.where(counted, rewards - mean, 0.0), counted, n_known[:, None]


def normalize_groups(rewards_P_G: Array, epsilon: float, keep_P_G: Mask | None = None) -> Array:
    """(reward - mean) / (standard deviation + epsilon) within each group [P, G]; an unknown reward stays nan."""
    centred, _, n_known = _centred(rewards_P_G, keep_P_G)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / np.maximum(n_known - 1, 1))
    normalized = np.divide(centred, deviation + epsilon, out=np.zeros_like(centred), where=deviation > 0)
    return np.where(np.isnan(rewards_P_G), np.nan, normalized)


@ADVANTAGES.add("none")
def no_baseline(rewards_P_G: Array, keep_P_G: Mask, facts: Any) -> Array:
    """The rewards themselves."""
    return np.where(keep_P_G, np.nan_to_num(rewards_P_G), 0.0)


@ADVANTAGES.add("group_norm")
def group_norm(
    rewards_P_G: Array,
    keep_P_G: Mask,
    facts: Any,
    *,
    scale: Literal["group", "batch", "none"] = "group",
    epsilon: NonNegative = 1e-4,
) -> Array:
    """Rewards less the mean of their group, over a standard deviation (paper, section 5; TRL's `scale_rewards`).

    `scale`: the deviation within the group; of all rewards of the batch; none (Dr. GRPO). TRL adds 1e-4, verl 1e-6.
    """
    if scale == "group":
        return np.nan_to_num(normalize_groups(rewards_P_G, epsilon, keep_P_G))
    centred, _, _ = _centred(rewards_P_G, keep_P_G)
    if scale == "none":
        return centred
    known = rewards_P_G[keep_P_G & ~np.isnan(rewards_P_G)]
    return centred / (np.std(known, ddof=1) + epsilon) if np.any(centred) else centred
