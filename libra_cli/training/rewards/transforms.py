"""Transforms: functions of a term's values [P, G]; unknown stays unknown.

`name` is the fact or term that the values come from; `center: reference` reads the scores of reference responses of the
same prompts, the fact `NAME_reference_P_M`.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Annotated, Literal

import numpy as np

from libra_cli.exits import InvalidOptions
from libra_cli.training.advantages import Array
from libra_cli.training.registry import Interval, NonNegative, Positive, Registry
from libra_cli.training.rewards.facts import Facts, numbers

Transform = Callable[..., Array]
Center = float | Literal["reference"]
Quantile = Annotated[float, Interval(0.001, 0.999)]

TRANSFORMS: Registry[Transform] = Registry("transform")


def _log_sigmoid(values: Array) -> Array:
    with np.errstate(invalid="ignore"):  # unknown stays unknown
        return -np.logaddexp(0.0, -values)


@TRANSFORMS.add("none")
def none(values_P_G: Array, facts: Facts, name: str) -> Array:
    """The values as they are."""
    return values_P_G


@TRANSFORMS.add("sigmoid")
def sigmoid(values_P_G: Array, facts: Facts, name: str, *, center: Center = 0.0, slope: Positive = 1.0) -> Array:
    """sigmoid(slope x (value - center)); with references, the mean probability of beating one (PAR)."""
    if center == "reference":
        above_P_G_M = values_P_G[:, :, None] - numbers(facts, f"{name}_reference")[:, None, :]
        known = ~np.isnan(above_P_G_M)
        beats = np.where(known, np.exp(_log_sigmoid(slope * np.where(known, above_P_G_M, 0.0))), 0.0).sum(axis=2)
        return np.divide(beats, known.sum(axis=2), out=np.full_like(values_P_G, np.nan), where=known.any(axis=2))
    return np.exp(_log_sigmoid(slope * (values_P_G - center)))


@TRANSFORMS.add("log_sigmoid")
def log_sigmoid(
    values_P_G: Array, facts: Facts, name: str, *, center: Center = 0.0, quantile: Quantile | None = None
) -> Array:
    """log sigmoid(value - center): a sum over aspects is the log-probability that all are good (2402.00742).

    With references, the center is their mean, or a quantile of the normal distribution fitted to those of the prompt.
    """
    if center != "reference":
        return _log_sigmoid(values_P_G - center)
    references = numbers(facts, f"{name}_reference")
    n_known = np.sum(~np.isnan(references), axis=1)
    least = 1 if quantile is None else 2
    for prompt in np.flatnonzero(n_known < least):
        raise InvalidOptions(
            f"transform log_sigmoid: prompt {prompt} has {n_known[prompt]} scores in {name}_reference_P_M: "
            f"score {least} reference responses or more of each prompt"
        )
    centers = np.nanmean(references, axis=1)
    if quantile is not None:
        centers = centers + NormalDist().inv_cdf(quantile) * np.nanstd(references, axis=1, ddof=1)
    return _log_sigmoid(values_P_G - centers[:, None])


@TRANSFORMS.add("tanh")
def tanh(values_P_G: Array, facts: Facts, name: str, *, center: float = 0.0, slope: Positive = 1.0) -> Array:
    """tanh(slope x (value - center))."""
    return np.tanh(slope * (values_P_G - center))


@TRANSFORMS.add("clip", check=lambda *, low, high: None if low < high else f"low must be below high, got {low}, {high}")
def clip(values_P_G: Array, facts: Facts, name: str, *, low: float = 0.0, high: float = 1.0) -> Array:
    """The values, at least `low` and at most `high`."""
    return np.clip(values_P_G, low, high)


@TRANSFORMS.add("threshold")
def threshold(values_P_G: Array, facts: Facts, name: str, *, above: float = 0.5) -> Array:
    """1 where the value is above `above`, else 0."""
    return np.where(np.isnan(values_P_G), np.nan, (values_P_G > above).astype(np.float64))


@TRANSFORMS.add("z_score")
def z_score(values_P_G: Array, facts: Facts, name: str, *, epsilon: NonNegative = 0.0) -> Array:
    """(value - mean) / standard deviation (n - 1) over the batch; 0 where all are equal."""
    known = values_P_G[~np.isnan(values_P_G)]
    if known.size < 2 or np.ptp(known) == 0:
        return values_P_G * 0.0
    return (values_P_G - known.mean()) / (known.std(ddof=1) + epsilon)


@TRANSFORMS.add("min_max")
def min_max(values_P_G: Array, facts: Facts, name: str) -> Array:
    """The values between the least (0) and the greatest (1) of the batch; 0 where all are equal."""
    known = values_P_G[~np.isnan(values_P_G)]
    if known.size < 2 or np.ptp(known) == 0:
        return values_P_G * 0.0
    return (values_P_G - known.min()) / np.ptp(known)


@TRANSFORMS.add("share_of_best")
def share_of_best(values_P_G: Array, facts: Facts, name: str) -> Array:
    """The value over the greatest of its group; 0 where that is not positive (C-GRPO)."""
    best = np.where(np.isnan(values_P_G), -np.inf, values_P_G).max(axis=1, keepdims=True, initial=-np.inf)
    shares = np.divide(values_P_G, best, out=np.zeros_like(values_P_G), where=np.isfinite(best) & (best > 0))
    return np.where(np.isnan(values_P_G), np.nan, shares)


@TRANSFORMS.add("trust", facts=("correct",))
def trust(values_P_G: Array, facts: Facts, name: str) -> Array:
    """The value times exp(the group's mean over right responses - over wrong ones), at most 1 (SophiaVL's Trust-GRPO).

    0 where all responses of the group are right, or all are wrong.
    """
    right = numbers(facts, "correct")
    trusted = np.zeros_like(values_P_G)
    for prompt, values in enumerate(values_P_G):
        accepted, rejected = ((right[prompt] > 0) == side for side in (True, False))
        known = ~np.isnan(values) & ~np.isnan(right[prompt])
        if (accepted & known).any() and (rejected & known).any():
            difference = values[accepted & known].mean() - values[rejected & known].mean()
            trusted[prompt] = np.exp(min(difference, 0.0)) * values
    return np.where(np.isnan(values_P_G), np.nan, trusted)
