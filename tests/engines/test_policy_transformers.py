"""The transformers engine as a trainer's sampler: log-probabilities, new weights, and the trainer's own module."""

from __future__ import annotations

from dataclasses import replace

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
    untied,
)

from libra_cli.engines.base import Completion, Pending, RequestList, Sampling
from libra_cli.engines.chat_template import load_chat_template
from libra_cli.engines.transformers import TransformersEngine

PLAIN = Sampling(1.0, 1.0, 40)
REQUESTS = requests_of([f"What is {n}-{n % 90 + 9}*6?" for n in range(100, 106)], samples=3, logprobs=True)


@pytest.mark.parametrize(
    "sampling",
    [
        PLAIN,
        Sampling(0.0, 1.0, 40),
        Sampling(0.7, 0.9, 40, top_k=20, min_p=0.02),
        replace(PLAIN, stop=("=",)),
    ],
    ids=["plain", "greedy", "restricted", "stop"],
)
def test_logprobs_are_those_of_the_distribution_that_tokens_are_sampled_from(sampling):
    engine = TransformersEngine(local(), sampling, 7)
    answered = answers(engine, REQUESTS)
    assert largest_difference(engine, load(), answered, REQUESTS, sampling) < 1e-4


def test_token_ids_are_all_that_was_generated_and_nothing_else_changes():
    engine = TransformersEngine(local(), PLAIN)
    asked = answers(engine, REQUESTS)
    plain = answers(engine, [replace(request, logprobs=False) for request in REQUESTS])
    tokenizer = load_chat_template(local()).tokenizer
    for key, completion in asked.items():
        assert replace(completion, token_ids=None, logprobs=None) == plain[key]
        assert completion.text in tokenizer.decode(completion.token_ids)
        assert all(logprob <= 0 for logprob in completion.logprobs)
        if completion.finish_reason == "stop":
            assert completion.token_ids[-1] == tokenizer.eos_token_id


def test_a_list_of_requests_with_tokens_of_the_callers_own():
    tokens = [object() for _ in REQUESTS]
    engine = TransformersEngine(local(), PLAIN)
    requests = RequestList(Pending(request, token) for request, token in zip(REQUESTS, tokens, strict=True))
    answered = {id(pair[0].token): pair[1] for pair in engine.generate(requests) if pair is not None}
    assert [type(answered[id(token)]) for token in tokens] == [Completion] * len(REQUESTS)


def exact(path: str = WEAK):
    """In float64, so that logits differ by float32's rounding in the sampler alone, and not by the batch's shape."""
    return replace(local(path), dtype="float64")


# -- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
def test_new_weights_are_those_that_generate_again_and_again(tied, tmp_path):
    path = WEAK if tied else untied(tmp_path)
    engine = TransformersEngine(exact(path), PLAIN)
    before = answers(engine, REQUESTS)
    for seed in (1, 2):
        policy = add_noise(load(path, "float64"), seed)
        engine.update_weights(policy.named_parameters())
        after = answers(engine, REQUESTS)
        assert after != before
        assert largest_difference(engine, policy, after, REQUESTS, PLAIN) < 1e-5
        before = after
    engine.sleep()
    engine.wake()
    assert answers(engine, REQUESTS) == before


def test_weights_may_come_before_the_first_request():
    policy, engine = add_noise(load(WEAK, "float64"), 3), TransformersEngine(exact(), PLAIN)
    engine.update_weights(policy.named_parameters())
    assert largest_difference(engine, policy, answers(engine, REQUESTS), REQUESTS, PLAIN) < 1e-5


def test_a_weight_that_the_model_does_not_have_is_named():
    with pytest.raises(KeyError, match="no_such_weight"):
        TransformersEngine(local(), PLAIN).update_weights([("no_such_weight", torch.zeros(1))])


def test_in_float32_sampler_and_trainer_agree_at_every_token_as_far_as_float32_goes():
    """1e-5 with new weights. A trained miniature amplifies rounding, in any two passes."""
    engine = TransformersEngine(local(), PLAIN)
    answered = answers(engine, REQUESTS)
    for policy in (load(), load(WEAK, "float64")):
        assert_rounding(differences(engine, policy, answered, REQUESTS, PLAIN))
    new = begin_anew(load(), 1)
    engine.update_weights(new.named_parameters())
    assert largest_difference(engine, new, answers(engine, REQUESTS), REQUESTS, PLAIN) < 1e-5


# -- the trainer's own module ----------------------------------------------------------------------------------------


def on(policy, sampling=PLAIN, **options):
    return TransformersEngine.on(policy, load_chat_template(local()), sampling, **options)


def test_a_trained_module_generates_as_its_copy_would():
    policy = add_noise(load(WEAK, "float64"), 4)
    copy = TransformersEngine(exact(), PLAIN)
    copy.update_weights(policy.named_parameters())
    engine = on(policy)
    assert answers(engine, REQUESTS) == answers(copy, REQUESTS)
    add_noise(policy, 5)  # a step of training
    engine.update_weights(policy.named_parameters())
    assert largest_difference(engine, policy, answers(engine, REQUESTS), REQUESTS, PLAIN) < 1e-5
    engine.close()
    engine.close()


def test_training_goes_on_as_if_nothing_had_been_generated():
    def step(generate: bool) -> tuple[float, list[torch.Tensor]]:
        torch.manual_seed(0)
        policy = load()
        policy.config.use_cache = False
        policy.train()
        policy.gradient_checkpointing_enable({"use_reentrant": False})
        policy.model.embed_tokens.eval()  # one submodule in a mode of its own
        if generate:
            engine = on(policy)
            answers(engine, REQUESTS)
            assert policy.training
            assert not policy.model.embed_tokens.training
            assert policy.is_gradient_checkpointing
        ids = torch.arange(20)[None]
        loss = policy(input_ids=ids, labels=ids).loss
        loss.backward()
        return loss.item(), [parameter.grad for parameter in policy.parameters()]

    (loss, gradients), (expected, without) = step(True), step(False)
    assert loss == expected
    assert all(torch.equal(one, other) for one, other in zip(gradients, without, strict=True))


def test_the_module_is_left_as_it_was_when_generation_is_given_up():
    policy = load().train()
    generating = on(policy).generate(RequestList(map(Pending, REQUESTS)))
    next(generating)
    assert not policy.training
    generating.close()
    assert policy.training


def test_attention_that_cannot_generate_is_replaced_for_a_while():
    from transformers import AttentionInterface

    def packed(*_args, **_kwargs):
        raise ValueError("no documents are laid out")

    AttentionInterface.register("test_packed", packed)
    policy = load()
    expected = answers(on(policy), REQUESTS)
    policy.set_attn_implementation("test_packed")
    assert answers(on(policy, attention="sdpa"), REQUESTS) == expected
    assert policy.config._attn_implementation == "test_packed"
