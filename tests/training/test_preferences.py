"""Rows of preferences as samples, in every form of TRL, and the answers to other prompts that KTO compares with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizer_families import family

from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.rows import Row, RowError
from libra_cli.training.data import token_store
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.preferences import OtherResponses, PreferenceEncoder, PreferenceStore
from libra_cli.training.preference_settings import PreferenceLossSettings


def turn(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


ASKED = turn("user", "What is 2 + 2?")
RIGHT, WRONG = turn("assistant", "It is 4."), turn("assistant", "It is five.")
FORMS: dict[str, dict[str, Any]] = {
    "messages": {"prompt": ASKED, "chosen": RIGHT, "rejected": WRONG},
    "implicit": {"chosen": ASKED + RIGHT, "rejected": ASKED + WRONG},
    "whole conversations": {"prompt": "What is 2 + 2?", "chosen": ASKED + RIGHT, "rejected": ASKED + WRONG},
    "messages with a text": {"prompt": ASKED, "chosen": "It is 4.", "rejected": WRONG},
    "LLaMA-Factory's alpaca": {
        "instruction": "What is 2 + 2?",
        "input": "",
        "chosen": "It is 4.",
        "rejected": "It is five.",
    },
    "LLaMA-Factory's sharegpt": {
        "conversations": [{"from": "human", "value": "What is 2 + 2?"}],
        "chosen": {"from": "gpt", "value": "It is 4."},
        "rejected": {"from": "gpt", "value": "It is five."},
    },
}
TEXTS = {"prompt": "2 + 2 =", "chosen": " 4.", "rejected": " five."}


def encoder(loss: str = "sigmoid") -> PreferenceEncoder:
    known = family("qwen2.5")
    return PreferenceEncoder(TrainingChat(known.tokenizer), PreferenceLossSettings(loss), "template")


def learned(sample: Any) -> str:
    """The text of the targets."""
    return family("qwen2.5").tokenizer.decode(sample.ids[sample.loss_mask])


def samples_of(row: dict[str, Any], loss: str = "sigmoid") -> list[Any]:
    (found,) = encoder(loss).many([row])
    assert isinstance(found, list), found
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_pair_is_the_same_two_samples(form: str) -> None:
    chosen, rejected = samples_of(FORMS[form])
    assert [learned(chosen), learned(rejected)] == ["It is 4.<|im_end|>", "It is five.<|im_end|>"]
    for sample, expected in zip((chosen, rejected), samples_of(FORMS["messages"]), strict=True):
        assert sample.ids.tolist() == expected.ids.tolist()


@pytest.mark.parametrize("name", ["qwen2.5", "llama3", "llama2"])
def test_three_texts_are_learned_as_text(name: str) -> None:
    known = family(name).tokenizer
    (found,) = PreferenceEncoder(TrainingChat(known), PreferenceLossSettings("sigmoid"), "template").many([TEXTS])
    assert isinstance(found, list)
    for sample, text in zip(found, (" 4.", " five."), strict=True):
        assert known.decode(sample.ids[sample.loss_mask]) in (text + known.eos_token, text.strip() + known.eos_token)
        assert sample.ids[~sample.loss_mask].tolist() == known.encode("2 + 2 =")


def test_all_turns_of_the_assistant_after_the_prompt_are_learned() -> None:
    more = turn("user", "And 3 + 3?") + turn("assistant", "6.")
    before = turn("assistant", "Ask.") + ASKED
    chosen, rejected = samples_of({"prompt": turn("user", "Hello") + before, "chosen": RIGHT + more, "rejected": WRONG})
    assert learned(chosen) == "It is 4.<|im_end|>6.<|im_end|>"
    assert learned(rejected) == "It is five.<|im_end|>"


def test_labelled_answers_and_pairs_as_such() -> None:
    (sample,) = samples_of({"prompt": ASKED, "completion": "5", "label": False}, "kto")
    assert (learned(sample), sample.value) == ("5<|im_end|>", 0.0)
    (same,) = samples_of({"messages": [*ASKED, *turn("assistant", "5")], "kto_tag": False}, "kto")
    assert (same.ids.tolist(), same.value) == (sample.ids.tolist(), 0.0)
    (text,) = samples_of({"prompt": "2 + 2 =", "completion": " 5", "label": True}, "kto")
    assert (learned(text), text.value) == (f" 5{family('qwen2.5').tokenizer.eos_token}", 1.0)
    assert [each.value for each in samples_of(FORMS["implicit"], "bco")] == [1.0, 0.0]
    assert np.isnan([each.value for each in samples_of(FORMS["implicit"])]).all()


def test_win_rates_become_a_probability() -> None:
    found = samples_of({**TEXTS, "chosen_value": 0.8, "rejected_value": 0.3}, "soft")
    assert [each.value for each in found] == pytest.approx([0.622459] * 2, abs=1e-6)


def test_one_bad_row_costs_no_other() -> None:
    bad = {"prompt": "1 + 1?", "chosen": "2", "rejected": "2"}
    found = encoder().many([TEXTS, bad, {**FORMS["messages"], "tools": "["}, FORMS["implicit"]])
    assert [each.kind if isinstance(each, RowError) else len(each) for each in found] == [
        2, "same_responses", "bad_tools", 2,
    ]  # fmt: skip


def store_of(folder: Path, rows: list[dict[str, Any]], loss: str = "kto", longest: int = 512) -> PreferenceStore:
    log, counts = ErrorLog(None, "dpo", Console("dpo", quiet=True)), Counts()
    source = [Row(fields, b"", "rows", number) for number, fields in enumerate(rows, 1)]
    token_store.build(folder, source, encoder(loss), max_length=longest, errors=log, counts=counts, config={})
    return PreferenceStore(folder, loss == "sigmoid")


def test_a_pair_is_kept_whole_or_left_out_whole(tmp_path: Path) -> None:
    long = {"prompt": "2 + 2?", "chosen": "4", "rejected": "five " * 200}
    store = store_of(tmp_path, [TEXTS, long, FORMS["implicit"]], "sigmoid", longest=64)
    assert (store.n_units, len(store), store.unit(1)) == (2, 4, (2, 3))
    assert store.values is None


def test_a_label_is_part_of_the_digest(tmp_path: Path) -> None:
    rows = [{"prompt": "2 + 2?", "completion": "4", "label": label} for label in (True, False)]
    stores = [store_of(tmp_path / str(number), [row]) for number, row in enumerate(rows)]
    assert stores[0].digest != stores[1].digest
    assert [store.values.tolist() for store in stores if store.values is not None] == [[1.0], [0.0]]


def test_answers_to_other_prompts(tmp_path: Path) -> None:
    asked = ("1 + 1?", "1 + 1?", "2 + 2?", "3 + 3?")
    rows = [{"prompt": prompt, "completion": f"answer {n}", "label": True} for n, prompt in enumerate(asked)]
    store = store_of(tmp_path, rows)
    others = OtherResponses(store, [[0, 1, 2, 3], [0, 1], [2, 3]], 512)
    assert [len(others.of_batch(number)) for number in range(3)] == [4, 0, 2]
    assert [learned(others.sample(i)) for i in others.of_batch(0)] == [
        f"answer {n}<|endoftext|>" for n in (2, 3, 0, 1)
    ]  # not 0 for 1: that answers the same prompt
    decoded = family("qwen2.5").tokenizer.decode(others.sample(2).ids)
    assert "2 + 2?" in decoded
    assert len(others.sample(2).ids) == others.lengths[2]
    assert others.n_targets.tolist() == [int(others.sample(i).loss_mask.sum()) for i in range(len(others))]
    assert len(OtherResponses(store, [[0, 1, 2, 3]], 5)) == 0


@pytest.mark.parametrize(
    ("asked", "prompts"),
    [("abcde", "abcde"), ("aabbcc", "aabbcc"), ("abcabc", "aabbcc"), ("aab", "abb"), ("aa", "")],
)
def test_each_response_follows_another_prompt_once(asked: str, prompts: str, tmp_path: Path) -> None:
    rows = [{"prompt": f"{name}?", "completion": f"answer {n}", "label": True} for n, name in enumerate(asked)]
    others = OtherResponses(store_of(tmp_path, rows), [range(len(rows))], 512)
    texts = [family("qwen2.5").tokenizer.decode(others.sample(n).ids) for n in range(len(others))]
    asked_with = {int(text.split("answer ")[1][0]): text.split("?")[0][-1] for text in texts}
    assert "".join(sorted(asked_with.values())) == prompts
    assert len(asked_with) == len(texts) == len(prompts)
    assert all(asked[n] != prompt for n, prompt in asked_with.items())
