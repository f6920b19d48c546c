"""Responses in memory, with what is known of each token, on their way into the tensors of a micro-batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from libra_cli.training.data.micro_batch import make_micro_batch
from libra_cli.training.data.packing import PackBudget, pack_batch
from libra_cli.training.data.sources import Annotations
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.data.trajectories import Trajectories, Trajectory

SIZES = ((3, 2), (1, 4), (2, 1), (4, 3))
"""Tokens of the prompt, tokens of the response."""


def values(index: int, name: str) -> np.ndarray:
    """Log-probabilities that say whose they are, which field they are of and which token."""
    number = ("sampler_logp", "old_logp", "ref_logp").index(name) + 1
    return -(100 * index + 10 * number + np.arange(SIZES[index][1], dtype=np.float32))


def trajectories() -> Trajectories:
    return Trajectories([
        Trajectory.of_response(
            range(10 * i, 10 * i + prompt), range(10 * i + prompt, 10 * i + prompt + response), f"row-{i}",
            advantage=float(i) if i else np.arange(response, dtype=np.float32),
            **{name: values(i, name) for name in ("sampler_logp", "old_logp", "ref_logp")},
        )
        for i, (prompt, response) in enumerate(SIZES)
    ])  # fmt: skip


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("budget", [5, 9, 100])
@pytest.mark.parametrize("ranks", [1, 3])
def test_each_target_keeps_what_is_known_of_it(packed: bool, budget: int, ranks: int) -> None:
    samples = trajectories()
    batch = samples.mini_batch([3, 0, 2, 1], [0.3, 0.0625, 0.2, 0.1])
    packs = pack_batch(batch.units, samples.lengths, ranks, PackBudget(budget, padded=not packed))
    seen = []
    for pack in (pack for rank in packs for pack in rank):
        micro = make_micro_batch(batch.samples, pack, batch.annotations, packed=packed, pad_id=99)
        tokens = micro.token_batch
        for field in (tokens.advantage, tokens.old_logp, tokens.ref_logp, tokens.sampler_logp):
            assert field is not None
            assert field.dtype == torch.float32
            assert len(field) == len(micro.targets)
        for at, index in enumerate(micro.samples.tolist()):
            token = int(micro.targets[at]) - 10 * index - SIZES[index][0]  # number within the response
            seen.append((index, token))
            assert pack[tokens.sample[at]] == index
            for name in ("sampler_logp", "old_logp", "ref_logp"):
                assert getattr(tokens, name)[at] == values(index, name)[token]
            assert tokens.weight[at] == pytest.approx([0.0625, 0.1, 0.2, 0.3][index])
            assert tokens.advantage is not None
            assert tokens.advantage[at] == (index or token)
    assert sorted(seen) == [(i, t) for i, (_, response) in enumerate(SIZES) for t in range(response)]


def test_stretches_of_a_row_that_ranks_share_have_the_whole_rows_annotations() -> None:
    batch = trajectories().mini_batch([0, 1, 2, 3], [0.25] * 4)
    whole = make_micro_batch(batch.samples, [0, 1, 2, 3], batch.annotations, packed=True, pad_id=0).token_batch
    found = []
    for rank in range(2):
        part = make_micro_batch(
            batch.samples, [0, 1, 2, 3], batch.annotations, packed=True, pad_id=0, sp_size=2, sp_rank=rank
        )
        assert part.token_batch.sampler_logp is not None
        assert torch.equal(part.token_batch.sampler_logp, whole.sampler_logp)
        own = part.token_batch.slice(part.own)
        assert own.n_samples == 4
        assert own.sampler_logp is not None
        found.append(own.sampler_logp)
    assert torch.equal(torch.cat(found), whole.sampler_logp)


def test_what_is_known_of_no_trajectory_is_absent() -> None:
    samples = Trajectories([Trajectory.of_response([1], [2, 3], "a"), Trajectory.of_response([1, 2], [3], "b")])
    annotations = samples.mini_batch([0, 1], [0.5, 0.5]).annotations
    assert (annotations.old_logp, annotations.ref_logp, annotations.sampler_logp) == (None, None, None)
    assert annotations.advantage == {0: 0.0, 1: 0.0}


def test_weights_of_tokens_multiply_that_of_their_response() -> None:
    one = Trajectory.of_response([1], [2, 3], "a", token_weight=np.array([1, 2], np.float32))
    batch = Trajectories([one, Trajectory.of_response([1], [2], "b")]).mini_batch([0, 1], [0.25, 0.5])
    tokens = make_micro_batch(batch.samples, [1, 0], batch.annotations, packed=True, pad_id=0).token_batch
    assert tokens.weight.tolist() == [0.5, 0.25, 0.5]


def test_an_empty_response_has_no_target() -> None:
    samples = Trajectories([Trajectory.of_response([1, 2], [], "empty", sampler_logp=np.empty(0, np.float32))])
    assert samples.n_targets.tolist() == [0]
    batch = samples.mini_batch([0], [0.0])
    tokens = make_micro_batch(batch.samples, [0], batch.annotations, packed=True, pad_id=0).token_batch
    assert tokens.sampler_logp is not None
    assert (len(tokens.sample), len(tokens.sampler_logp), tokens.n_samples) == (0, 0, 1)


def test_later_turns_may_hold_targets_too() -> None:
    mask = np.array([False, True, False, True, True])
    several = Trajectories([Trajectory(Encoded(np.arange(5, dtype=np.int32), mask), "a", advantage=np.arange(3.0))])
    batch = several.mini_batch([0], [1 / 3])
    micro = make_micro_batch(batch.samples, [0], batch.annotations, packed=True, pad_id=0)
    assert micro.targets.tolist() == [1, 3, 4]
    assert micro.token_batch.advantage is not None
    assert micro.token_batch.advantage.tolist() == [0, 1, 2]


@pytest.mark.parametrize("field", ["sampler_logp", "advantage", "old_logp", "ref_logp", "token_weight"])
def test_an_array_of_another_length_is_refused(field: str) -> None:
    known: dict[str, Any] = {field: np.zeros(3, np.float32)}
    with pytest.raises(ValueError, match=rf"row-7: {field} has shape \(3,\), but there are 2 targets"):
        Trajectories([Trajectory.of_response([1], [2, 3], "row-7", **known)])


@pytest.mark.parametrize("field", ["sampler_logp", "advantage", "old_logp", "ref_logp", "token_weight"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(field: str, value: float) -> None:
    """Some engines report no log-probability for some tokens; a loss would tell neither where nor why."""
    known: dict[str, Any] = {field: np.array([-1.0, value], np.float32)}
    with pytest.raises(ValueError, match=f"row-7: {field} is not finite"):
        Trajectories([Trajectory.of_response([1], [2, 3], "row-7", **known)])


def test_a_mini_batch_of_which_only_some_know_something_is_refused() -> None:
    samples = Trajectories([Trajectory.of_response([1], [2], "a", ref_logp=np.zeros(1, np.float32)),
                            Trajectory.of_response([1], [2], "b")])  # fmt: skip
    with pytest.raises(ValueError, match="b: no ref_logp, but others of the mini-batch have it"):
        samples.mini_batch([0, 1], [0.5, 0.5])


def test_annotations_of_another_length_are_refused() -> None:
    """Whoever makes annotations without trajectories hears of it too, since one value would spread over all targets."""
    annotations = Annotations({0: 0.5}, old_logp={0: np.zeros(1, np.float32)})
    with pytest.raises(ValueError, match="sample 0 has 2 targets"):
        make_micro_batch(trajectories(), [0], annotations, packed=True, pad_id=0)
