"""`libra train-rm` learns the tokens that `libra judge` gives to a reward model, whatever the form of the row."""

from __future__ import annotations

from typing import Any

import pytest

from libra_cli.engines.base import LocalModel
from libra_cli.engines.chat_template import ChatTemplate, load_tokenizer
from libra_cli.engines.reward.base import conversation
from libra_cli.miniature import resolve
from libra_cli.records.items import item_of_row
from libra_cli.records.training_rows import PROMPT_TRANSCRIPT
from libra_cli.sampling.judge_session import JudgeSession
from libra_cli.sampling.judges import ScalarJudge
from libra_cli.stream.rows import RowError
from libra_cli.training.data.chat_format import BUILT_IN, TrainingChat
from libra_cli.training.data.scored import AS_TURNS, WITHOUT_THINKING, RewardEncoder

CHATML = BUILT_IN["chatml"]
THOUGHT = "<think>1+1, carry 0</think>\n\n2"
ASKED = [{"role": "user", "content": "1+1?"}]


def turn(text: str, **others: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text, **others}]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(LocalModel("libra-mini/weak", str(resolve("libra-mini/weak"))))


def judged(tokenizer: Any, fields: dict[str, Any]) -> list[list[int]]:
    """The tokens that a reward model is given of each response of a row."""
    item = item_of_row(fields)
    gates = [None] * len(item.responses)
    session = JudgeSession.about(item, ScalarJudge(), "rm", "row", gates, votes=1, orders="both", seed=0)
    chat = ChatTemplate(tokenizer, LocalModel("rm", "rm", chat_template=CHATML))
    return [conversation(chat, request)[1] for request in session.requests]


@pytest.mark.parametrize(
    ("pair", "forms"),
    [
        ({"prompt": ASKED, "chosen": turn("2"), "rejected": turn("3")}, []),
        ({"prompt": ASKED, "chosen": turn(THOUGHT), "rejected": turn("3 ")}, [WITHOUT_THINKING]),
        ({"chosen": ASKED + turn(THOUGHT), "rejected": ASKED + turn("no marker</think>3")}, [WITHOUT_THINKING]),
        (
            {"prompt": ASKED, "chosen": turn("2", reasoning_content="carry 0"), "rejected": turn("3")},
            [WITHOUT_THINKING],
        ),
        ({"prompt": "1+1?", "chosen": THOUGHT, "rejected": " 3"}, [AS_TURNS, WITHOUT_THINKING]),
        (
            {"chosen": "\n\nHuman: 1+1?\n\nAssistant: 2", "rejected": "\n\nHuman: 1+1?\n\nAssistant: 3"},
            [AS_TURNS],
        ),
        (
            {"prompt": "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: 1+1?\n\nAssistant:", "chosen": "2", "rejected": "3"},
            [AS_TURNS, PROMPT_TRANSCRIPT],
        ),
        ({"prompt": [*ASKED, *turn(THOUGHT), *ASKED], "chosen": turn("2"), "rejected": turn("3")}, []),
    ],
)
def test_a_pair_is_learned_as_it_is_judged(tokenizer: Any, pair: dict[str, Any], forms: list[str]) -> None:
    encoder = RewardEncoder(TrainingChat(tokenizer, CHATML), on_pairs=True)
    (samples,) = encoder.many([pair])
    assert isinstance(samples, list)
    assert [sample.ids.tolist() for sample in samples] == judged(tokenizer, pair)
    assert encoder.forms.rows == dict.fromkeys(forms, 1)


def test_a_prompt_that_is_a_transcript_is_as_many_turns_as_speakers(tokenizer: Any) -> None:
    pairs = [
        {"prompt": prompt, "chosen": "2", "rejected": "3"}
        for prompt in ("\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: 1+1?\n\nAssistant:", [
            {"role": "user", "content": "Hi"}, *turn("Yes?"), {"role": "user", "content": "1+1?"}
        ])
    ]  # fmt: skip
    read = RewardEncoder(TrainingChat(tokenizer, CHATML), on_pairs=True).many(pairs)
    as_text, as_messages = ([sample.ids.tolist() for sample in samples] for samples in read)
    assert as_text == as_messages


def test_a_labelled_response_is_learned_as_it_is_judged(tokenizer: Any) -> None:
    row = {"prompt": "1+1?", "completion": THOUGHT, "label": True}
    (samples,) = RewardEncoder(TrainingChat(tokenizer, CHATML), on_pairs=False).many([row])
    assert isinstance(samples, list)
    assert [samples[0].ids.tolist()] == judged(tokenizer, {"question": "1+1?", "response": THOUGHT})


@pytest.mark.parametrize(
    ("chosen", "kind"), [("<think>2, surely", "no_response"), ("<think>1+1</think>3", "same_responses")]
)
def test_what_no_judge_is_shown_is_not_learned(tokenizer: Any, chosen: str, kind: str) -> None:
    pair = {"prompt": ASKED, "chosen": turn(chosen), "rejected": turn("3")}
    (refused,) = RewardEncoder(TrainingChat(tokenizer, CHATML), on_pairs=True).many([pair])
    assert isinstance(refused, RowError)
    assert refused.kind == kind


def test_plain_text_stays_that_without_a_chat_template(tokenizer: Any) -> None:
    chat = TrainingChat(tokenizer)
    template, tokenizer.chat_template = tokenizer.chat_template, None
    try:
        (samples,) = RewardEncoder(chat, on_pairs=True).many([{"prompt": "1+1=", "chosen": THOUGHT, "rejected": "3"}])
    finally:
        tokenizer.chat_template = template
    assert isinstance(samples, list)
    assert tokenizer.decode(samples[0].ids).replace(" ", "").startswith("1+1=2")
