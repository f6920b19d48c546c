"""Real vLLM on the CPU as a trainer's sampler: after new weights its log-probabilities are those of the policy."""

from __future__ import annotations

import os
from dataclasses import replace

import installed
import numpy as np
import pytest
import torch
from engine_requests import answers, requests_of
from policy_models import (
    WEAK,
    add_noise,
    assert_rounding,
    begin_anew,
    differences,
    largest_difference,
    load,
    local,
    plain_logprobs,
    untied,
)

from libra_cli.engines import vllm_drivers
from libra_cli.engines.base import Sampling
from libra_cli.engines.transformers import TransformersEngine
from libra_cli.exits import Exit, Fatal
from libra_cli.training.rollouts.weight_proof import WeightProof

pytestmark = [pytest.mark.engine, installed.needs("vllm")]

from libra_cli.engines.vllm_policy import VllmPolicyEngine  # noqa: E402 -- only where vLLM is

PLAIN = Sampling(1.0, 1.0, 40)
REQUESTS = requests_of([f"What is {n}-{n % 90 + 9}*6?" for n in range(100, 106)], samples=3, logprobs=True)


@pytest.fixture(scope="module", params=[("tied", "float32"), ("untied", "float32"), ("tied", "bfloat16")], ids="-".join)
def started(request, tmp_path_factory):
    """An engine, the folder of its model and its dtype; each starts once for all tests."""
    head, dtype = request.param
    path = WEAK if head == "tied" else untied(tmp_path_factory.mktemp("untied"))
    before = dict(os.environ)
    engine = VllmPolicyEngine(replace(local(path), dtype=dtype, args={"max_num_seqs": 32}), PLAIN, print)
    yield engine, path, dtype
    engine.close()
    os.environ.clear()
    os.environ.update(before)


def test_logprobs_are_those_of_the_weights_that_came_last(started):
    engine, path, dtype = started
    policy = load(path, dtype)
    before = answers(engine, REQUESTS)
    if dtype == "float32":
        assert_rounding(differences(engine, policy, before, REQUESTS, PLAIN))
    # In half precision two forward passes of a trained miniature differ by 0.3 at a token, of a new one by 0.01.
    change = add_noise if dtype == "float32" else begin_anew
    for seed in (1, 2):
        change(policy, seed)
        engine.update_weights(policy.named_parameters())
        after = answers(engine, REQUESTS)
        assert after != before
        if dtype == "float32":
            assert_rounding(differences(engine, policy, after, REQUESTS, PLAIN))
        else:
            assert largest_difference(engine, policy, after, REQUESTS, PLAIN) < 1e-2
        before = after
    engine.sleep()
    engine.wake()
    assert answers(engine, REQUESTS) == before


def proven(engine, policy, draw: int = 1) -> tuple[str | None, list[str]]:
    """The first weight of the engine that is not the policy's, and what cannot be compared."""
    notes: list[str] = []
    differing = WeightProof(policy, notes.append).differing(engine.held_weights(draw), policy.named_parameters())
    return differing, notes


def learn(policy, lr: float = 1e-6) -> None:
    """One step of Adam, by a gradient of noise: the master weights of half precision are float32."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_((parameter.float() + lr * torch.randn_like(parameter).sign()).to(parameter.dtype))


def test_weights_of_which_the_engine_lacks_some_are_found(started, monkeypatch):
    """A step so small that no log-probability tells; in half precision a few of a hundred weights change in eight."""
    engine, path, dtype = started
    policy = add_noise(load(path, dtype), 5)
    engine.update_weights(policy.named_parameters())
    assert [proven(engine, policy, draw) for draw in range(4)] == [(None, [])] * 4
    learn(policy, 1e-6 if dtype == "float32" else 8e-6)
    assert proven(engine, policy)[0] is not None
    stale = "model.layers.1.mlp.down_proj.weight"
    engine.update_weights((name, weight) for name, weight in policy.named_parameters() if name != stale)
    assert proven(engine, policy)[0] == stale
    engine.update_weights(policy.named_parameters())
    assert proven(engine, policy) == (None, [])
    if not policy.config.tie_word_embeddings:
        return
    with monkeypatch.context() as patched:
        patched.setattr(vllm_drivers, "repack_tied_head", lambda _model: None)
        learn(policy, 8e-6)
        engine.update_weights(policy.named_parameters())
        assert proven(engine, policy)[0] == "model.embed_tokens.weight"
    engine.update_weights(policy.named_parameters())
    assert proven(engine, policy) == (None, [])


def test_in_float32_new_weights_agree_at_every_token(started):
    engine, path, dtype = started
    if dtype != "float32":
        pytest.skip("float32 is meant")
    policy = begin_anew(load(path), 4)
    engine.update_weights(policy.named_parameters())
    assert largest_difference(engine, policy, answers(engine, REQUESTS), REQUESTS, PLAIN) < 1e-5


def test_in_float32_trained_weights_are_as_near_to_float64_as_those_of_the_trainer(started):
    engine, path, dtype = started
    if dtype != "float32":
        pytest.skip("float32 is meant")
    policy, exact = add_noise(load(path), 6), load(path, "float64")
    exact.load_state_dict(policy.state_dict())
    engine.update_weights(policy.named_parameters())
    found = answers(engine, REQUESTS)
    answered = [(request, found[request.record_id, request.sample]) for request in REQUESTS]
    sampler = np.concatenate([completion.logprobs for _, completion in answered])
    trainer, right = (
        np.concatenate([plain_logprobs(model, engine.render(request).token_ids, completion, PLAIN)
                        for request, completion in answered])
        for model in (policy, exact)
    )  # fmt: skip
    gaps = [np.abs(one - other) for one, other in ((sampler, trainer), (sampler, right), (trainer, right))]
    for gap in gaps:
        assert_rounding(gap)
    assert gaps[1].mean() == pytest.approx(gaps[2].mean(), rel=0.5)


@pytest.mark.parametrize(
    "sampling", [Sampling(0.0, 1.0, 40), Sampling(0.7, 0.9, 40, top_k=20, min_p=0.02)], ids=["greedy", "restricted"]
)
def test_both_engines_mean_the_same_by_a_logprob(started, sampling, monkeypatch):
    engine, path, dtype = started
    if dtype != "float32":
        pytest.skip("in half precision a token at the edge of top-p may fall on either side")
    monkeypatch.setattr(engine, "_sampling", sampling)
    policy = add_noise(load(path, dtype), 3)
    engine.update_weights(policy.named_parameters())
    answered = answers(engine, REQUESTS)
    assert largest_difference(engine, policy, answered, REQUESTS, sampling) < 1e-4
    if sampling.temperature == 0:
        other = TransformersEngine(local(path), sampling)
        other.update_weights(policy.named_parameters())
        for key, completion in answers(other, REQUESTS).items():
            assert completion.token_ids == answered[key].token_ids
            assert completion.logprobs == pytest.approx(answered[key].logprobs, abs=1e-4)


def test_parallel_ranks_are_the_trainers():
    for axis in ("data_parallel_size", "tensor_parallel_size"):
        with pytest.raises(Fatal, match=axis) as caught:
            VllmPolicyEngine(local(args={axis: 2}), PLAIN, print)
        assert caught.value.status == Exit.USAGE
