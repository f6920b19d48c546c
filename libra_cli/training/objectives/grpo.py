"""Group relative policy optimization (paper, section 5): a clipped policy gradient, held near a reference policy.

All is per target token (axis N) of a micro-batch; `TokenBatch.sample` says which response a token belongs to. Sources:
clip and KL: the paper, with the asymmetric bounds of DAPO (arXiv:2503.14476); GSPO: arXiv:2507.18071; CISPO: MiniMax-M1
(arXiv:2506.13585), equations 4 and 5; dual clip: arXiv:1912.09729; names of the aggregations: verl's `loss_agg_mode`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from libra_cli.choices import LOSS_AGGREGATIONS, POLICY_LOSSES
from libra_cli.training.objectives.base import Loss, TokenBatch

CLIP, GSPO, CISPO = POLICY_LOSSES
SEQ_MEAN_TOKEN_MEAN, TOKEN_MEAN, SEQ_MEAN_TOKEN_SUM, SEQ_MEAN_TOKEN_SUM_NORM = LOSS_AGGREGATIONS

LOG_RATIO_BOUND = 20.0
"""Differences of log-probabilities are cut here, so that no ratio overflows (exp(20) is 5e8)."""


@dataclass(frozen=True)
class GrpoSettings:
    """The loss of `GrpoObjective`; raises ValueError for values that contradict each other."""

    policy: str = CLIP
    aggregate: str = SEQ_MEAN_TOKEN_MEAN
    """How losses of tokens become one; acts through the weights of the batch (`token_weights`)."""
    low: float = 0.2
    """The ratio is clipped below 1 - low; 1 sets no lower bound."""
    high: float = 0.28
    """The ratio is clipped above 1 + high."""
    dual_clip: float | None = None
    """Bound of the ratio where the advantage is negative, above 1 + high; None for none."""
    kl: float = 1e-3
    """Coefficient of the KL to the reference; 0 needs no reference."""
    kl_correction: bool = False
    """The KL of a token is weighed by its ratio to `old_logp`, so that its gradient is that of KL(policy || reference)
    (DeepSeek-V3.2, arXiv:2512.02556; TRL's `use_bias_correction_kl`). The paper does not."""
    importance_cap: float | None = 2.0
    """Largest weight that corrects for the gap between sampler and trainer; None for no correction."""

    def __post_init__(self) -> None:
        if self.policy not in POLICY_LOSSES:
            raise ValueError(f"policy loss {self.policy!r}: one of {', '.join(POLICY_LOSSES)}")
        if self.aggregate not in LOSS_AGGREGATIONS:
            raise ValueError(f"aggregation {self.aggregate!r}: one of {', '.join(LOSS_AGGREGATIONS)}")
        if not 0 <= self.low <= 1 or not 0 <= self.high < math.inf:
            raise ValueError(f"clip bounds {self.low:g} and {self.high:g}: low is from 0 to 1, high is not negative")
        if self.dual_clip is not None and (self.policy == CISPO or not 1 + self.high < self.dual_clip < math.inf):
            raise ValueError(f"dual clip {self.dual_clip:g}: above 1 + high ({1 + self.high:g}), and not for {CISPO}")
        if not 0 <= self.kl < math.inf:
            raise ValueError(f"KL coefficient {self.kl:g}: not negative")
        if self.importance_cap is not None and not 0 < self.importance_cap < math.inf:
            raise ValueError(f"importance cap {self.importance_cap:g}: greater than 0")


def token_weights(lengths: Sequence[int], aggregate: str, longest: int | None = None) -> list[float]:
    """The weight of each target of each response in the loss of a mini-batch: [S].

    `lengths`: targets of all responses of the mini-batch, over all ranks and micro-batches, so that the split changes
    nothing; 0 for an empty response and for one that is left out of the loss: it counts as a response of loss 0 and
    weighs 0. `longest`: the length that `seq-mean-token-sum-norm` divides by, the most tokens that a response may have
    (Dr. GRPO); by default the longest response here, which is verl's. Raises ValueError for another aggregation.
    """
    n_responses, n_tokens = len(lengths), sum(lengths)
    if aggregate == SEQ_MEAN_TOKEN_MEAN:  # the paper: mean over the tokens of a response, then over responses
        weights = [1 / (n_responses * length) if length else 0.0 for length in lengths]
    elif aggregate == TOKEN_MEAN:
        weights = [1 / n_tokens if length else 0.0 for length in lengths]
    elif aggregate == SEQ_MEAN_TOKEN_SUM:
        weights = [1 / n_responses if length else 0.0 for length in lengths]
    elif aggregate == SEQ_MEAN_TOKEN_SUM_NORM:
        divisor = longest or max(lengths, default=0)
        weights = [1 / (n_responses * divisor) if length else 0.0 for length in lengths]
    else:
        raise ValueError(f"aggregation {aggregate!r}: one of {', '.join(LOSS_AGGREGATIONS)}")
    return weights


def log_ratio(log_probs_N: Tensor, base_N: Tensor) -> Tensor:
    """log r_it = log pi_theta - log pi_base, within LOG_RATIO_BOUND: [N]."""
    return (log_probs_N - base_N).clamp(-LOG_RATIO_BOUND, LOG_RATIO_BOUND)


def sequence_log_ratio(log_probs_N: Tensor, old_N: Tensor, batch: TokenBatch) -> Tensor:
    """GSPO's log s_i = mean_t log r_it for each target of response i: [N] (equation 7 of the paper on GSPO).

    The value is the sequence's, the gradient of a token goes to that token (its equation 14). Where advantage and
    weight are the same within a response, the sum of gradients is that of equation 5.
    """
    difference_N = log_probs_N - old_N
    zeros_S = difference_N.new_zeros(batch.n_samples)
    counts_S = zeros_S.index_add(0, batch.sample, torch.ones_like(difference_N))
    mean_S = zeros_S.index_add(0, batch.sample, difference_N.detach()) / counts_S
    return (mean_S[batch.sample] + log_probs_N - log_probs_N.detach()).clamp(-LOG_RATIO_BOUND, LOG_RATIO_BOUND)


def clipped_losses(
    log_ratio_N: Tensor, advantage_N: Tensor, low: float, high: float, dual_clip: float | None = None
) -> Tensor:
    """-min(r A, clip(r, 1 - low, 1 + high) A): [N]; with a dual clip c, at most -c A where A is negative."""
    ratio_N = log_ratio_N.exp()
    losses_N = -torch.minimum(ratio_N * advantage_N, ratio_N.clamp(1 - low, 1 + high) * advantage_N)
    if dual_clip is None:
        return losses_N
    return torch.where(advantage_N < 0, torch.minimum(losses_N, -dual_clip * advantage_N), losses_N)


def cispo_losses(log_probs_N: Tensor, log_ratio_N: Tensor, advantage_N: Tensor, low: float, high: float) -> Tensor:
    """-sg(clip(r, 1 - low, 1 + high)) A log pi_theta: [N]; clips the weight of a gradient, never the gradient."""
    return -log_ratio_N.detach().exp().clamp(1 - low, 1 + high) * advantage_N * log_probs_N


def k3(log_ratio_N: Tensor) -> Tensor:
    """x - log x - 1 for x = exp(log ratio): [N]; unbiased for KL(p || q) if samples come from p and x = q / p."""
    return log_ratio_N.exp() - log_ratio_N - 1


def importance_weights(trainer_N: Tensor, sampler_N: Tensor, cap: float | None) -> Tensor:
    """Truncated weights min(pi_trainer / pi_sampler, cap): [N], without gradient."""
    ratio_N = log_ratio(trainer_N.detach(), sampler_N).exp()
    return ratio_N if cap is None else ratio_N.clamp(max=cap)


class GrpoObjective:
    """J of section 5 as a loss: policy loss + kl * KL to the reference, both summed with the weights of the batch.

    Needs `advantage` and `old_logp` or `sampler_logp`; `ref_logp` unless the KL coefficient is 0. The ratio is to
    `old_logp` (else to `sampler_logp`). With both, the policy loss is weighed by min(exp(old - sampler), cap), so that
    the sampler's inaccuracy does not bias the gradient. Entropy is measured, not part of the loss.
    """

    linear = False

    def __init__(self, settings: GrpoSettings):
        self.settings = settings

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        settings, advantage_N = self.settings, batch.advantage
        old_N = batch.sampler_logp if batch.old_logp is None else batch.old_logp
        if advantage_N is None or old_N is None:
            raise ValueError("samples without advantage, or without old_logp and sampler_logp")
        if settings.policy == GSPO:
            log_ratio_N = sequence_log_ratio(log_probs_N, old_N, batch)
        else:
            log_ratio_N = log_ratio(log_probs_N, old_N)
        if settings.policy == CISPO:
            losses_N = cispo_losses(log_probs_N, log_ratio_N, advantage_N, settings.low, settings.high)
        else:
            losses_N = clipped_losses(log_ratio_N, advantage_N, settings.low, settings.high, settings.dual_clip)
        if batch.old_logp is not None and batch.sampler_logp is not None and settings.importance_cap is not None:
            losses_N = losses_N * importance_weights(batch.old_logp, batch.sampler_logp, settings.importance_cap)
        policy_loss = total = (losses_N * batch.weight).sum()
        if settings.kl:
            if batch.ref_logp is None:
                raise ValueError("samples without ref_logp, but the KL coefficient is not 0")
            kl_N = k3(-log_ratio(log_probs_N, batch.ref_logp))  # D_KL_it = pi_ref / pi - log(pi_ref / pi) - 1
            if settings.kl_correction:
                kl_N = kl_N * log_ratio(log_probs_N, old_N).exp()
            total = policy_loss + settings.kl * (kl_N * batch.weight).sum()
        sums, maxima = self._measure(log_probs_N.detach(), old_N, log_ratio_N.detach(), advantage_N, batch)
        sums["loss"], sums["policy_loss"] = total.detach().double(), policy_loss.detach().double()
        return Loss(total, sums, maxima)

    def _measure(
        self, log_probs_N: Tensor, old_N: Tensor, clipped_N: Tensor, advantage_N: Tensor, batch: TokenBatch
    ) -> tuple[dict[str, Tensor | float], dict[str, Tensor | float]]:
        """Sums and maxima over the targets with a weight; `clipped_N`: logarithms of the ratios that are clipped."""
        settings, learned_N, ratio_N = self.settings, batch.weight != 0, clipped_N.exp()
        low_N, high_N = ratio_N < 1 - settings.low, ratio_N > 1 + settings.high
        if settings.policy != CISPO:  # there a bound acts on one side of the advantage only
            low_N, high_N = low_N & (advantage_N < 0), high_N & (advantage_N > 0)
        figures_N = {
            "targets": torch.ones_like(log_probs_N),
            "clip_low": low_N,
            "clip_high": high_N,
            "log_ratio": log_ratio(log_probs_N, old_N),
            "entropy": -log_probs_N,
        }
        if settings.dual_clip is not None:
            figures_N["clip_dual"] = (ratio_N > settings.dual_clip) & (advantage_N < 0)
        if batch.ref_logp is not None:
            figures_N["kl"] = k3(log_ratio(batch.ref_logp, log_probs_N))
        if batch.sampler_logp is not None:
            trainer_N = log_probs_N if batch.old_logp is None else batch.old_logp
            gap_N = log_ratio(trainer_N, batch.sampler_logp)
            weight_N = importance_weights(trainer_N, batch.sampler_logp, settings.importance_cap).double()
            figures_N |= {"sampler_log_ratio": gap_N, "sampler_kl": k3(gap_N)}
            figures_N |= {"importance": weight_N, "importance_squared": weight_N.square()}
        sums: dict[str, Tensor | float] = {
            name: torch.where(learned_N, each.double(), 0.0).sum() for name, each in figures_N.items()
        }
        names = [name for name in ("log_ratio", "sampler_log_ratio") if name in figures_N]
        if not len(ratio_N):
            return sums, {f"{name}_max": -math.inf for name in names}
        return sums, {f"{name}_max": torch.where(learned_N, figures_N[name].abs(), -math.inf).amax() for name in names}

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        """Losses as they are weighted; all else a mean over the targets that are learned, NaN if none is.

        `kl`: to the reference. `clip_low`, `clip_high`, `clip_dual`: shares of targets whose gradient the bound stops
        (CISPO: whose weight it changes). `log_ratio_*`: of the policy to the one before the updates, `_max` absolute.
        `sampler_*`: of the trainer to the sampler before the updates (where the trainer did not compute `old_logp`: in
        this update), KL(sampler || trainer) estimated by k1 and k3. `ess`: effective sample size of the (truncated)
        importance weights, as a share. `entropy`: -mean log pi, an estimate.
        """
        n = sums["targets"]
        mean = lambda name: sums[name] / n if n else math.nan  # noqa: E731
        figures = {"loss": sums["loss"], "policy_loss": sums["policy_loss"]}
        figures |= {name: mean(name) for name in ("kl", "clip_low", "clip_high", "clip_dual") if name in sums}
        figures |= {"log_ratio_mean": mean("log_ratio"), "log_ratio_max": sums["log_ratio_max"] if n else math.nan}
        if "sampler_log_ratio" in sums:
            figures |= {
                "sampler_log_ratio_mean": mean("sampler_log_ratio"),
                "sampler_log_ratio_max": sums["sampler_log_ratio_max"] if n else math.nan,
                "sampler_kl_k1": -mean("sampler_log_ratio"),
                "sampler_kl_k3": mean("sampler_kl"),
                "ess": sums["importance"] ** 2 / (n * sums["importance_squared"]) if n else math.nan,
            }
        return {**figures, "entropy": mean("entropy")}
