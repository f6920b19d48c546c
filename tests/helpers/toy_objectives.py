"""Objectives on samples in memory: a DPO-like one over pairs, which the package does not ship, and its GRPO ones.

Each has a reference in plain autograd, sample by sample, that shares no code with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from libra_cli.training.data.sources import Annotations, StepBatch
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.data.trajectories import Trajectories, Trajectory
from libra_cli.training.objectives.base import Loss, TokenBatch
from libra_cli.training.objectives.grpo import GrpoObjective, GrpoSettings, token_weights

VOCABULARY = 61
LENGTHS = (9, 14, 21, 6, 12, 17, 8, 11)
BETA, LOW, HIGH, KL, CAP = 0.5, 0.2, 0.28, 0.1, 2.0


class ToySamples:
    """Random documents of LENGTHS tokens; the second half of each is targets."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self._samples = [
            Encoded(draw.integers(0, VOCABULARY, n).astype(np.int32), np.arange(n) >= n // 2) for n in LENGTHS
        ]
        self.lengths = np.array(LENGTHS)
        self.n_targets = np.array([int(sample.loss_mask.sum()) for sample in self._samples])
        self.old_logp = [draw.normal(-4, 0.2, n).astype(np.float32) for n in self.n_targets]
        self.ref_logp = [draw.normal(-4, 0.5, n).astype(np.float32) for n in self.n_targets]
        self.advantage = draw.normal(0, 1, len(LENGTHS)).astype(np.float32)
        self.sampler_logp = [old + draw.normal(0, 0.5, len(old)).astype(np.float32) for old in self.old_logp]

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Encoded:
        return self._samples[index]

    def name(self, index: int) -> str:
        return f"toy-{index}"


def per_sample(values_N: Tensor, batch: TokenBatch) -> Tensor:
    """Sums over the targets of each sample."""
    return values_N.new_zeros(batch.n_samples).index_add(0, batch.sample, values_N)


class PairObjective:
    """Samples 2i and 2i + 1 of a micro-batch are the chosen and the rejected answer of a pair."""

    linear = False
    units = ((0, 1), (2, 3), (4, 5), (6, 7))

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        assert batch.ref_logp is not None
        ratio_S = per_sample(log_probs_N - batch.ref_logp, batch)
        weight_S = per_sample(batch.weight, batch) / per_sample(torch.ones_like(batch.weight), batch)
        margin_P = BETA * (ratio_S[0::2] - ratio_S[1::2])
        total = -(logsigmoid(margin_P) * weight_S[0::2]).sum()
        detached = margin_P.detach().double()
        return Loss(total, {"loss": total.detach().double(), "margin": detached.sum(), "pairs": len(margin_P)})

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"], "margin": sums["margin"] / sums["pairs"]}

    def batch(self, samples: ToySamples) -> StepBatch:
        weight = dict.fromkeys(range(len(samples)), 1 / len(self.units))
        return StepBatch(samples, self.units, Annotations(weight, ref_logp=dict(enumerate(samples.ref_logp))))

    @staticmethod
    def reference(log_probs: Sequence[Tensor], samples: ToySamples) -> Tensor:
        sums = [(mine - torch.from_numpy(ref)).sum() for mine, ref in zip(log_probs, samples.ref_logp, strict=True)]
        margins = [BETA * (sums[chosen] - sums[rejected]) for chosen, rejected in PairObjective.units]
        return -sum(logsigmoid(margin) for margin in margins) / len(margins)  # type: ignore[return-value]


class ClippedObjective(GrpoObjective):
    """The token's ratio to the trainer's own log-probabilities, weighed by the gap to the sampler's."""

    units = ((0, 1, 2, 3), (4, 5, 6, 7))

    def __init__(self, policy: str = "clip") -> None:
        super().__init__(GrpoSettings(policy, low=LOW, high=HIGH, kl=KL, importance_cap=CAP))

    def batch(self, samples: ToySamples) -> StepBatch:
        trajectories = Trajectories([
            Trajectory(samples.sample(i), samples.name(i), samples.sampler_logp[i], float(samples.advantage[i]),
                       samples.old_logp[i], samples.ref_logp[i])
            for i in range(len(samples))
        ])  # fmt: skip
        weights = token_weights(samples.n_targets.tolist(), self.settings.aggregate)
        return replace(trajectories.mini_batch(range(len(samples)), weights), units=self.units)

    def reference(self, log_probs: Sequence[Tensor], samples: ToySamples) -> Tensor:
        responses = []
        for i, mine in enumerate(log_probs):
            old, ref, sampler = (torch.from_numpy(values[i])
                                 for values in (samples.old_logp, samples.ref_logp, samples.sampler_logp))  # fmt: skip
            advantage = float(samples.advantage[i])
            ratio = torch.exp(mine) / torch.exp(old)
            if self.settings.policy == "gspo":
                ratio = (mine - old).mean().exp().detach() * torch.exp(mine - mine.detach())
            gains = torch.stack([ratio * advantage, torch.clamp(ratio, 1 - LOW, 1 + HIGH) * advantage]).min(0).values
            kl = torch.exp(ref) / torch.exp(mine) - 1 - (ref - mine)
            responses.append((gains * torch.exp(old - sampler).clamp(max=CAP) - KL * kl).mean())
        return -torch.stack(responses).mean()


class SequenceObjective(ClippedObjective):
    """The ratio of the whole response (GSPO)."""

    def __init__(self) -> None:
        super().__init__("gspo")


def plain_log_probs(model: Any, samples: ToySamples) -> list[Tensor]:
    """Log-probabilities of the targets of each sample, from whole logits, one sample at a time."""
    out = []
    for i in range(len(samples)):
        ids = torch.from_numpy(samples.sample(i).ids).long()
        log_probs = torch.log_softmax(model(input_ids=ids[None], use_cache=False).logits[0, :-1].float(), -1)
        mask = torch.from_numpy(samples.sample(i).loss_mask[1:])
        out.append(log_probs.gather(-1, ids[1:, None]).squeeze(-1)[mask])
    return out
