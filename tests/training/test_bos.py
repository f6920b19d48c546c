"""The BOS: that of a conversation is what its chat template writes, that of plain text the tokenizer's own."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizer_families import CHATML, LLAMA3, NAMES, PLAIN, family

from libra_cli.engines import chat_template as engine_chat
from libra_cli.engines.base import LocalModel, Request
from libra_cli.records.training_rows import Conversation
from libra_cli.training.data.chat_format import TrainingChat, template_text
from libra_cli.training.data.tokenization import Encoder

QUESTION = {"role": "user", "content": "What is 2 + 2?"}
THOUGHT = "<think>\nFirst I add the numbers.\n\nHello?\n</think>\n\nThe answer is \\boxed{4}."


def answered(answer: str) -> dict[str, Any]:
    return {"messages": [QUESTION, {"role": "assistant", "content": answer}]}


def encoder(name: str, template: str | None = None, **options: Any) -> Encoder:
    known = family(name)
    return Encoder(TrainingChat(known.tokenizer, template or known.template), **options)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_bos_where_the_tokenizer_has_one_and_none_where_not(name):
    known = family(name)
    ids = encoder(name, assistant="verbatim")(answered(THOUGHT)).ids.tolist()
    expected = [known.tokenizer.bos_token_id] if known.n_bos else []
    assert ids[: known.n_bos] == expected
    assert known.tokenizer.bos_token_id not in ids[known.n_bos : -1]  # GPT-2's is its EOS


@pytest.mark.parametrize(("template", "n_written"), [(PLAIN, 0), (LLAMA3, 1), ("{{ bos_token }}" + LLAMA3, 2)])
@pytest.mark.parametrize("assistant", ["template", "verbatim"])
def test_a_conversation_has_the_bos_that_its_template_writes(template, n_written, assistant):
    known = family("llama3").tokenizer
    made = encoder("llama3", template, assistant=assistant)
    encoded = made(answered("It is 4."))
    ids = encoded.ids.tolist()
    assert [ids[:n_written], ids.count(known.bos_token_id)] == [[known.bos_token_id] * n_written, n_written]
    asked = answered("It is 4.")["messages"]
    beginning = ids[: n_written + 8]  # a token may join a prompt of the template and the answer
    assert known.apply_chat_template(asked, chat_template=template, return_dict=False)[: len(beginning)] == beginning
    assert made.chat.scored(Conversation(asked, n_prompt=1))[: len(beginning)] == beginning
    engine = engine_chat.ChatTemplate(known, LocalModel("m", "m", chat_template=template))
    assert encoded.ids[~encoded.loss_mask].tolist() == engine.render(Request([QUESTION], 0, "", 0)).token_ids
    assert engine.response_tokens(asked)[0] == encoded.ids[~encoded.loss_mask].tolist()


@pytest.mark.parametrize(("name", "template", "told"), [
    ("llama3", PLAIN, "<|begin_of_text|>"), ("llama3", LLAMA3, None), ("llama3", "\n" + LLAMA3, None),
    ("llama2", CHATML, "<s>"), ("llama2", None, None),
    ("qwen2.5", None, None), ("gpt2", PLAIN, None), ("llama3", "{{ raise_exception('no') }}", None),
])  # fmt: skip
def test_a_bos_that_only_plain_text_has_is_named(name, template, told):
    assert encoder(name, template).chat.left_out_bos == told


def test_the_built_in_template_writes_the_bos_of_a_tokenizer_that_has_one():
    for name, n in (("llama3", 1), ("llama2", 1), ("qwen2.5", 0), ("gpt2", 0)):
        known = family(name).tokenizer
        made = encoder(name, template_text("chatml", known))
        ids = made(answered(THOUGHT)).ids.tolist()
        assert ids[:n] == [known.bos_token_id] * n
        assert known.bos_token_id not in ids[n:-1]  # GPT-2's is its EOS
        assert made.chat.left_out_bos is None


@pytest.mark.parametrize("row", [{"text": "Hello."}, {"prompt": "Hello", "completion": "."}, {"segments": [
    {"label": False, "text": "<|begin_of_text|>Hello"}, {"label": True, "text": "."}]}])  # fmt: skip
def test_plain_text_has_one_bos_whatever_the_template_writes(row):
    bos = family("llama3").tokenizer.bos_token_id
    for template in (PLAIN, LLAMA3):
        ids = encoder("llama3", template)(row).ids.tolist()
        assert (ids[0], ids.count(bos)) == (bos, 1)
