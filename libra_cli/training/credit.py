"""Credit: from the advantages of responses [P, G] to those of their tokens.

A method of credit returns None where every token of a response has the advantage of the response, else ragged arrays:
one of length T for each response, in lists [P][G]. Ragged facts have the same form: `tokens_P_G_T` (ids),
`step_rewards_P_G_S` (scores of steps) and `step_ends_P_G_S` (index of the last token of each step, increasing; the last
is the last token of the response).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from libra_cli.training.advantages import Array, group_spread
from libra_cli.training.registry import NonNegative, Registry, Share

Ragged = list[list[NDArray[np.float64]]]
Credit = Callable[..., "Ragged | None"]

CREDITS: Registry[Credit] = Registry("credit estimator")

STEPS = ("lengths", "step_rewards", "step_ends")


# -- steps of one response ------------------------------------------------------------------------------------------


def returns(rewards_S: ArrayLike, gamma: float = 1.0) -> Array:
    """The discounted sum of each step's own and later rewards [S]."""
    rewards = np.asarray(rewards_S, dtype=np.float64)
    summed, later = np.zeros_like(rewards), 0.0
    for step in range(len(rewards) - 1, -1, -1):
        later = rewards[step] + gamma * later
        summed[step] = later
    return summed


def min_form(scores_S: ArrayLike, temperature: float) -> Array:
    """Scores whose sum is about the least of them: each times its softmax weight of -score / temperature (PURE).

    With temperature 0 the first least score stays and the others are 0. An unknown score becomes 0 and has no weight.
    """
    scores = np.asarray(scores_S, dtype=np.float64)
    known = ~np.isnan(scores)
    if not known.any():
        return np.zeros_like(scores)
    least = np.nanmin(scores)
    if temperature == 0:
        return np.where(np.arange(scores.size) == np.nanargmin(scores), scores, 0.0)
    weights = np.where(known, np.exp((least - np.where(known, scores, least)) / temperature), 0.0)
    return np.where(known, scores, 0.0) * weights / weights.sum()


def clip_rewards(scores_S: ArrayLike, ceiling: float) -> Array:
    """min(score - ceiling, 0), 0 for an unknown one: no number of steps sums up to more than 0 (Clip, 2410.15115)."""
    return np.nan_to_num(np.minimum(np.asarray(scores_S, dtype=np.float64) - ceiling, 0.0))


def delta_rewards(scores_S: ArrayLike) -> Array:
    """Each score less the next one, the last as it is: the return of a step is its own score (Delta, 2410.15115).

    An unknown score counts as 0.
    """
    scores = np.nan_to_num(np.asarray(scores_S, dtype=np.float64))
    return scores - np.append(scores[1:], 0.0) if scores.size else scores


# -- from steps to tokens -------------------------------------------------------------------------------------------


def _steps(facts: Any) -> list[list[tuple[int, Array, NDArray[np.int64]]]]:
    """(tokens, scores [S], tokens of each step [S]) of each response; raises ValueError for steps that do not fit."""
    rows = []
    for prompt, (lengths, scores_G, ends_G) in enumerate(
        zip(facts["lengths_P_G"], facts["step_rewards_P_G_S"], facts["step_ends_P_G_S"], strict=True)
    ):
        row = []
        for response, (length, given, given_ends) in enumerate(zip(lengths, scores_G, ends_G, strict=True)):
            scores, ends = np.asarray(given, dtype=np.float64), np.asarray(given_ends, dtype=np.int64)
            tokens = np.diff(ends, prepend=-1)
            if len(scores) != len(ends) or np.any(tokens <= 0) or (len(ends) and ends[-1] + 1 != length):
                raise ValueError(
                    f"response {response} of prompt {prompt}: its {len(scores)} step scores and step ends "
                    f"{ends.tolist()} do not fit {int(length)} tokens"
                )
            row.append((int(length), scores, tokens))
        rows.append(row)
    return rows


def _over_steps(advantages_P_G: Array, rewards_P_G: Array, facts: Any, weight: float, value: Callable) -> Ragged:
    """The advantage of the response plus `weight` x `value(scores_S)` of a token's step; 0 for a dropped response."""
    credited: Ragged = []
    for advantages, rewards, row in zip(advantages_P_G, rewards_P_G, _steps(facts), strict=True):
        credited.append([])
        for advantage, reward, (length, scores, tokens) in zip(advantages, rewards, row, strict=True):
            steps = np.repeat(value(scores), tokens) if len(scores) else np.zeros(length)
            credited[-1].append(np.zeros(length) if np.isnan(reward) else advantage + weight * steps)
    return credited


@CREDITS.add("outcome")
def outcome(advantages_P_G: Array, rewards_P_G: Array, facts: Any) -> Ragged | None:
    """Every token has the advantage of its response (paper)."""
    return None


