"""Filters: which responses of a batch are learned from, by their rewards.

A filter is a function `(rewards_P_G, facts, state, **options) -> (keep_P_G, state)`. The state is what it remembers of
earlier steps, a mapping that JSON can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from libra_cli.training.advantages import Array, Mask, group_spread
from libra_cli.training.registry import Registry
from libra_cli.training.rewards.facts import Facts

State = Mapping[str, Any]
Filter = Callable[..., tuple[Mask, State]]

FILTERS: Registry[Filter] = Registry("filter")


@FILTERS.add("zero_spread")
def zero_spread(rewards_P_G: Array, facts: Facts, state: State) -> tuple[Mask, State]:
    """Drops prompts whose known rewards are all equal, or of which fewer than two are known (DAPO)."""
    return np.broadcast_to(group_spread(rewards_P_G)[1][:, None], rewards_P_G.shape).copy(), state
