"""What is said of a sampler whose log-probabilities or weights are not those of the model in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from libra_cli.engines.weight_digest import HeldWeight, digest, drawn_columns
from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.trajectories import Trajectory
from libra_cli.training.rollouts.hand_over import HandOver, LogProbs
from libra_cli.training.rollouts.rollout import GradedResponse
from libra_cli.training.rollouts.weight_proof import WeightProof

# -- log-probabilities ----------------------------------------------------------------------------------------------

RESPONSES = [
    replace(
        GradedResponse(n, n, n, 0, [1, 2]),
        token_ids=np.arange(20, dtype=np.int32),
        sampler_logp=np.full(20, -0.5, np.float32),
    )
    for n in range(4)
]


def hand_over(gap: float, bound: float | None = None) -> HandOver:
    """One after which the trainer's log-probabilities are `gap` below the sampler's."""

    def log_probs(trajectories: Sequence[Trajectory]) -> dict[int, np.ndarray]:
        return {n: np.full(20, -0.5 - gap, np.float32) for n in range(len(trajectories))}

    settings = SimpleNamespace(batch=SimpleNamespace(seed=1), rollout=SimpleNamespace(max_gap=bound))
    return HandOver(cast(Any, None), cast(Any, None), cast(Any, settings), cast(LogProbs, log_probs), "fp32")


def test_a_gap_within_the_bound_is_reported() -> None:
    assert hand_over(0.0009).check(RESPONSES, 1) == pytest.approx((0.0009, 0.0009), rel=1e-3)
    assert hand_over(0.04, 0.05).check(RESPONSES, 1).mean == pytest.approx(0.04, rel=1e-5)


def test_a_gap_beyond_the_bound_ends_the_run() -> None:
    for gap, bound in ((0.0011, None), (0.06, 0.05)):
        with pytest.raises(Fatal, match="log-probabilities differ from the trainer's by") as caught:
            hand_over(gap, bound).check(RESPONSES, 1)
        assert caught.value.status == Exit.BACKEND


# -- weights --------------------------------------------------------------------------------------------------------


def test_a_digest_is_that_of_the_elements_in_any_order() -> None:
    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        one = values.to(dtype)
        assert digest(one) == digest(one.t()) == digest(one.flip(0))
        assert digest(torch.cat([one, one[:2]])) == (digest(one) + digest(one[:2])) % 2**64
        assert digest(torch.cat([one, torch.zeros(3, 7, dtype=dtype), -torch.zeros(1, 7, dtype=dtype)])) == digest(one)
        other = one.clone()
        other.view(-1)[3] = torch.nextafter(other.view(-1)[3], torch.tensor(9, dtype=dtype))
        assert digest(other) != digest(one)
        other.view(-1)[3] = -one.view(-1)[3]
        assert digest(other) != digest(one)


def test_all_columns_have_their_turn() -> None:
    for width in (1, 7, 64, 100):
        drawn = [drawn_columns(width, draw) for draw in range(width)]
        assert {column for first, stride in drawn for column in range(first, width, stride)} == set(range(width))


class Tied(torch.nn.Module):
    """An embedding, which is the head too, and a matrix."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embed, self.head, self.up = torch.nn.Embedding(6, 4), torch.nn.Linear(4, 6, False), torch.nn.Linear(4, 8)
        self.head.weight = self.embed.weight


def held(names: list[str], tensor: torch.Tensor, columns: list[int] | None = None) -> HeldWeight:
    return HeldWeight(names, columns, "float32", digest(tensor))


def differing(model: Tied, *workers: list[HeldWeight], engine: str = "") -> tuple[str | None, list[str]]:
    notes: list[str] = []
    found = WeightProof(model, notes.append).differing({engine: workers}, model.named_parameters())
    return found, notes


def test_a_tied_head_is_compared_with_the_embedding() -> None:
    model = Tied()
    embed, up, bias = model.embed.weight, model.up.weight, model.up.bias
    right = [held(["embed.weight"], embed), held(["up.weight"], up[:, 1::2], [1, 2]), held(["up.bias"], bias)]
    assert differing(model, [*right, held(["head.weight"], embed[:, ::2], [0, 2])]) == (None, [])
    stale = held(["head.weight"], embed[:, ::2] + 1e-6, [0, 2])
    assert differing(model, [*right, stale]) == ("embed.weight", [])
    assert differing(model, [*right, stale], engine="http://a:1") == ("http://a:1: embed.weight", [])


def test_workers_hold_parts_or_copies() -> None:
    model = Tied()
    up, bias = model.up.weight, model.up.bias
    split = [
        [held(["up.weight"], up[:4]), held(["up.bias"], bias)],
        [held(["up.weight"], up[4:]), held(["up.bias"], bias)],
    ]
    note = "1 of 3 weights cannot be read in the sampler (embed.weight, ...): only log-probabilities prove them"
    assert differing(model, *split) == (None, [note])
    split[1][0] = held(["up.weight"], up[3:7])
    assert differing(model, *split)[0] == "up.weight"
    split[1] = [held(["up.weight"], up[4:]), held(["up.bias"], bias + 1)]
    assert differing(model, *split)[0] == "up.bias"


def test_joined_weights_and_other_names() -> None:
    model = Tied()
    both = ["up.weight", "embed.weight"]
    joined = torch.cat([model.up.weight, model.embed.weight])
    found, notes = differing(model, [held(both, joined), held(["elsewhere.weight"], joined)])
    assert found is None
    assert notes == ["1 of 3 weights cannot be read in the sampler (up.bias, ...): only log-probabilities prove them"]
    assert differing(model, [held(both, joined + 1e-3)])[0] == "up.weight"


def test_what_cannot_be_compared_is_said_once() -> None:
    model, notes = Tied(), []
    proof = WeightProof(model, notes.append)
    for _ in range(2):
        assert proof.differing({}, model.named_parameters()) is None
    assert len(notes) == 1
