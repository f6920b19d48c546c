"""Two objectives that the package does not ship, in memory: a DPO-like one over pairs, a GRPO-like clipped one.

Each has a reference in plain autograd, sample by sample, that shares no code with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from libra_cli.training.data.sources import Annotations, StepBatch
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.objectives.base import Loss, TokenBatch

VOCABULARY = 61
LENGTHS = (9, 14, 21, 6, 12, 17, 8, 11)
BETA, CLIP, KL = 0.5, 0.2, 0.1


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


class ClippedObjective:
    """Token mean, then response mean, of the clipped importance ratio times the advantage, with a KL penalty."""

    linear = False
    units = ((0, 1, 2, 3), (4, 5, 6, 7))

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        assert batch.old_logp is not None
        assert batch.ref_logp is not None
        ratio = (log_probs_N - batch.old_logp).exp()
        clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
        difference = batch.ref_logp - log_probs_N
        gain = torch.minimum(ratio * batch.advantage, clipped * batch.advantage)
        total = -((gain - KL * (difference.exp() - difference - 1)) * batch.weight).sum()
        cut = (ratio != clipped).sum()
        return Loss(total, {"loss": total.detach().double(), "clipped": cut, "targets": len(log_probs_N)})

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"], "clipped": sums["clipped"] / sums["targets"]}

    def batch(self, samples: ToySamples) -> StepBatch:
        weight = {i: 1 / (int(n) * len(samples)) for i, n in enumerate(samples.n_targets)}
        return StepBatch(samples, self.units, Annotations(
            weight, dict(enumerate(map(float, samples.advantage))), dict(enumerate(samples.old_logp)),
            dict(enumerate(samples.ref_logp)),
        ))  # fmt: skip

    @staticmethod
    def reference(log_probs: Sequence[Tensor], samples: ToySamples) -> Tensor:
        responses = []
        for i, mine in enumerate(log_probs):
            old, ref = torch.from_numpy(samples.old_logp[i]), torch.from_numpy(samples.ref_logp[i])
            ratio, advantage = torch.exp(mine) / torch.exp(old), float(samples.advantage[i])
            gains = torch.stack([ratio * advantage, torch.clamp(ratio, 1 - CLIP, 1 + CLIP) * advantage]).min(0).values
            kl = torch.exp(ref) / torch.exp(mine) - 1 - (ref - mine)
            responses.append((gains - KL * kl).mean())
        return -torch.stack(responses).mean()


def plain_log_probs(model: Any, samples: ToySamples) -> list[Tensor]:
    """Log-probabilities of the targets of each sample, from whole logits, one sample at a time."""
    out = []
    for i in range(len(samples)):
        ids = torch.from_numpy(samples.sample(i).ids).long()
        log_probs = torch.log_softmax(model(input_ids=ids[None], use_cache=False).logits[0, :-1].float(), -1)
        mask = torch.from_numpy(samples.sample(i).loss_mask[1:])
        out.append(log_probs.gather(-1, ids[1:, None]).squeeze(-1)[mask])
    return out
