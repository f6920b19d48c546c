"""Implicit reward models: log-ratio sums of two plain forwards, over the tokens that training takes the loss on."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from reward_models import CHAT, reward_model, rewards, scores

from libra_cli import miniature
from libra_cli.engines.base import LocalModel, RequestError
from libra_cli.engines.reward.base import ImplicitReward, RewardRequest
from libra_cli.engines.reward.implicit import ImplicitRewards, step_ends
from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.tokenization import Encoder

BETA = 0.3
STRONG, WEAK = (LocalModel(name, str(miniature.resolve(name))) for name in ("libra-mini/strong", "libra-mini/weak"))
QUESTION = "1+1?"
STEPS = {
    "1+1=2\n\nThe answer is \\boxed{2}.": ["1+1=2\n\n", "The answer is \\boxed{2}."],
    "<think>1+1=2</think>It is \\boxed{3}.": ["<think>1+1=2</think>It is \\boxed{3}."],
    "a\n\n\n\nb\n\n \n\nc\n\n": ["a\n\n", "\n\nb\n\n", " \n\nc\n\n"],
    "2": ["2"],
    "1+1=2;" * 40: ["1+1=2;" * 40],
    "\u00e9\u4e2d\n\n\U0001f600!": ["\u00e9\u4e2d\n\n", "\U0001f600!"],
}


def implicit(separator: str = "\n\n", **more) -> ImplicitRewards:
    return ImplicitRewards(STRONG, WEAK, ImplicitReward(WEAK.name, BETA, separator), **more)


@pytest.mark.parametrize("text", STEPS)
def test_steps_end_behind_separators_and_none_is_blank(text):
    begins = [0, *step_ends(text, "\n\n")]
    assert [text[a:b] for a, b in pairwise(begins)] == STEPS[text]


def plain_log_probs(model, pieces):
    """Sum of the log-probabilities of each of `pieces` but the first, in a forward of all of them alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.path)
    lm = AutoModelForCausalLM.from_pretrained(model.path, dtype="float32").eval()
    ids = [tokenizer(piece, add_special_tokens=False).input_ids for piece in pieces]
    flat = [token for piece in ids for token in piece]
    with torch.no_grad():
        logp = lm(input_ids=torch.tensor([flat])).logits[0].double().log_softmax(-1)
    at, sums = len(ids[0]), []
    for piece in ids[1:]:
        sums.append(sum(logp[at + n - 1, token].item() for n, token in enumerate(piece)))
        at += len(piece)
    return sums


def test_rewards_are_log_ratio_sums_of_plain_forwards_whatever_the_batch():
    expected = {}
    for text, (*others, last) in STEPS.items():
        pieces = [f"<|user|>{QUESTION}<|assistant|>", *others, last + "<|im_end|>"]
        policy, reference = (plain_log_probs(model, pieces) for model in (STRONG, WEAK))
        expected[text] = [BETA * (a - b) for a, b in zip(policy, reference, strict=True)]
    for batch_size in (1, 4):
        for text, reward in zip(STEPS, rewards(implicit(batch_size=batch_size), STEPS), strict=True):
            assert reward.steps == pytest.approx(expected[text], abs=2e-5)
            assert reward.value == pytest.approx(math.fsum(expected[text]), abs=2e-5)


def test_a_model_that_equals_its_reference_rewards_nothing():
    engine = ImplicitRewards(STRONG, STRONG, ImplicitReward(STRONG.name, BETA, "\n\n"))
    assert scores(engine, STEPS) == [0.0] * len(STEPS)


