"""The loss of grpo beside that of TRL's GRPOTrainer on the same log-probabilities; trl_grpo.json says where from."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from libra_cli.training.data.micro_batch import make_micro_batch
from libra_cli.training.data.trajectories import Trajectories, Trajectory
from libra_cli.training.objectives.grpo import GrpoObjective, GrpoSettings, token_weights

TRL: dict[str, Any] = json.loads((Path(__file__).parent / "trl_grpo.json").read_text())
TOLERANCE = 1e-6


@pytest.mark.parametrize("packs", [[[0, 1, 2, 3, 4, 5]], [[4, 1], [0], [5, 2, 3]]], ids=["one pass", "three passes"])
@pytest.mark.parametrize("case", TRL["cases"], ids=lambda case: case["name"])
def test_loss_gradient_and_figures(case: dict[str, Any], packs: list[list[int]]) -> None:
    fields = ["old_logp", "ref_logp", *(["sampler_logp"] if case["gap"] else [])]
    samples = Trajectories([
        Trajectory.of_response([0], range(len(logp)), str(i), advantage=TRL["advantage"][i],
                               **{name: np.array(TRL[name][i], np.float32) for name in fields})
        for i, logp in enumerate(TRL["logp"])
    ])  # fmt: skip
    objective = GrpoObjective(GrpoSettings(**case["settings"], importance_cap=TRL["importance_cap"]))
    weights = token_weights(samples.n_targets.tolist(), objective.settings.aggregate, TRL["longest"])
    batch = samples.mini_batch(range(len(samples)), weights)
    sums: dict[str, float] = {"log_ratio_max": 0.0, "sampler_log_ratio_max": 0.0}
    for pack in packs:
        tokens = make_micro_batch(samples, pack, batch.annotations, packed=True, pad_id=0).token_batch
        log_probs_N = torch.tensor([value for i in pack for value in TRL["logp"][i]], requires_grad=True)
        loss = objective(log_probs_N, tokens)
        loss.total.backward()
        assert log_probs_N.grad is not None
        expected = [value for i in pack for value in case["gradient"][i]]
        assert log_probs_N.grad.tolist() == pytest.approx(expected, abs=TOLERANCE)
        sums |= {name: sums.get(name, 0.0) + float(value) for name, value in loss.sums.items()}
    figures = objective.figures(sums)
    assert figures["loss"] == pytest.approx(case["loss"], abs=TOLERANCE)
    # TRL logs the KL as corrected, and the clip shares of responses for GSPO.
    compared = [] if case["settings"].get("kl_correction") or case["kl"] is None else ["kl"]
    if case["clip_low"] is not None and case["settings"].get("policy") != "gspo":
        compared += ["clip_low", "clip_high"]
        assert case["clip_low"] * case["clip_high"] > 0
    for name in compared:
        assert figures[name] == pytest.approx(case[name], abs=TOLERANCE)


def test_the_cases_tell_the_settings_apart() -> None:
    losses = sorted(case["loss"] for case in TRL["cases"])
    assert all(high - low > 10 * TOLERANCE for low, high in pairwise(losses))
