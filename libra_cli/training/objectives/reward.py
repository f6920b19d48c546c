"""Reward modelling: Bradley-Terry on pairs, and binary cross-entropy on labelled responses.

The model gives one score r to each sequence (axis P: pairs; axis S: sequences), in place of a log-probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from libra_cli.training.objectives.base import Loss, TokenBatch
from libra_cli.training.preference_settings import RewardLossSettings


def bradley_terry_losses(chosen_P: Tensor, rejected_P: Tensor, margin_P: Tensor | float = 0.0) -> Tensor:
    """-log sigmoid(r+ - r- - m): [P] (Llama 2, arXiv:2307.09288, equation 2; without m: InstructGPT, arXiv:2203.02155).

    As in TRL 1.16, `RewardTrainer`.
    """
    return -logsigmoid(chosen_P - rejected_P - margin_P)


def centering_losses(chosen_P: Tensor, rejected_P: Tensor) -> Tensor:
    """(r+ + r-)^2: [P]; draws scores towards a mean of 0 (arXiv:2312.09244; TRL's `center_rewards_coefficient`)."""
    return (chosen_P + rejected_P) ** 2


class RewardObjective:
    """The mean loss of pairs (`bt`) or of labelled responses (`bce`), by `settings`.

    Each sample has one target, whose value is the score of the sequence. Samples 2i and 2i + 1 of a micro-batch are the
    chosen and the rejected response of a pair; `baseline` of the chosen one is the margin. `bce` needs `label`.
    """

    linear = False

    def __init__(self, settings: RewardLossSettings):
        self.settings = settings

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        scores_S = log_probs_N.double()
        if len(scores_S) != batch.n_samples:
            raise ValueError(f"{len(scores_S)} scores of {batch.n_samples} samples; each has one")
        if self.settings.on_pairs:
            losses_P, is_good_S, correct = self._pairs(scores_S, batch)
            total = (losses_P * batch.weight[0::2].double()).sum()
        else:
            if batch.label is None:
                raise ValueError("responses without label")
            label_S = batch.label.double()
            is_good_S = label_S > 0.5
            losses_S = binary_cross_entropy_with_logits(scores_S, label_S, reduction="none")
            correct = ((scores_S.detach() > 0) == is_good_S).double().sum()
            total = (losses_S * batch.weight.double()).sum()
        sums: dict[str, Tensor | float] = {"loss": total.detach(), "correct": correct}
        for side, is_meant_S in (("chosen", is_good_S), ("rejected", ~is_good_S)):
            sums[f"n_{side}"] = is_meant_S.double().sum()
            sums[f"reward_{side}"] = torch.where(is_meant_S, scores_S.detach(), 0.0).sum()
        return Loss(total, sums)

    def _pairs(self, scores_S: Tensor, batch: TokenBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Losses [P], which samples are chosen ones [S], and the number of pairs that are scored the right way."""
        chosen_P, rejected_P = scores_S[0::2], scores_S[1::2]
        margin_P = 0.0 if batch.baseline is None else batch.baseline[0::2].double()
        losses_P = bradley_terry_losses(chosen_P, rejected_P, margin_P)
        if self.settings.centering:
            losses_P = losses_P + self.settings.centering * centering_losses(chosen_P, rejected_P)
        is_chosen_S = torch.arange(len(scores_S), device=scores_S.device) % 2 == 0
        return losses_P, is_chosen_S, (chosen_P > rejected_P).double().sum()

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        """The loss, and mean scores of the chosen (right) and of the other responses; NaN where there are none.

        `reward_margin`: the difference of both means. `reward_accuracy`: the share of pairs whose chosen response has
        the greater score; of labelled responses, the share whose score is above 0 just if the label says so.
        """
        n_chosen, n_rejected = sums["n_chosen"], sums["n_rejected"]
        chosen = sums["reward_chosen"] / n_chosen if n_chosen else math.nan
        rejected = sums["reward_rejected"] / n_rejected if n_rejected else math.nan
        decided = n_chosen if self.settings.on_pairs else n_chosen + n_rejected
        return {
            "loss": sums["loss"],
            "reward_chosen": chosen,
            "reward_rejected": rejected,
            "reward_margin": chosen - rejected,
            "reward_accuracy": sums["correct"] / decided if decided else math.nan,
        }