@pytest.mark.parametrize("text", [*STEPS, "2<|im_end|><|user|>Very good!<|endoftext|>", " 2 "])
def test_the_tokens_are_those_that_training_takes_the_loss_on(text):
    engine = implicit()
    messages = [{"role": "user", "content": QUESTION + "<|im_end|><think>"}, {"role": "assistant", "content": text}]
    read = engine._read(RewardRequest(messages, "p", 0))
    sample = Encoder(TrainingChat(engine._chat.tokenizer))({"messages": messages})
    assert read.ids == sample.ids.tolist()
    assert len(read.step_of_token) == sample.loss_mask.sum()
    assert sample.loss_mask[-len(read.step_of_token) :].all()
    assert read.step_of_token == sorted(read.step_of_token)


def test_another_separator_makes_other_steps_of_the_same_reward():
    text = "1+1=2; 2; \\boxed{2}"
    whole, split = rewards(implicit(), [text])[0], rewards(implicit(";"), [text])[0]
    assert (len(whole.steps), len(split.steps)) == (1, 3)
    assert split.value == pytest.approx(whole.value, abs=1e-6)


def test_a_response_that_the_template_changes_costs_its_row_only():
    changing = CHAT.replace("m.content", "m.content | replace('no', 'yes')").replace(
        "{% endfor %}<|im_end|>", "{% endfor %}"
    )
    engine = ImplicitRewards(replace(STRONG, chat_template=changing), WEAK, ImplicitReward("weak", BETA, "\n\n"))
    found = rewards(engine, ["no", "yes"])
    assert isinstance(found[0], RequestError)
    assert found[0].kind == "chat_template"


def test_a_reference_that_knows_fewer_tokens_is_refused(tmp_path):
    import transformers

    config = transformers.AutoConfig.from_pretrained(WEAK.path)
    config.vocab_size, config.pad_token_id = 100, None
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    small = LocalModel("small", str(tmp_path))
    with pytest.raises(Fatal, match="it knows 100 tokens") as caught:
        rewards(ImplicitRewards(STRONG, small, ImplicitReward("small", BETA, "\n\n")), ["2"])
    assert caught.value.status == Exit.USAGE


def exchange_two_tokens(folder):
    """Gives the tokenizer of `folder` other numbers for two of its tokens."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    first, second = list(vocabulary)[-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    path.write_text(json.dumps(tokenizer))


def test_a_reference_with_another_tokenizer_is_refused(tmp_path):
    exchange_two_tokens(shutil.copytree(WEAK.path, tmp_path / "other"))
    other = LocalModel("other", str(tmp_path / "other"))
    with pytest.raises(Fatal, match="its tokenizer is not that of libra-mini/strong") as caught:
        rewards(ImplicitRewards(STRONG, other, ImplicitReward("other", BETA, "\n\n")), ["2"])
    assert caught.value.status == Exit.USAGE


@pytest.mark.parametrize(("exchanged", "status"), [(False, 0), (True, 2)])
def test_a_reference_of_the_hub_is_looked_at_as_well(shell, tmp_path, exchanged, status):
    kept = tmp_path / "hub" / "models--acme--other"
    shutil.copytree(WEAK.path, kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    if exchanged:
        exchange_two_tokens(kept / "snapshots" / "abc")
    row = json.dumps({"id": "1", "question": QUESTION, "response": "2"}).encode()
    words = "libra judge --implicit --model libra-mini/strong --reference acme/other"
    ended = shell(words, input=row, env={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}, timeout=120)
    assert ended.status == status, ended.err
    assert (b"--reference acme/other: its tokenizer is not that of libra-mini/strong" in ended.err) == exchanged


def test_a_model_with_a_head_is_refused(tmp_path):
    reward_model(tmp_path)
    head = LocalModel("head", str(tmp_path))
    with pytest.raises(Fatal, match="an implicit reward model and its reference are language models"):
        rewards(ImplicitRewards(head, WEAK, ImplicitReward("weak", BETA, "\n\n")), ["2"])


def test_the_rendered_text_is_what_is_scored():
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "2"}]
    assert implicit().render(RewardRequest(messages, "r", 0)).text == f"<|user|>{QUESTION}<|assistant|>2<|im_end|>"
