"""Terms of a reward: functions from facts to values [P, G], nan = unknown.

The keyword-only parameters of a term are its options in a configuration file.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from libra_cli.training.advantages import Array
from libra_cli.training.registry import Positive, Registry
from libra_cli.training.rewards.facts import Facts, NullBy, has_fact, null_causes, numbers

Term = Callable[..., Array]

TERMS: Registry[Term] = Registry("term")


@TERMS.add("correct", facts=("correct",))
def correct(facts: Facts, *, right: float = 1.0, wrong: float = 0.0) -> Array:
    """`right` for a correct response, else `wrong` (paper, section 5); corrected for noise if the recipe says so.

    A null that the policy caused is unknown here: the rule for nulls decides what it is worth.
    """
    name = "corrected" if has_fact(facts, "corrected") else "correct"
    values = wrong + (right - wrong) * numbers(facts, name)
    return np.where(null_causes(facts) == NullBy.POLICY, np.nan, values)


def _check_lengths(*, expected: float, longest: float) -> str | None:
    if expected < longest:
        return None
    return f"expected must be below longest, got {expected:g} and {longest:g}"


@TERMS.add("len_penalty", facts=("lengths",), check=_check_lengths)
def len_penalty(facts: Facts, *, expected: Positive = 16_384, longest: Positive = 32_768) -> Array:
    """How far a response is beyond the expected length, 1 at the longest or more (paper, Eq. 4); lengths in tokens."""
    return np.clip((numbers(facts, "lengths") - expected) / (longest - expected), 0.0, 1.0)


@TERMS.add("format", facts=("format",))
def format_term(facts: Facts) -> Array:
    """1 if the response keeps to the format, else 0."""
    return numbers(facts, "format")
