"""The loss of grpo: by hand, by worked examples, against a spelled-out version in float64, and however it is split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from libra_cli.choices import LOSS_AGGREGATIONS, POLICY_LOSSES
from libra_cli.training.objectives.base import Loss, TokenBatch
from libra_cli.training.objectives.grpo import GrpoObjective, GrpoSettings, token_weights

LENGTHS = (3, 1, 7, 5, 2, 6)


def batch_of(lengths: Sequence[int], weights: Sequence[float], **values: Any) -> TokenBatch:
    """Responses of these lengths, one after the other; `values` are per target, or lists of them per response."""
    sample = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(list(lengths), dtype=torch.int64))
    whole = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()}
    return TokenBatch(sample, len(lengths), torch.tensor(list(weights), dtype=torch.float64)[sample], **whole)


def learn(log_probs: Any, batch: TokenBatch, **settings: Any) -> tuple[float, list[float], dict[str, float]]:
    """Loss, gradient and figures of a step of one micro-batch."""
    log_probs_N = torch.tensor(log_probs, dtype=torch.float64, requires_grad=True)
    objective = GrpoObjective(GrpoSettings(**settings))
    loss = objective(log_probs_N, batch)
    loss.total.backward()
    assert log_probs_N.grad is not None
    return loss.total.item(), log_probs_N.grad.tolist(), figures_of(objective, [loss])


def figures_of(objective: GrpoObjective, losses: Sequence[Loss]) -> dict[str, float]:
    """What a step reports from its micro-batches, reduced as the trainer does."""
    totals = {name: sum(float(loss.sums[name]) for loss in losses) for name in losses[0].sums}
    return objective.figures(
        totals | {name: max(float(loss.maxima[name]) for loss in losses) for name in losses[0].maxima}
    )


# -- by hand --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (0.79, -1.0, 0.8, 0.0),
        (1.29, 1.0, -1.28, 0.0),
        (1.0, 1.0, -1.0, -1.0),
        (1.25, 1.0, -1.25, -1.25),  # below 1.28, so not clipped yet
        (2.0, 1.0, -1.28, 0.0),  # clipped above
        (0.5, 1.0, -0.5, -0.5),  # no bound on this side
        (0.5, -1.0, 0.8, 0.0),  # clipped below
        (0.9, -2.0, 1.8, 1.8),
        (2.0, -1.0, 2.0, 2.0),  # no bound on this side
        (2.0, 0.0, 0.0, 0.0),
    ],
)
def test_the_ratio_is_clipped_where_that_makes_the_gain_smaller(
    ratio: float, advantage: float, loss: float, gradient: float
) -> None:
    batch = batch_of([1], [1.0], advantage=[advantage], old_logp=[-1.5])
    found, gradients, figures = learn([-1.5 + math.log(ratio)], batch, kl=0)
    assert (found, gradients[0]) == (pytest.approx(loss, abs=1e-12), pytest.approx(gradient, abs=1e-12))
    is_clipped = gradient == 0 and advantage != 0
    assert figures["clip_low"] == float(is_clipped and ratio < 1)
    assert figures["clip_high"] == float(is_clipped and ratio > 1)


@pytest.mark.parametrize(("ratio", "loss", "gradient"), [(2.0, 2.0, 2.0), (5.0, 3.0, 0.0)])
def test_a_dual_clip_bounds_the_ratio_of_bad_responses(ratio: float, loss: float, gradient: float) -> None:
    batch = batch_of([1], [1.0], advantage=[-1.0], old_logp=[-2.0])
    found, gradients, figures = learn([-2.0 + math.log(ratio)], batch, kl=0, dual_clip=3.0)
    assert (found, gradients[0]) == (pytest.approx(loss), pytest.approx(gradient))
    assert figures["clip_dual"] == float(ratio > 3)


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
def test_the_kl_to_the_reference(times: float) -> None:
    """x - log x - 1 with x = pi_ref / pi_theta; its derivative is 1 - x."""
    batch = batch_of([1], [1.0], advantage=[0.0], old_logp=[-1.0], ref_logp=[-1.0 + math.log(times)])
    loss, gradients, figures = learn([-1.0], batch, kl=0.5)
    assert loss == pytest.approx(0.5 * (times - math.log(times) - 1), abs=1e-12)
    assert gradients[0] == pytest.approx(0.5 * (1 - times), abs=1e-12)
    assert figures["kl"] == pytest.approx(times - math.log(times) - 1, abs=1e-12)


def test_the_corrected_kl_has_the_gradient_of_the_kl_itself() -> None:
    """With r = 1: d(r k3) = k3 + 1 - x = -log x, the summand of the gradient of KL(policy || reference)."""
    batch = batch_of([1], [1.0], advantage=[0.0], old_logp=[-1.0], ref_logp=[-1.0 + math.log(2)])
    loss, gradients, figures = learn([-1.0], batch, kl=1.0, kl_correction=True)
    assert loss == figures["kl"] == pytest.approx(1 - math.log(2))
    assert gradients[0] == pytest.approx(-math.log(2))


def test_gspo_clips_the_ratio_of_the_sequence() -> None:
    """Ratios of 4 and 1 have the geometric mean 2; of 1 and 1.21: 1.1."""
    batch = batch_of([2, 2], [0.25, 0.25], advantage=[1, 1, 1, 1], old_logp=[-3, -3, -3, -3])
    log_probs = [-3 + math.log(4), -3, -3, -3 + math.log(1.21)]
    loss, gradients, figures = learn(log_probs, batch, policy="gspo", kl=0)
    assert loss == pytest.approx(-(1.28 + 1.1) / 2)
    assert gradients == pytest.approx([0, 0, -1.1 / 4, -1.1 / 4])
    assert figures["clip_high"] == 0.5
    assert figures["log_ratio_max"] == pytest.approx(math.log(4))


def test_cispo_clips_the_weight_and_keeps_the_gradient() -> None:
    batch = batch_of([3], [1 / 3], advantage=[1, 1, -1], old_logp=[-2, -2, -2])
    log_probs = [-2 + math.log(each) for each in (2.0, 1.1, 0.5)]
    loss, gradients, figures = learn(log_probs, batch, policy="cispo", kl=0)
    weights = (1.28, 1.1, -0.8)
    assert gradients == pytest.approx([-weight / 3 for weight in weights])
    assert loss == pytest.approx(-sum(weight * logp for weight, logp in zip(weights, log_probs, strict=True)) / 3)
    assert (figures["clip_low"], figures["clip_high"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_the_gap_to_the_sampler_weighs_the_policy_loss_but_not_the_kl() -> None:
    old, sampler = [-1.0, -1.0], [-1.0 + math.log(2), -1.0 - math.log(8)]  # trainer / sampler: 0.5 and 8, cut at 2
    batch = batch_of([2], [0.5], advantage=[1, 1], old_logp=old, sampler_logp=sampler, ref_logp=[0, 0])
    loss, gradients, figures = learn([-1.0, -1.0], batch, kl=0.1)
    kl = math.e - 2
    assert loss == pytest.approx(-(0.5 + 2) / 2 + 0.1 * kl)
    assert gradients == pytest.approx([(-weight + 0.1 * (1 - math.e)) / 2 for weight in (0.5, 2.0)])
    assert figures["policy_loss"] == pytest.approx(-1.25)
    assert figures["ess"] == pytest.approx((0.5 + 2) ** 2 / (2 * (0.25 + 4)))
    assert figures["sampler_log_ratio_max"] == pytest.approx(math.log(8))
    assert figures["sampler_log_ratio_mean"] == pytest.approx((math.log(8) - math.log(2)) / 2)
    assert figures["sampler_kl_k1"] == -figures["sampler_log_ratio_mean"]
    assert figures["sampler_kl_k3"] == pytest.approx((0.5 + math.log(2) - 1 + 8 - math.log(8) - 1) / 2)
    assert figures["log_ratio_max"] == 0
    assert learn([-1.0, -1.0], batch, kl=0.1, importance_cap=None)[0] == pytest.approx(-1 + 0.1 * kl)


def test_without_own_log_probabilities_the_ratio_is_to_the_sampler() -> None:
    sampler = [-1.0 - math.log(1.1), -1.0 - math.log(3)]
    batch = batch_of([2], [0.5], advantage=[1, 1], sampler_logp=sampler)
    loss, gradients, figures = learn([-1.0, -1.0], batch, kl=0)
    assert loss == pytest.approx(-(1.1 + 1.28) / 2)
    assert gradients == pytest.approx([-1.1 / 2, 0])
    assert figures["sampler_log_ratio_max"] == figures["log_ratio_max"] == pytest.approx(math.log(3))
    both = replace(batch, old_logp=batch.sampler_logp)
    assert learn([-1.0, -1.0], both, kl=0)[0] == loss


def test_figures_by_hand() -> None:
    """The last response has no weight and counts nowhere."""
    old = torch.tensor([-1, -1, -2, -2, -5, -5], dtype=torch.float64)
    ratios = torch.tensor([1.5, 0.5, 0.5, 1.5, 9, 9], dtype=torch.float64)
    batch = batch_of([2, 2, 2], [0.25, 0.25, 0], advantage=[1, 1, -1, -1, 1, 1], old_logp=old, ref_logp=old)
    _, gradients, figures = learn((old + ratios.log()).tolist(), batch, kl=0)
    assert (figures["clip_low"], figures["clip_high"]) == (0.25, 0.25)
    logs = [math.log(each) for each in (1.5, 0.5, 0.5, 1.5)]
    assert figures["log_ratio_mean"] == pytest.approx(sum(logs) / 4)
    assert figures["log_ratio_max"] == pytest.approx(-math.log(0.5))
    assert figures["entropy"] == pytest.approx((6 - sum(logs)) / 4)
    assert figures["kl"] == pytest.approx(sum(math.exp(-each) + each - 1 for each in logs) / 4)
    assert figures["loss"] == figures["policy_loss"] == pytest.approx((-1.28 - 0.5 + 0.8 + 1.5) / 4)
    assert gradients[-2:] == [0, 0]
    assert "ess" not in figures  # nobody said what the sampler's log-probabilities were


# -- worked examples, and the spelled-out version --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    {
        "seq-mean-token-mean": -0.133535,
        "token-mean": -0.340251,
        "seq-mean-token-sum": -0.850628,
        "seq-mean-token-sum-norm": -0.283543,
    }.items(),
)
def test_the_worked_example(aggregate: str, expected: float) -> None:
    batch = batch_of(
        [3, 2],
        token_weights([3, 2], aggregate),
        advantage=[1, 1, 1, -1, -1],
        old_logp=[-1.3, -1.0, -0.7, -1.5, -0.3],
        ref_logp=[-1.2, -1.1, -0.6, -1.6, -0.4],
    )
    loss, _, _ = learn([-0.9, -1.0, -0.5, -2.0, -0.3], batch, low=0.2, high=0.28, kl=1e-3)
    assert loss == pytest.approx(expected, abs=1e-6)


def plain_loss(responses: Sequence[dict[str, Any]], settings: GrpoSettings) -> Tensor:
    """The loss spelled out, token by token, in probabilities; shares no code with the objective."""
    means, sums = [], []
    for response in responses:
        tokens = []
        log_ratios = [mine - old for mine, old in zip(response["logp"], response["old"], strict=True)]
        sequence = torch.exp(sum(log_ratios, torch.zeros(())) / len(log_ratios))
        for t, mine in enumerate(response["logp"]):
            advantage, old = response["advantage"], response["old"][t]
            ratio = torch.exp(mine) / math.exp(old)
            if settings.policy == "gspo" and settings.importance_cap is None:
                ratio = sequence  # equation 5 of the paper on GSPO
            elif settings.policy == "gspo":  # weights differ within a response: its equation 14
                ratio = sequence.detach() * torch.exp(mine) / torch.exp(mine).detach()
            clipped = torch.clip(ratio, 1 - settings.low, 1 + settings.high)
            if settings.policy == "cispo":
                gain = clipped.item() * advantage * mine
            else:
                gain = min(ratio * advantage, clipped * advantage, key=Tensor.item)
                if settings.dual_clip is not None and advantage < 0 and gain.item() < settings.dual_clip * advantage:
                    gain = settings.dual_clip * advantage
            if settings.importance_cap is not None:
                gain = gain * min(math.exp(old) / math.exp(response["sampler"][t]), settings.importance_cap)
            to_reference = math.exp(response["ref"][t]) / torch.exp(mine)
            kl = to_reference - torch.log(to_reference) - 1
            if settings.kl_correction:
                kl = kl * torch.exp(mine) / math.exp(old)
            tokens.append(-(gain - settings.kl * kl))
        means.append(sum(tokens) / len(tokens))
        sums.append(sum(tokens))
    n_tokens, longest = sum(len(each["logp"]) for each in responses), max(len(each["logp"]) for each in responses)
    return {
        "seq-mean-token-mean": sum(means) / len(responses),
        "token-mean": sum(sums) / n_tokens,
        "seq-mean-token-sum": sum(sums) / len(responses),
        "seq-mean-token-sum-norm": sum(sums) / len(responses) / longest,
    }[settings.aggregate]  # type: ignore[return-value]


def drawn(seed: int = 0) -> dict[str, Tensor]:
    """Random log-probabilities of LENGTHS, far enough apart for every bound to act."""
    generator = torch.Generator().manual_seed(seed)
    n = sum(LENGTHS)
    draw = lambda spread: spread * torch.randn(n, generator=generator, dtype=torch.float64)  # noqa: E731
    log_probs = -2 + draw(0.3)
    advantage_S = torch.randn(len(LENGTHS), generator=generator, dtype=torch.float64)
    return {
        "log_probs": log_probs, "old_logp": log_probs + draw(0.6), "ref_logp": log_probs + draw(0.4),
        "sampler_logp": log_probs + draw(0.8),
        "advantage": torch.repeat_interleave(advantage_S, torch.tensor(LENGTHS)),
    }  # fmt: skip


@pytest.mark.parametrize("aggregate", LOSS_AGGREGATIONS)
@pytest.mark.parametrize("policy", POLICY_LOSSES)
@pytest.mark.parametrize(("dual_clip", "cap"), [(None, None), (1.5, 2.0)])
def test_loss_and_gradient_are_those_of_the_spelled_out_version(
    policy: str, aggregate: str, dual_clip: float | None, cap: float | None
) -> None:
    settings = GrpoSettings(policy, aggregate, dual_clip=None if policy == "cispo" else dual_clip, kl=0.05,
                            kl_correction=cap is None, importance_cap=cap)  # fmt: skip
    values = drawn()
    mine = values.pop("log_probs").requires_grad_()
    plain = mine.detach().clone().requires_grad_()
    parts = {name: value.split(LENGTHS) for name, value in values.items()}
    responses = [
        {"logp": list(log_probs), "old": parts["old_logp"][i].tolist(), "ref": parts["ref_logp"][i].tolist(),
         "sampler": parts["sampler_logp"][i].tolist(), "advantage": parts["advantage"][i][0].item()}
        for i, log_probs in enumerate(plain.split(LENGTHS))
    ]  # fmt: skip
    expected = plain_loss(responses, settings)
    expected.backward()
    loss = GrpoObjective(settings)(mine, batch_of(LENGTHS, token_weights(LENGTHS, aggregate), **values))
    loss.total.backward()
    assert loss.total.item() == pytest.approx(expected.item(), abs=1e-9)
    assert mine.grad is not None and plain.grad is not None  # noqa: PT018
    torch.testing.assert_close(mine.grad, plain.grad, rtol=0, atol=1e-9)


# -- however the mini-batch is split ---------------------------------------------------------------------------------

SPLITS = ([(0, 1, 2, 3, 4, 5)], [(3,), (0, 5), (), (1, 2, 4)], [(5,), (4,), (3,), (2,), (1,), (0,)])


@pytest.mark.parametrize("aggregate", LOSS_AGGREGATIONS)
@pytest.mark.parametrize("policy", POLICY_LOSSES)
def test_micro_batches_change_nothing(policy: str, aggregate: str) -> None:
    objective, values = GrpoObjective(GrpoSettings(policy, aggregate, kl=0.05)), drawn(1)
    parts = {name: value.split(LENGTHS) for name, value in values.items()}
    weights, results = token_weights(LENGTHS, aggregate), []
    for split in SPLITS:
        gradients: dict[int, Tensor] = {}
        losses = []
        for samples in split:
            chosen = {name: torch.cat([torch.empty(0, dtype=torch.float64), *(each[i] for i in samples)])
                      for name, each in parts.items()}  # fmt: skip
            log_probs_N = chosen.pop("log_probs").requires_grad_()
            batch = batch_of([LENGTHS[i] for i in samples], [weights[i] for i in samples], **chosen)
            losses.append(objective(log_probs_N, batch))
            losses[-1].total.backward()
            assert log_probs_N.grad is not None
            gradients |= dict(zip(samples, log_probs_N.grad.split([LENGTHS[i] for i in samples]), strict=True))
        results.append((figures_of(objective, losses), torch.cat([gradients[i] for i in range(len(LENGTHS))])))
    for figures, gradient in results[1:]:
        assert figures == pytest.approx(results[0][0], abs=1e-12)
        torch.testing.assert_close(gradient, results[0][1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("policy", POLICY_LOSSES)
def test_a_micro_batch_without_targets(policy: str) -> None:
    nothing = batch_of([], [], advantage=[], old_logp=[], ref_logp=[], sampler_logp=[])
    loss, gradients, figures = learn([], nothing, policy=policy)
    assert (loss, gradients) == (0, [])
    assert figures.pop("loss") == figures.pop("policy_loss") == 0
    assert figures
    assert all(map(math.isnan, figures.values()))


@pytest.mark.parametrize("policy", POLICY_LOSSES)
@pytest.mark.parametrize("advantage", [1.0, -1.0])
@pytest.mark.parametrize("distance", [-math.inf, -200.0, 200.0])
def test_a_ratio_that_would_overflow_leaves_loss_and_gradient_finite(
    policy: str, advantage: float, distance: float
) -> None:
    """A sampler may report log-probabilities that the trainer's are nowhere near."""
    log_probs_N = torch.full((2,), -1.0, requires_grad=True)
    far_N = torch.full((2,), -1.0 + distance)
    batch = TokenBatch(torch.zeros(2, dtype=torch.int64), 1, torch.full((2,), 0.5), torch.full((2,), advantage),
                       far_N, far_N, torch.full((2,), -1.0))  # fmt: skip
    loss = GrpoObjective(GrpoSettings(policy))(log_probs_N, batch)
    loss.total.backward()
    assert log_probs_N.grad is not None
    assert log_probs_N.grad.isfinite().all()
    assert all(math.isfinite(float(value)) for value in (*loss.sums.values(), *loss.maxima.values()))


