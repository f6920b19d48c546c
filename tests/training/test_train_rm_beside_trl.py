"""A batch of `libra train-rm` beside TRL's RewardTrainer: the same loss and the same gradients. Needs trl."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dpo_runs
import pytest
import sft_runs as runs
import torch

from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.micro_batch import make_micro_batch
from libra_cli.training.data.scored import RewardEncoder
from libra_cli.training.data.sources import Annotations
from libra_cli.training.model import policy
from libra_cli.training.objectives.reward import RewardObjective
from libra_cli.training.preference_settings import RewardLossSettings
from libra_cli.training.settings import ModelSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("trl") is None, reason="TRL is not installed (pip install trl)"),
]
CENTERING = 0.1


def own(model: policy.ScoreModel, samples: list[Any]) -> torch.Tensor:
    """Our loss of these pairs, as rows of padding."""
    store = SimpleNamespace(sample=samples.__getitem__)
    every = range(len(samples))
    known = Annotations(
        dict.fromkeys(every, 2 / len(samples)), baseline={number: samples[number].value for number in every}
    )
    batch = make_micro_batch(store, list(every), known, packed=False, pad_id=0)
    scores = model(batch.inputs, batch.positions, batch.targets)
    return RewardObjective(RewardLossSettings("bt", CENTERING))(scores, batch.token_batch).total


def trls(model: Any, samples: list[Any]) -> torch.Tensor:
    """The loss that TRL's RewardTrainer computes of the same tokens, the chosen ones first."""
    from trl import RewardTrainer

    ordered = samples[0::2] + samples[1::2]
    longest = max(len(each.ids) for each in ordered)
    pad = model.config.pad_token_id
    ids = torch.tensor([[*each.ids.tolist(), *[pad] * (longest - len(each.ids))] for each in ordered])
    mask = torch.tensor([[1] * len(each.ids) + [0] * (longest - len(each.ids)) for each in ordered])
    same = SimpleNamespace(gather=lambda value: value, gather_for_metrics=lambda value: value)
    trainer = SimpleNamespace(
        model=model, args=SimpleNamespace(center_rewards_coefficient=CENTERING), accelerator=same,
        _metrics={"train": defaultdict(list)}, _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    margin = torch.tensor([each.value for each in samples[0::2]])
    inputs = {"input_ids": ids, "attention_mask": mask, "margin": margin}
    return RewardTrainer.compute_loss(trainer, model, inputs)  # type: ignore[no-any-return, arg-type]


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_loss_and_gradients_are_those_of_trl(tmp_path: Path) -> None:
    settings = ModelSettings(str(runs.write_model(tmp_path / "start")), dtype="fp32")
    tokenizer = policy.load_tokenizer(settings)
    rows = dpo_runs.pairs(4)
    rows[1]["margin"] = 0.5
    samples = [sample for row in RewardEncoder(TrainingChat(tokenizer), True).many(rows) for sample in row]
    model = policy.load(settings, policy.load_config(settings), None, None, policy.REWARD_MODEL)
    model.config.pad_token_id = policy.pad_id_of(tokenizer)
    loss, expected = own(policy.ScoreModel(model, packed=False), samples), trls(model, samples)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    found, theirs = gradients(model, loss), gradients(model, expected)
    assert found.keys() == theirs.keys()
    assert "score.weight" in found
    for name, gradient in theirs.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)