@CREDITS.add("clip", facts=STEPS)
def clip(
    advantages_P_G: Array,
    rewards_P_G: Array,
    facts: Any,
    *,
    ceiling: float = 0.9,
    delta: bool = True,
    gamma: Share = 1.0,
    weight: NonNegative = 1.0,
) -> Ragged:
    """Adds the returns of clipped step scores, with `delta` of their differences, to the outcome (2410.15115).

    `ceiling` is chosen so that most steps get 0; so does a step without a score.
    """

    def value(scores_S: Array) -> Array:
        clipped = clip_rewards(scores_S, ceiling)
        return returns(delta_rewards(clipped) if delta else clipped, gamma)

    return _over_steps(advantages_P_G, rewards_P_G, facts, weight, value)


@CREDITS.add("delta", facts=STEPS)
def delta(
    advantages_P_G: Array, rewards_P_G: Array, facts: Any, *, gamma: Share = 1.0, weight: NonNegative = 1.0
) -> Ragged:
    """Adds the returns of the differences of neighbouring step scores to the outcome (2410.15115)."""
    return _over_steps(
        advantages_P_G, rewards_P_G, facts, weight, lambda scores_S: returns(delta_rewards(scores_S), gamma)
    )


@CREDITS.add("min", facts=STEPS)
def least_step(
    advantages_P_G: Array,
    rewards_P_G: Array,
    facts: Any,
    *,
    temperature: NonNegative = 0.1,
    weight: NonNegative = 1.0,
) -> Ragged:
    """Adds returns of min-form step scores, less a leave-one-out baseline, to the outcome (PURE, 2504.15275).

    The baseline of a step is its number of tokens times the mean, over the other responses of the group, of their score
    per token: a mean over steps would favour fewer, longer ones. Temperature 0 is the strict form.
    """
    credited: Ragged = []
    for advantages, rewards, row in zip(advantages_P_G, rewards_P_G, _steps(facts), strict=True):
        shaped = [min_form(scores, temperature) for _, scores, _ in row]
        counted = np.array([not np.isnan(reward) and len(one) > 0 for reward, one in zip(rewards, shaped, strict=True)])
        per_token = np.array([one.sum() / max(length, 1) for one, (length, _, _) in zip(shaped, row, strict=True)])
        credited.append([])
        for index, (advantage, (length, _, tokens)) in enumerate(zip(advantages, row, strict=True)):
            others = per_token[counted & (np.arange(len(row)) != index)]
            if not counted[index] or not others.size:
                credited[-1].append(np.full(length, 0.0 if np.isnan(rewards[index]) else advantage))
                continue
            steps = returns(shaped[index] - others.mean() * tokens)
            credited[-1].append(advantage + weight * np.repeat(steps, tokens))
    return credited


# -- tokens -----------------------------------------------------------------------------------------------------------


def prefix_values(tokens_G: Sequence[Sequence[int]], rewards_G: ArrayLike) -> list[Array]:
    """V of the prefix that ends in each token: the mean known reward of the responses of the group that share it.

    One array [T] for each response; nan where no reward is known. Time and memory are linear in the tokens, and a
    response is read only as far as it shares its prefix with one of another reward.
    """
    rewards = np.asarray(rewards_G, dtype=np.float64)
    values = [np.full(len(tokens), np.nan) for tokens in tokens_G]
    groups, position = [list(range(len(tokens_G)))], 0
    while groups:
        parted: dict[tuple[int, int], list[int]] = {}
        for number, members in enumerate(groups):
            for index in members:
                if position < len(tokens_G[index]):
                    parted.setdefault((number, int(tokens_G[index][position])), []).append(index)
        groups = []
        for members in parted.values():
            own = rewards[members]
            known = own[~np.isnan(own)]
            value = known.mean() if known.size else np.nan
            decided = known.size == own.size and np.all(known == known[0])
            for index in members:
                values[index][position:] = known[0] if decided else value
            if not decided and len(members) > 1:
                groups.append(members)
        position += 1
    return values


@CREDITS.add("tempo", facts=("tokens",))
def tempo(advantages_P_G: Array, rewards_P_G: Array, facts: Any, *, epsilon: NonNegative = 1e-6) -> Ragged:
    """(reward - mean + V(with the token) - V(before it)) / (standard deviation + epsilon) (TEMPO, 2509.18314).

    V of a prefix is the mean reward of the group's responses that share it; the empty one has the mean. Without shared
    prefixes this is group_norm, which must be the estimator.
    """
    spread = group_spread(rewards_P_G)[1]
    credited: Ragged = []
    for rewards, tokens_G, learns in zip(rewards_P_G, facts["tokens_P_G_T"], spread, strict=True):
        known = ~np.isnan(rewards)
        if not learns:
            credited.append([np.zeros(len(tokens)) for tokens in tokens_G])
            continue
        mean, deviation = rewards[known].mean(), rewards[known].std(ddof=1)
        values = prefix_values(tokens_G, rewards)
        credited.append(
            [
                (reward - mean + np.diff(own, prepend=mean)) / (deviation + epsilon) if ok else np.zeros(len(own))
                for reward, own, ok in zip(rewards, values, known, strict=True)
            ]
        )
    return credited
