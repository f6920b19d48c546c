"""What a reward plan gives for a batch of responses, and the counts that a step logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.training.advantages import Array, Mask
from libra_cli.training.credit import Ragged

PENALTY_EDGES = tuple(edge / 10 for edge in range(11))
"""Edges of the penalty histogram's bins above 0; the first bin holds the responses without a penalty."""


@dataclass(frozen=True)
class RewardCounts:
    """Counts of a batch before any filter."""

    prompts: int
    responses: int
    zero_spread: int
    """Groups whose two or more known rewards are all equal."""
    too_few_known: int
    """Groups with fewer than two known rewards."""
    null_by_policy: int
    null_by_verifier: int
    """Responses whose reward is unknown, or was set by the rule for verifiers' nulls."""
    dropped: Mapping[str, int]
    """Responses that each filter dropped, by its name."""
    penalties: tuple[int, ...]
    """Responses without a length penalty, then with one up to 0.1, up to 0.2, ... up to 1."""


@dataclass(frozen=True)
class RewardBatch:
    """Rewards and advantages of P prompts with G responses each; nan is unknown."""

    names_K: tuple[str, ...]
    """The K terms, as figures call them."""
    terms_K_P_G: Array
    """Their values after transforms and gates, before weights."""
    weights_K: Array
    rewards_P_G: Array
    keep_P_G: Mask
    """The responses that the loss counts."""
    passed_P_G: Mask
    """The responses that all filters keep; the loss leaves out those of them that `mask_truncated` names."""
    advantages_P_G: Array
    advantages_P_G_T: Ragged | None
    """Advantages of single tokens, where the method of credit gives any."""
    counts: RewardCounts
    state: Mapping[str, Any]
    """What filters remember; give it to the next `apply`."""
    warnings: tuple[str, ...] = ()

    @property
    def advantages(self) -> list[float | NDArray[np.float32]]:
        """[P * G]: one advantage for all tokens of a response, or one for each token."""
        if self.advantages_P_G_T is None:
            return [float(value) for value in self.advantages_P_G.reshape(-1)]
        return [np.asarray(values, np.float32) for group in self.advantages_P_G_T for values in group]

    def figures(self) -> dict[str, float]:
        """Flat figures of a step's log: means over what is known (nan if nothing is), and shares."""
        counts = self.counts
        means = {f"reward/{name}": _mean(values) for name, values in zip(self.names_K, self.terms_K_P_G, strict=True)}
        known = self.rewards_P_G[~np.isnan(self.rewards_P_G)]
        return {
            "reward": _mean(self.rewards_P_G),
            "reward_std": float(np.std(known, ddof=1)) if known.size > 1 else float("nan"),
            **means,
            "zero_spread_share": (counts.zero_spread + counts.too_few_known) / max(counts.prompts, 1),
            "null_by_policy_share": counts.null_by_policy / max(counts.responses, 1),
            "null_by_verifier_share": counts.null_by_verifier / max(counts.responses, 1),
            "kept_share": float(np.mean(self.keep_P_G)) if self.keep_P_G.size else 0.0,
        }


def penalty_histogram(penalties_P_G: Array) -> tuple[int, ...]:
    """Counts of the penalties that are 0, then in ten bins (0, 0.1], ... (0.9, 1]; a larger one is in the last bin."""
    known = penalties_P_G[~np.isnan(penalties_P_G)]
    bins = np.digitize(np.minimum(known, PENALTY_EDGES[-1]), PENALTY_EDGES[:-1], right=True)
    return tuple(np.bincount(np.maximum(bins, 0), minlength=len(PENALTY_EDGES)).tolist())


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
