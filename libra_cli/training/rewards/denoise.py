"""Corrections of `correct` for a verifier that errs (Verifiable yet noisy rewards, 2510.00915).

fpr = P(accepted | wrong), fnr = P(rejected | right). A correction is a function `(facts, **options) -> facts`.
"""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.training.registry import Registry
from libra_cli.training.rewards.facts import Facts

Noise = Callable[..., Facts]

NOISES: Registry[Noise] = Registry("noise correction")


@NOISES.add("none")
def none(facts: Facts) -> Facts:
    """The verdicts as they are."""
    return facts