# -- weights and settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("seq-mean-token-mean", [1 / 16, 0, 1 / 8, 1 / 20]),
        ("token-mean", [1 / 11, 0, 1 / 11, 1 / 11]),
        ("seq-mean-token-sum", [1 / 4, 0, 1 / 4, 1 / 4]),
        ("seq-mean-token-sum-norm", [1 / 32, 0, 1 / 32, 1 / 32]),
    ],
)
def test_weights_of_responses_of_which_one_is_empty(aggregate: str, expected: list[float]) -> None:
    assert token_weights([4, 0, 2, 5], aggregate, longest=8) == pytest.approx(expected)
    assert token_weights([0, 0], aggregate, longest=8) == token_weights([0, 0], aggregate) == [0, 0]
    assert token_weights([], aggregate) == []


def test_weights_of_an_unknown_aggregation_are_refused() -> None:
    with pytest.raises(ValueError, match="'mean': one of seq-mean-token-mean, token-mean"):
        token_weights([1], "mean")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"policy": "ppo"}, "policy loss 'ppo': one of clip, gspo, cispo"),
        ({"aggregate": "mean"}, "aggregation 'mean'"),
        ({"low": 1.5}, "clip bounds 1.5 and 0.28"),
        ({"high": -0.1}, "clip bounds 0.2 and -0.1"),
        ({"high": math.nan}, "clip bounds"),
        ({"dual_clip": 1.2}, "dual clip 1.2"),
        ({"dual_clip": 3.0, "policy": "cispo"}, "not for cispo"),
        ({"kl": -1e-3}, "KL coefficient -0.001"),
        ({"kl": math.nan}, "KL coefficient"),
        ({"importance_cap": 0.0}, "importance cap 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GrpoSettings(**wrong)


@pytest.mark.parametrize(
    "settings",
    [
        {"low": 1.0, "high": 4.0, "policy": "cispo"},
        {"low": 3e-4, "high": 4e-4, "policy": "gspo"},
        {"kl": 0.0, "importance_cap": None},
        {"dual_clip": 3.0},
    ],
)
def test_settings_of_published_recipes_are_taken(settings: dict[str, Any]) -> None:
    assert GrpoObjective(GrpoSettings(**settings)).linear is False


@pytest.mark.parametrize(
    ("missing", "message"), [("advantage", "advantage"), ("old_logp", "old_logp"), ("ref_logp", "ref_logp")]
)
def test_a_batch_that_lacks_something_is_refused(missing: str, message: str) -> None:
    values = {name: [-1.0] for name in ("advantage", "old_logp", "ref_logp") if name != missing}
    with pytest.raises(ValueError, match=message):
        learn([-1.0], batch_of([1], [1.0], **values))


def test_without_a_kl_coefficient_no_reference_is_needed() -> None:
    _, _, figures = learn([-1.0], batch_of([1], [1.0], advantage=[1.0], old_logp=[-1.0]), kl=0)
    assert "kl" not in figures
