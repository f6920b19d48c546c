"""The losses of `libra dpo`: worked examples, TRL's numbers, gradients, and however a step is split."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck
from worked_examples import close, example

from libra_cli.choices import LABELLED_LOSSES, PAIR_LOSSES
from libra_cli.training.data.micro_batch import make_micro_batch
from libra_cli.training.data.preferences import win_probability
from libra_cli.training.data.sources import Annotations
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.data.trajectories import Trajectories, Trajectory
from libra_cli.training.objectives import preference
from libra_cli.training.objectives.base import Loss, TokenBatch
from libra_cli.training.objectives.preference import PreferenceObjective
from libra_cli.training.preference_settings import PreferenceLossSettings

TRL: dict[str, Any] = json.loads((Path(__file__).parent / "trl_preference.json").read_text())
SMOOTHED = {"cdpo": 0.1, "robust": 0.1}


def batch_of(lengths: Sequence[int], **values: Any) -> TokenBatch:
    """Responses of these lengths, all of the same weight; `values` are per response."""
    sample = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(list(lengths), dtype=torch.int64))
    each = {name: torch.tensor(value, dtype=torch.float64)[sample] for name, value in values.items()}
    return TokenBatch(sample, len(lengths), weight=each.pop("weight"), **each)


def objective_of(loss: str, beta: float = 0.1, **more: Any) -> PreferenceObjective:
    return PreferenceObjective(PreferenceLossSettings(loss, beta, SMOOTHED.get(loss), **more))


def figures_of(objective: PreferenceObjective, losses: Sequence[Loss]) -> dict[str, float]:
    return objective.figures({name: sum(float(each.sums[name]) for each in losses) for name in losses[0].sums})


def pair_loss(name: str, chosen: float, rejected: float, n: tuple[int, int], beta: float = 0.1, q: float = 1.0) -> Loss:
    """The loss of one pair with these log ratios, spread over its tokens."""
    batch = batch_of(n, weight=[1.0, 1.0], label=[q, q], ref_logp=[-1.0, -1.0])
    ratios = [chosen / n[0]] * n[0] + [rejected / n[1]] * n[1]
    return objective_of(name, beta)(torch.tensor(ratios, dtype=torch.float64) - 1.0, batch)


# -- worked examples ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [loss for loss in PAIR_LOSSES if loss != "soft"])
def test_losses_of_pairs(name: str) -> None:
    given, expected = example("dpo_losses")
    n = given["chosen_tokens"], given["rejected_tokens"]
    loss = pair_loss(name, given["chosen"], given["rejected"], n, given["beta"])
    close(loss.total.tolist(), expected[name])
    figures = figures_of(objective_of(name), [loss])
    assert figures["reward_margin"] == pytest.approx(expected["margin"])
    assert figures["reward_accuracy"] == 1.0


def test_soft_preferences() -> None:
    given, expected = example("soft_preference")
    probability = win_probability(*given["win_rates"])
    close(probability, expected["probability"])
    close(
        pair_loss("soft", given["s1"], given["s2"], (4, 3), given["eta"], probability).total.tolist(), expected["loss"]
    )


def test_kto() -> None:
    given, expected = example("kto")
    rewards = given["beta"] * torch.tensor([*given["chosen_N"], *given["rejected_M"]])
    close(preference.kto_losses(rewards, torch.tensor([True, True, False]), given["beta"] * given["kl"]), expected)


def test_bco() -> None:
    given, expected = example("bco")
    rewards = given["beta"] * torch.tensor([*given["chosen_N"], *given["rejected_M"]])
    close(rewards.mean().tolist(), expected["shift"])
    is_desirable = torch.tensor([True, True, False])
    close(preference.binary_losses(rewards, is_desirable, expected["shift"]).tolist(), expected["losses"])


def test_ce() -> None:
    given, expected = example("implicit_ce")
    ratios = torch.tensor(given["logps_G"]) - torch.tensor(given["ref_logps_G"])
    losses = preference.binary_losses(given["beta"] * ratios, torch.tensor(given["labels_G"]) > 0)
    close(losses.mean().tolist(), expected)


# -- TRL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", TRL["pairs"]["cases"], ids=lambda case: case["loss"])
@pytest.mark.parametrize("split", [False, True], ids=["one pass", "a pass for each pair"])
def test_pairs_equal_trl(case: dict[str, Any], split: bool) -> None:
    given, n_pairs = TRL["pairs"], len(TRL["pairs"]["policy"]) // 2
    order = [i for pair in range(n_pairs) for i in (pair, n_pairs + pair)]  # TRL's batch has all chosen first
    smoothing = TRL["settings"]["smoothing"] if case["loss"] in SMOOTHED else None
    objective = PreferenceObjective(PreferenceLossSettings(case["loss"], TRL["settings"]["beta"], smoothing))
    samples = samples_of(given["reference"])
    weight = Annotations(dict.fromkeys(order, 1 / n_pairs), ref_logp=references(given["reference"]))
    packs = [order[at : at + 2] for at in range(0, len(order), 2)] if split else [order]
    total = 0.0
    for pack in packs:
        tokens = make_micro_batch(samples, pack, weight, packed=True, pad_id=0).token_batch
        leaf = torch.tensor([value for i in pack for value in given["policy"][i]], requires_grad=True)
        loss = objective(leaf, tokens)
        loss.total.backward()
        assert leaf.grad is not None
        expected = [value for i in pack for value in case["gradient"][i]]
        assert leaf.grad.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)
        total += loss.total.item()
    assert total == pytest.approx(case["value"], rel=1e-5)


def test_labelled_responses_equal_trl() -> None:
    given, (desirable, undesirable) = TRL["labelled"], TRL["settings"]["weights"]
    beta, n = TRL["settings"]["beta"], len(given["policy"])
    settings = PreferenceLossSettings("kto", beta, desirable_weight=desirable, undesirable_weight=undesirable)
    known = Annotations(
        dict.fromkeys(range(n), 1 / n),
        ref_logp=references(given["reference"]),
        label=dict(enumerate(map(float, given["labels"]))),
        baseline=dict.fromkeys(range(n), beta * given["kl"]),
    )
    tokens = make_micro_batch(samples_of(given["reference"]), range(n), known, packed=True, pad_id=0).token_batch
    leaf = torch.tensor([value for row in given["policy"] for value in row], requires_grad=True)
    loss = PreferenceObjective(settings)(leaf, tokens)
    loss.total.backward()
    assert leaf.grad is not None
    assert loss.total.item() == pytest.approx(given["value"], rel=1e-5)
    expected = [value for row in given["gradient"] for value in row]
    assert leaf.grad.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert figures_of(PreferenceObjective(settings), [loss])["kl"] == pytest.approx(given["kl"], rel=1e-5)


def samples_of(rows: Sequence[Sequence[float]]) -> Trajectories:
    """Samples of a prompt of one token, with as many targets as each row has numbers."""
    ids = [np.zeros(len(row) + 1, np.int32) for row in rows]
    return Trajectories([Trajectory(Encoded(each, np.arange(len(each)) > 0), "") for each in ids])


def references(rows: Sequence[Sequence[float]]) -> dict[int, np.ndarray]:
    return {index: np.array(row, np.float32) for index, row in enumerate(rows)}


# -- every loss -----------------------------------------------------------------------------------------------------

LENGTHS = (3, 1, 7, 5, 2, 6)


def known_batch(lengths: Sequence[int]) -> TokenBatch:
    n = len(lengths)
    draw = np.random.default_rng(0)
    return batch_of(lengths, weight=[1 / n] * n, label=[1.0, 1.0, 0.0, 0.0, 1.0, 1.0][:n], baseline=[0.05] * n,
                    ref_logp=draw.normal(-2, 0.5, n).tolist())  # fmt: skip


@pytest.mark.parametrize("name", [*PAIR_LOSSES, *LABELLED_LOSSES])
def test_the_gradient_is_that_of_the_loss(name: str) -> None:
    draw = torch.Generator().manual_seed(0)
    log_probs = -2 + torch.randn(sum(LENGTHS), generator=draw, dtype=torch.float64)
    log_probs.requires_grad_()
    objective, batch = objective_of(name), known_batch(LENGTHS)
    assert gradcheck(lambda given: objective(given, batch).total, log_probs, atol=1e-6)
    assert torch.autograd.grad(objective(log_probs, batch).total, log_probs)[0].abs().min() > 0


@pytest.mark.parametrize("name", [*PAIR_LOSSES, *LABELLED_LOSSES])
def test_a_micro_batch_without_targets_adds_nothing(name: str) -> None:
    leaf = torch.zeros(0, requires_grad=True)
    loss = objective_of(name)(leaf, batch_of([], weight=[], ref_logp=[], label=[], baseline=[]))
    loss.total.backward()
    assert float(loss.total) == 0
    assert all(float(value) == 0 for value in loss.sums.values())


def test_the_losses_differ() -> None:
    log_probs, batch = torch.linspace(-3, -1, sum(LENGTHS), dtype=torch.float64), known_batch(LENGTHS)
    for names in (PAIR_LOSSES, LABELLED_LOSSES):
        values = sorted(float(objective_of(name)(log_probs, batch).total) for name in names)
        assert all(high - low > 1e-6 for low, high in pairwise(values))


def test_figures_of_a_step_without_rejected_responses_are_not_numbers() -> None:
    batch = batch_of([2, 3], weight=[0.5, 0.5], label=[1.0, 1.0], ref_logp=[-1.0, -1.0])
    objective = objective_of("kto")
    figures = figures_of(objective, [objective(torch.full((5,), -0.5, dtype=torch.float64), batch)])
    assert figures["reward_chosen"] == pytest.approx(0.1 * 1.25)
    assert math.isnan(figures["reward_rejected"])
    assert math.isnan(figures["reward_margin"])
    assert (figures["kl"], figures["reward_accuracy"]) == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "one of sigmoid"),
        ({"loss": "cdpo"}, "needs --label-smoothing"),
        ({"loss": "robust"}, "needs --label-smoothing"),
        ({"loss": "sigmoid", "label_smoothing": 0.1}, "is for --loss cdpo and robust"),
        ({"loss": "bco", "desirable_weight": 2.0}, "are for --loss kto"),
    ],
)
def test_settings_that_contradict_each_other(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PreferenceLossSettings(**options)
