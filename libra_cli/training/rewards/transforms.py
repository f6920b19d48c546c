"""Transforms: monotone functions of a term's values [P, G]; unknown stays unknown."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.training.advantages import Array
from libra_cli.training.registry import Registry
from libra_cli.training.rewards.facts import Facts

Transform = Callable[..., Array]

TRANSFORMS: Registry[Transform] = Registry("transform")


@TRANSFORMS.add("none")
def none(values_P_G: Array, facts: Facts, name: str) -> Array:
    """The values as they are; `name` is the fact or term that they come from."""
    return values_P_G
