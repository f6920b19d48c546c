"""Random reward models of several families with the miniature's tokenizer, and requests for their engines."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from engine_requests import LimitedRequests

from libra_cli import miniature
from libra_cli.engines.base import LocalModel, Pending, RequestError
from libra_cli.engines.reward.base import Reward, RewardRequest

CHAT = "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' ~ m.content }}{% endfor %}<|im_end|>"
PAD, EOS, USER = 256, 257, 258
SIZES = {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.2}  # fmt: skip
LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 300, 377, 450, 480)


def reward_model(folder: Path, family: str = "Qwen2", template: str | None = CHAT, bos: bool = False,
                 **config: Any) -> LocalModel:  # fmt: skip
    """A random reward model of `family` in `folder`; `config` changes its config, None takes a token from it."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(miniature.resolve("libra-mini/strong")))
    tokenizer.chat_template = template
    if bos:
        _begin_with_bos(tokenizer)
    given = {"vocab_size": len(tokenizer), "pad_token_id": PAD, "eos_token_id": EOS, "bos_token_id": None,
             "num_labels": 1, **SIZES, **config}  # fmt: skip
    if given["pad_token_id"] is None:
        tokenizer.pad_token = None
    torch.manual_seed(0)
    made = getattr(transformers, f"{family}ForSequenceClassification")(
        getattr(transformers, f"{family}Config")(**given)
    )
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return LocalModel("test-rm", str(folder))


def _begin_with_bos(tokenizer: Any) -> None:
    """Makes the tokenizer put a BOS before every text, as Llama's does."""
    from tokenizers.processors import TemplateProcessing

    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", pair="<|endoftext|> $A $B", special_tokens=[("<|endoftext|>", PAD)]
    )


def conversation(response: str, question: str = "1+1?") -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": response}]


def reward_requests(responses: Iterable[str]) -> list[Pending]:
    """A request for each response to the same question; its number is the token."""
    return [
        Pending(RewardRequest(conversation(response), f"r{number}", 0), number)
        for number, response in enumerate(responses)
    ]


def of_all_lengths() -> list[str]:
    """Responses of very different lengths, each about something else, in no order."""
    texts = ["".join(random.Random(n).choices("0123456789+=", k=n)) for n in LENGTHS]
    return texts[::2] + texts[1::2]


def rewards(engine: Any, responses: Iterable[str], at_most: int = 1 << 30) -> list[Reward | RequestError]:
    """The engine's answers to the responses, in their order; each request must be answered once."""
    pending = reward_requests(responses)
    requests, answered = LimitedRequests(pending, at_most), {}
    for pair in engine.generate(requests):
        if pair is not None:
            requests.out -= 1
            assert pair[0].token not in answered
            answered[pair[0].token] = pair[1]
    return [answered[one.token] for one in pending]


def scores(engine: Any, responses: Iterable[str], at_most: int = 1 << 30) -> list[float]:
    """As `rewards`; every answer must be a number."""
    found = rewards(engine, responses, at_most)
    assert all(isinstance(reward, Reward) for reward in found), found
    return [reward.value for reward in found]
