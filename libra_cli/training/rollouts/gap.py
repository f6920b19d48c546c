"""Whether a sampler has the weights in training: its log-probabilities of a few responses beside the trainer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.training.rollouts.rollout import GradedResponse

MAX_GAP = {"fp32": 1e-3, "bf16": 0.1}
"""Mean difference, in nats, that rounding may cause between the log-probabilities of sampler and trainer."""
PROBES, PROBE_TOKENS, PROBE_LONGEST = 4, 16, 512
"""Responses of each rank, preferably of 16 tokens or more, by whose first 512 the hand-over of weights is checked."""
SERVER_PROBES, SERVER_PROBE_TOKENS = 2, 64
"""Responses of each server that are sampled for this alone, and their tokens."""


class Gap(NamedTuple):
    """Difference of the log-probabilities of sampler and trainer, in nats."""

    mean: float
    largest: float


def probes_among(responses: Sequence[GradedResponse], count: int) -> list[GradedResponse]:
    """The beginnings of at most `count` short responses; single tokens would prove little."""
    written = sorted(
        (each for each in responses if len(each.token_ids)),
        key=lambda each: (len(each.token_ids) < PROBE_TOKENS, len(each.token_ids)),
    )
    first = slice(PROBE_LONGEST)
    return [
        replace(each, token_ids=each.token_ids[first], sampler_logp=each.sampler_logp[first])
        for each in written[:count]
    ]


def checked_gap(
    sampler_logp: Sequence[np.ndarray], trainer_logp: Sequence[np.ndarray], bound: float, sampler: str
) -> Gap:
    """The gap between two lists of log-probabilities, [T] each. Raises Fatal(6) beyond `bound`: the sampler does not
    have the weights in training."""
    pairs = zip(sampler_logp, trainer_logp, strict=True)
    differences = np.abs(np.concatenate([mine - its for its, mine in pairs]))
    gap = Gap(float(differences.mean()), float(differences.max()))
    if not gap.mean <= bound:
        what = f"the log-probabilities of {sampler} differ from the trainer's by {gap.mean:.3g} nats on average"
        cure = "its weights are not those in training; another --sampler may do, or raise --max-gap"
        raise Fatal(Exit.BACKEND, f"{what}, more than {bound:g}: {cure}")
    return gap
