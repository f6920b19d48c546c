"""Gates: a term counts only where a fact is above a value (Posterior-GRPO, G-RA, C-GRPO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from libra_cli.exits import InvalidOptions
from libra_cli.training.advantages import Array
from libra_cli.training.registry import Bound, convert, mapping, unknown
from libra_cli.training.rewards.facts import Facts, numbers
from libra_cli.training.rewards.terms import TERMS, Term


@dataclass(frozen=True)
class Gate:
    """Lets a term through where `fact` is above `above`; elsewhere it is `otherwise`, a number or another term."""

    fact: str
    above: float = 0.0
    otherwise: float | Bound[Term] = 0.0

    @staticmethod
    def from_config(config: Any, place: str) -> Gate:
        """The gate that `{fact: NAME, above: NUMBER, else: NUMBER or TERM}` describes; raises InvalidOptions."""
        config = mapping(config, place)
        for key in config:
            if key not in ("fact", "above", "else"):
                raise InvalidOptions(f"{place}.{key}: {unknown('key of a gate', key, ('fact', 'above', 'else'))}")
        if "fact" not in config:
            raise InvalidOptions(f"{place}: a gate needs the fact that opens it, such as {{fact: format, above: 0}}")
        fact, above = (
            convert(config["fact"], str, f"{place}.fact"),
            convert(config.get("above", 0), float, f"{place}.above"),
        )
        otherwise = config.get("else", 0.0)
        if isinstance(otherwise, (int, float)) and not isinstance(otherwise, bool):
            return Gate(fact, above, float(otherwise))
        return Gate(fact, above, TERMS.bind(otherwise, f"{place}.else"))

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that the gate reads."""
        return (self.fact, *(self.otherwise.facts if isinstance(self.otherwise, Bound) else ()))

    def __call__(self, values_P_G: Array, facts: Facts) -> Array:
        measured = numbers(facts, self.fact)
        otherwise = self.otherwise(facts) if isinstance(self.otherwise, Bound) else self.otherwise
        return np.where(np.isnan(measured), np.nan, np.where(measured > self.above, values_P_G, otherwise))
