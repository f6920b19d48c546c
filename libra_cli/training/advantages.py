"""Advantages of the responses of a batch, from their rewards [P, G]: P prompts with G responses each.

An unknown reward (nan) leaves mean and standard deviation and has advantage 0, and so does a response that `keep_P_G`
drops. A group with fewer than two known rewards has advantage 0, as has one whose known rewards are equal: exactly 0.
Standard deviations are with n - 1, as in TRL and verl.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from libra_cli.exits import InvalidOptions
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


@ADVANTAGES.add("rloo")
def rloo(rewards_P_G: Array, keep_P_G: Mask, facts: Any) -> Array:
    """Rewards less the mean of the other responses of the prompt (leave-one-out)."""
    centred, _, n_known = _centred(rewards_P_G, keep_P_G)
    return centred * n_known / np.maximum(n_known - 1, 1)


def _check_range(*, low: float, high: float) -> str | None:
    return None if low < high else f"low must be below high, got {low:g} and {high:g}"


@ADVANTAGES.add("beta_norm", check=_check_range)
def beta_norm(rewards_P_G: Array, keep_P_G: Mask, facts: Any, *, low: float = 0.0, high: float = 1.0) -> Array:
    """Rewards less the prompt's mean p, over the Beta density at p that fits the prompts of the batch (BNPO).

    Rewards from `low` to `high` are mapped to [0, 1] first; others are refused. All prompts of a step belong in one
    batch. (TRL's loss_type bnpo is something else: a mean over the tokens of the local batch.)

    Raises InvalidOptions for a reward outside the range.
    """
    known = rewards_P_G[keep_P_G & ~np.isnan(rewards_P_G)]
    if known.size and (known.min() < low - _EQUAL or known.max() > high + _EQUAL):
        raise InvalidOptions(
            f"advantage: beta_norm got a reward of {(known.min() if known.min() < low else known.max()):g}, outside "
            f"{low:g} to {high:g}: set advantage.low and advantage.high to the range of the rewards"
        )
    rewards = (rewards_P_G - low) / (high - low)
    centred, _, n_known = _centred(rewards, keep_P_G)
    counted = (keep_P_G & ~np.isnan(rewards)) & (n_known > 1)
    measured = counted.any(axis=1)
    rates = np.where(counted, rewards, 0.0).sum(axis=1)[measured] / n_known[measured, 0]
    weights = np.ones(len(rewards))
    weights[measured] = 1.0 / np.maximum(_fitted_beta_density(rates), 1e-6)
    return centred * weights[:, None]


def _fitted_beta_density(rates_N: Array) -> Array:
    """The density at each pass rate of the Beta distribution with their mean and variance; 1 if they do not vary.

    a = 1 + c m / 3 and b = 1 + c (1 - m) / 3 with c = m (1 - m) / v - 1, both at least 1.
    """
    variance = np.var(rates_N, ddof=1) if rates_N.size > 1 else 0.0
    if variance < _EQUAL**2:
        return np.ones_like(rates_N)
    mean = rates_N.mean()
    excess = mean * (1.0 - mean) / variance - 1.0
    a, b = max(1.0, 1.0 + excess * mean / 3.0), max(1.0, 1.0 + excess * (1.0 - mean) / 3.0)
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    inner = np.clip(rates_N, 0.0, 1.0)
    return scale * inner ** (a - 1.0) * (1.0 - inner) ** (b - 1.0)


@ADVANTAGES.add("pairwise", facts=("difference",))
def pairwise(rewards_P_G: Array, keep_P_G: Mask, facts: Any, *, epsilon: NonNegative = 1e-6) -> Array:
    """The mean lead over the responses of the group, in standard deviations (Think-RM's pairwise RLHF).

    An unread verdict counts as 0, and a dropped response has no part. Equals (r - mean) / std if the differences are
    those of rewards.

    Raises ValueError if i is not as far ahead of j as j is behind i.
    """
    difference = np.nan_to_num(np.asarray(facts["difference_P_G_G"], dtype=np.float64))
    if not np.allclose(difference, -difference.transpose(0, 2, 1)):
        raise ValueError("difference_P_G_G is not antisymmetric: j must be as far behind i as i is ahead of j")
    difference = np.where(keep_P_G[:, :, None] & keep_P_G[:, None, :], difference, 0.0)
    size = keep_P_G.sum(axis=1)[:, None]
    lead = difference.sum(axis=2) / np.maximum(size, 1)
    variance = (difference**2).sum(axis=(1, 2))[:, None] / np.maximum(2 * size * (size - 1), 1)
    return lead / np.sqrt(variance + epsilon)


@ADVANTAGES.add("bootstrap", facts=("wins", "reference"))
def bootstrap(rewards_P_G: Array, keep_P_G: Mask, facts: Any, *, skew: NonNegative = 0.6) -> Array:
    """1 for a response that wins against the reference response of its group, -1 for any other (Writing-Zero's BRPO).

    The reference has advantage 0, and so has a response of which it is unknown whether it wins. A group whose sum is
    beyond `skew` x G either way has advantage 0.
    """
    wins = np.asarray(facts["wins_P_G"], dtype=np.float64)
    signs = np.where(np.isnan(wins), 0.0, np.where(wins > 0, 1.0, -1.0))
    signs[np.arange(len(signs)), np.asarray(facts["reference_P"], dtype=np.int64)] = 0.0
    signs = np.where(keep_P_G, signs, 0.0)
    skewed = np.abs(signs.sum(axis=1)) > skew * signs.shape[1]
    return np.where(skewed[:, None], 0.0, signs)
