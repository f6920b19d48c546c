"""Preference optimisation (paper, section 7): DPO and its relatives on pairs, KTO and others on labelled responses.

Everything is a function of s = log pi(y) - log pi_ref(y), summed over the tokens of a response (axis P: pairs; axis S:
labelled responses). beta s is the implicit reward. Where TRL 1.16 has a loss of the same name, the two agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from libra_cli.choices import LABELLED_LOSSES, PAIR_LOSSES
from libra_cli.training.objectives.base import Loss, TokenBatch
from libra_cli.training.preference_settings import PreferenceLossSettings

SIGMOID, CDPO, ROBUST, IPO, SIGMOID_NORM, BCO_PAIR, SOFT = PAIR_LOSSES
KTO, BCO, CE = LABELLED_LOSSES


def sigmoid_losses(margin_P: Tensor) -> Tensor:
    """-log sigmoid(z): [P], with z = beta (s+ - s-) (DPO, arXiv:2305.18290, equation 7)."""
    return -logsigmoid(margin_P)


def soft_losses(margin_P: Tensor, probability_P: Tensor | float) -> Tensor:
    """-q log sigmoid(z) - (1 - q) log sigmoid(-z): [P]; q is how likely the chosen response is the better one.

    q = 1 - e is cDPO (Mitchell 2023, a note on DPO with noisy preferences; conservative DPO); q of win rates is DNO
    (arXiv:2404.03715, algorithm 2).
    """
    return -probability_P * logsigmoid(margin_P) - (1 - probability_P) * logsigmoid(-margin_P)


def robust_losses(margin_P: Tensor, smoothing: float) -> Tensor:
    """(-(1 - e) log sigmoid(z) + e log sigmoid(-z)) / (1 - 2e): [P]; unbiased if a share e < 0.5 of pairs is flipped.

    Robust DPO, arXiv:2403.00409, equation 9. Not bounded below, unlike `soft_losses`.
    """
    return (-(1 - smoothing) * logsigmoid(margin_P) + smoothing * logsigmoid(-margin_P)) / (1 - 2 * smoothing)


def ipo_losses(difference_P: Tensor, beta: float) -> Tensor:
    """(s+/n+ - s-/n- - 1 / (2 beta))^2: [P], of means per token, as TRL has it (IPO, arXiv:2310.12036, equation 17)."""
    return (difference_P - 1 / (2 * beta)) ** 2


def bco_pair_losses(rewards_chosen_P: Tensor, rewards_rejected_P: Tensor) -> Tensor:
    """-log sigmoid(beta s+) - log sigmoid(-beta s-): [P] (BCO, arXiv:2404.04656, without its shift)."""
    return -logsigmoid(rewards_chosen_P) - logsigmoid(-rewards_rejected_P)


def kto_losses(rewards_S: Tensor, is_desirable_S: Tensor, kl_reward: Tensor | float) -> Tensor:
    """1 - sigmoid(r - k) of a desirable response, 1 - sigmoid(k - r) of another: [S] (KTO, arXiv:2402.01306, eq. 8).

    r = beta s; k = beta max(0, mean of s over responses to other prompts), without gradient (`kl_reward`).
    """
    return 1 - torch.sigmoid(torch.where(is_desirable_S, rewards_S - kl_reward, kl_reward - rewards_S))


def binary_losses(rewards_S: Tensor, is_desirable_S: Tensor, shift: Tensor | float = 0.0) -> Tensor:
    """-log sigmoid(r - d) of a desirable response, -log sigmoid(d - r) of another: [S].

    With d the running mean of all rewards: BCO (arXiv:2404.04656, equation 9). With d = 0: the cross-entropy of an
    implicit process reward model (arXiv:2412.01981, equation 6).
    """
    return -logsigmoid(torch.where(is_desirable_S, rewards_S - shift, shift - rewards_S))


class Responses(NamedTuple):
    """The responses of a micro-batch: each [S], float64."""

    log_ratio: Tensor
    """s, which has the gradient."""
    log_probs: Tensor
    """Sum of the log-probabilities of the policy, without gradient."""
    length: Tensor
    """Targets."""
    weight: Tensor
    """Share of the response, or of its pair, in the loss of the step."""

    @classmethod
    def of(cls, log_probs_N: Tensor, batch: TokenBatch) -> Responses:
        """Sums over the targets of each sample. Raises ValueError without log-probabilities of the reference."""
        if batch.ref_logp is None:
            raise ValueError("samples without ref_logp")
        zeros_S = log_probs_N.new_zeros(batch.n_samples, dtype=torch.float64)
        total = lambda values_N: zeros_S.index_add(0, batch.sample, values_N.double())  # noqa: E731
        length_S = total(torch.ones_like(log_probs_N))
        weight_S = total(batch.weight) / length_S.clamp(min=1)
        return cls(total(log_probs_N - batch.ref_logp), total(log_probs_N.detach()), length_S, weight_S)


def per_sample(values_N: Tensor, batch: TokenBatch) -> Tensor:
    """What all targets of a sample have in common: [S], float64; 0 for a sample without targets."""
    values_S = values_N.new_zeros(batch.n_samples, dtype=torch.float64)
    values_S[batch.sample] = values_N.double()
    return values_S


class PreferenceObjective:
    """The mean loss of pairs, or of labelled responses, by `settings`.

    Needs `ref_logp`; samples 2i and 2i + 1 of a micro-batch are the chosen and the rejected response of a pair. `soft`
    needs `label` (q of the pair); labelled losses need it as 1 (desirable) or 0. `baseline` is what `kto` and `bco`
    subtract from rewards, 0 by default.
    """

    linear = False

    def __init__(self, settings: PreferenceLossSettings):
        self.settings = settings

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        responses = Responses.of(log_probs_N, batch)
        learned = self._pairs if self.settings.on_pairs else self._labelled
        total, sums = learned(responses, batch)
        return Loss(total, {"loss": total.detach(), **sums})

    def _pairs(self, responses: Responses, batch: TokenBatch) -> tuple[Tensor, dict[str, Tensor | float]]:
        settings, beta, ratio_S = self.settings, self.settings.beta, responses.log_ratio
        chosen_P, rejected_P = ratio_S[0::2], ratio_S[1::2]
        margin_P = beta * (chosen_P - rejected_P)
        mean_S = ratio_S / responses.length.clamp(min=1)
        if settings.loss == SIGMOID:
            losses_P = sigmoid_losses(margin_P)
        elif settings.loss == CDPO:
            losses_P = soft_losses(margin_P, 1 - settings.smoothing)
        elif settings.loss == SOFT:
            if batch.label is None:
                raise ValueError("pairs without label")
            losses_P = soft_losses(margin_P, per_sample(batch.label, batch)[0::2])
        elif settings.loss == ROBUST:
            losses_P = robust_losses(margin_P, settings.smoothing)
        elif settings.loss == IPO:
            losses_P = ipo_losses(mean_S[0::2] - mean_S[1::2], beta)
        elif settings.loss == SIGMOID_NORM:
            losses_P = sigmoid_losses(beta * (mean_S[0::2] - mean_S[1::2]))
        else:
            losses_P = bco_pair_losses(beta * chosen_P, beta * rejected_P)
        is_chosen_S = torch.arange(batch.n_samples, device=ratio_S.device) % 2 == 0
        sums = self._measure(responses, is_chosen_S)
        sums["correct"] = (margin_P.detach() > 0).double().sum()
        return (losses_P * responses.weight[0::2]).sum(), sums

    def _labelled(self, responses: Responses, batch: TokenBatch) -> tuple[Tensor, dict[str, Tensor | float]]:
        settings, rewards_S = self.settings, self.settings.beta * responses.log_ratio
        if batch.label is None:
            raise ValueError("responses without label")
        is_desirable_S = per_sample(batch.label, batch) > 0.5
        zeros_S = torch.zeros_like(rewards_S)
        has_none = batch.baseline is None or settings.loss == CE
        baseline_S = zeros_S if has_none else per_sample(batch.baseline, batch)
        if settings.loss == KTO:
            desirable, undesirable = settings.weights
            losses_S = kto_losses(rewards_S, is_desirable_S, baseline_S)
            losses_S = losses_S * torch.where(is_desirable_S, zeros_S + desirable, zeros_S + undesirable)
        else:
            losses_S = binary_losses(rewards_S, is_desirable_S, baseline_S)
        sums = self._measure(responses, is_desirable_S)
        sums["correct"] = ((rewards_S.detach() > baseline_S) == is_desirable_S).double().sum()
        if settings.loss != CE:
            sums["baseline"] = baseline_S.sum()
        return (losses_S * responses.weight).sum(), sums

    def _measure(self, responses: Responses, is_chosen_S: Tensor) -> dict[str, Tensor | float]:
        """Sums over the chosen (desirable) responses, and over the others."""
        rewards_S = self.settings.beta * responses.log_ratio.detach()
        sums: dict[str, Tensor | float] = {}
        for side, is_meant_S in (("chosen", is_chosen_S), ("rejected", ~is_chosen_S)):
            sums[f"n_{side}"] = is_meant_S.double().sum()
            sums[f"reward_{side}"] = torch.where(is_meant_S, rewards_S, 0.0).sum()
            sums[f"logp_{side}"] = torch.where(is_meant_S, responses.log_probs, 0.0).sum()
        return sums

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        """The loss, and means over the chosen and the rejected responses (NaN where there are none).

        `reward_*`: beta s. `reward_margin`: the difference of both means. `reward_accuracy`: the share of pairs whose
        chosen response has the greater reward; of labelled responses, the share whose reward is on the side of the
        baseline that the label says. `logp_*`: log-probabilities of whole responses under the policy. `kl`: KTO's
        estimate of the divergence from the reference, in nats. `reward_shift`: BCO's.
        """
        figures = {"loss": sums["loss"]}
        means = {}
        for name in ("reward", "logp"):
            for side in ("chosen", "rejected"):
                n = sums[f"n_{side}"]
                means[f"{name}_{side}"] = sums[f"{name}_{side}"] / n if n else math.nan
        both = sums["n_chosen"] + sums["n_rejected"]
        decided = sums["n_chosen"] if self.settings.on_pairs else both
        figures |= {"reward_chosen": means["reward_chosen"], "reward_rejected": means["reward_rejected"],
                    "reward_margin": means["reward_chosen"] - means["reward_rejected"],
                    "reward_accuracy": sums["correct"] / decided if decided else math.nan,
                    "logp_chosen": means["logp_chosen"], "logp_rejected": means["logp_rejected"]}  # fmt: skip
        if "baseline" in sums:
            mean = sums["baseline"] / both if both else math.nan
            name, value = ("kl", mean / self.settings.beta) if self.settings.loss == KTO else ("reward_shift", mean)
            figures[name] = value
        return figures
