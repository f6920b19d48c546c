"""Filters: which responses of a batch are learned from, by their rewards.

A filter is a function `(rewards_P_G, facts, state, **options) -> (keep_P_G, state)`. The state is what it remembers of
earlier batches, a mapping that JSON can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from libra_cli.training.advantages import Array, Mask, group_spread
from libra_cli.training.registry import Count, NonNegative, Registry, Share
from libra_cli.training.rewards.facts import Facts, numbers

State = Mapping[str, Any]
Filter = Callable[..., tuple[Mask, State]]

FILTERS: Registry[Filter] = Registry("filter")


def _whole(keep_P: Mask, rewards_P_G: Array) -> Mask:
    return np.broadcast_to(keep_P[:, None], rewards_P_G.shape).copy()


@FILTERS.add("zero_spread")
def zero_spread(rewards_P_G: Array, facts: Facts, state: State) -> tuple[Mask, State]:
    """Drops prompts whose known rewards are all equal, or of which fewer than two are known (DAPO)."""
    return _whole(group_spread(rewards_P_G)[1], rewards_P_G), state


def _check_range(*, low: float, high: float) -> str | None:
    return None if low <= high else f"low must not be above high, got {low:g} and {high:g}"


@FILTERS.add("pass_rate", facts=("correct",), check=_check_range)
def pass_rate(
    rewards_P_G: Array, facts: Facts, state: State, *, low: Share = 0.2, high: Share = 0.8
) -> tuple[Mask, State]:
    """Keeps prompts whose share of correct responses, of those that are decided, is from `low` to `high` (PRIME)."""
    right = numbers(facts, "correct")
    known = ~np.isnan(right)
    rates = np.where(known, right, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return _whole((rates >= low) & (rates <= high) & known.any(axis=1), rewards_P_G), state


@FILTERS.add("reward_rank")
def reward_rank(
    rewards_P_G: Array,
    facts: Facts,
    state: State,
    *,
    how: Literal["best", "best_worst", "best_random", "pow", "max_min", "max_random"] = "best_worst",
    keep: Count,
    seed: int = 0,
) -> tuple[Mask, State]:
    """Keeps `keep` responses of each prompt: the best; best and worst; best and others (PF-PPO, 2409.06957).

    `best_worst` and `best_random` take the best for half of them, rounded up. `pow`, `max_min` and `max_random` draw
    distinct responses with `rank_weights`. Draws follow from the seed and the number of earlier batches.
    """
    batches = int(state.get("reward_rank_batches", 0))
    random = np.random.default_rng((seed, batches))
    kept = np.zeros(rewards_P_G.shape, dtype=bool)
    for prompt, rewards in enumerate(rewards_P_G):
        known = np.flatnonzero(~np.isnan(rewards))
        order, n_kept = known[np.argsort(-rewards[known], kind="stable")], min(keep, known.size)
        n_best = n_kept if how == "best" else (n_kept + 1) // 2
        if how in ("best", "best_worst"):
            chosen = np.concatenate([order[:n_best], order[known.size - (n_kept - n_best) :]])
        elif how == "best_random":
            chosen = np.concatenate([order[:n_best], random.choice(order[n_best:], n_kept - n_best, replace=False)])
        else:
            chosen = (
                random.choice(known, n_kept, replace=False, p=rank_weights(rewards[known], how)) if n_kept else known
            )
        kept[prompt, chosen] = True
    return kept, {**state, "reward_rank_batches": batches + 1}


def rank_weights(rewards_G: Array, how: str) -> Array:
    """Probabilities [G] with which PF-PPO draws responses anew, as verl has them.

    `pow`: as the squared reward; `max_min`: the best and the worst only; `max_random`: 4 for the best, 1 for any other.
    """
    if how == "pow":
        weights = np.abs(rewards_G) ** 2
    elif how == "max_min":
        weights = ((rewards_G == rewards_G.max()) | (rewards_G == rewards_G.min())).astype(np.float64)
    else:
        weights = np.where(np.arange(rewards_G.size) == rewards_G.argmax(), 0.4, 0.1)
    weights = weights + 1e-8
    return weights / weights.sum()


@FILTERS.add("spread_ema")
def spread_ema(
    rewards_P_G: Array,
    facts: Facts,
    state: State,
    *,
    beta: NonNegative = 0.5,
    decay: Share = 0.99,
    record_from: Count = 6,
    drop_from: Count = 11,
) -> tuple[Mask, State]:
    """Drops prompts whose standard deviation is below `beta` x its running mean over batches (RLPR, 2506.18254).

    The running mean starts at batch `record_from`, the filter at batch `drop_from`; batches count from 1.
    """
    known = ~np.isnan(rewards_P_G)
    n_known = known.sum(axis=1)
    mean = np.where(known, rewards_P_G, 0.0).sum(axis=1, keepdims=True) / np.maximum(n_known, 1)[:, None]
    squares = np.where(known, rewards_P_G - mean, 0.0) ** 2
    deviations = np.sqrt(squares.sum(axis=1) / np.maximum(n_known - 1, 1))
    batch, average = int(state.get("spread_ema_batches", 0)) + 1, state.get("spread_ema")
    if batch >= record_from and deviations.size:
        now = float(deviations.mean())
        average = now if average is None else decay * average + (1.0 - decay) * now
    kept = np.ones(len(deviations), dtype=bool)
    if batch >= drop_from and average is not None:
        kept = deviations >= beta * average
    return _whole(kept, rewards_P_G), {**state, "spread_ema_batches": batch, "spread_ema": average}


@FILTERS.add("one_each", facts=("correct",))
def one_each(rewards_P_G: Array, facts: Facts, state: State, *, seed: int = 0) -> tuple[Mask, State]:
    """Keeps one correct and one wrong response of each prompt at random; drops prompts that lack either (OREAL)."""
    batches = int(state.get("one_each_batches", 0))
    random = np.random.default_rng((seed, batches))
    kept = np.zeros(rewards_P_G.shape, dtype=bool)
    for prompt, right in enumerate(numbers(facts, "correct")):
        known = ~np.isnan(rewards_P_G[prompt])
        sides = np.flatnonzero((right > 0) & known), np.flatnonzero((right <= 0) & known)
        if all(side.size for side in sides):
            kept[prompt, [random.choice(side) for side in sides]] = True
    return kept, {**state, "one_each_batches": batches + 1}
