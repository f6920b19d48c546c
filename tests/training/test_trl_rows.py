"""Files that users of TRL have, read by TRL's own trainers and by libra: the same tokens are learned. Needs trl."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
from tokenizer_families import CHATML, family

from libra_cli.stream.rows import RowError
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.preferences import PreferenceEncoder
from libra_cli.training.data.tokenization import Encoded, Encoder
from libra_cli.training.preference_settings import PreferenceLossSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("trl") is None, reason="TRL is not installed (pip install trl)"),
]


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


ASKED = [turn("user", "What is 2 + 2?")]
RIGHT, WRONG = [turn("assistant", "It is 4.")], [turn("assistant", "It is five.")]
OTHER = [turn("system", "Be brief."), turn("user", "And 3 + 3?")]

FILES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "prompt completion, texts": ("SFT", [
        {"prompt": "2 + 2 =", "completion": " 4"}, {"prompt": "3 + 3 =", "completion": " 6"},
    ]),
    "prompt completion, messages": ("SFT", [
        {"prompt": ASKED, "completion": RIGHT}, {"prompt": OTHER, "completion": [turn("assistant", "6.")]},
    ]),
    "text": ("SFT", [{"text": "Two and two make four."}, {"text": "Three and three make six.<|im_end|>"}]),
    "messages": ("SFT", [{"messages": ASKED + RIGHT}, {"messages": [*OTHER, turn("assistant", "6.")]}]),
    "conversations": ("SFT", [
        {"conversations": [{"from": each["role"], "value": each["content"]} for each in talk]}
        for talk in (ASKED + RIGHT, [*OTHER, turn("assistant", "6.")])
    ]),
    "prompt chosen rejected, texts": ("DPO", [
        {"prompt": "2 + 2 =", "chosen": " 4", "rejected": " 5"},
        {"prompt": "3 + 3 =", "chosen": " 6", "rejected": " 7"},
    ]),
    "prompt chosen rejected, messages": ("DPO", [
        {"prompt": ASKED, "chosen": RIGHT, "rejected": WRONG}, {"prompt": OTHER, "chosen": RIGHT, "rejected": WRONG},
    ]),
    "chosen rejected": ("DPO", [
        {"chosen": ASKED + RIGHT, "rejected": ASKED + WRONG}, {"chosen": OTHER + RIGHT, "rejected": OTHER + WRONG},
    ]),
    "prompt completion label, texts": ("KTO", [
        {"prompt": "2 + 2 =", "completion": " 4", "label": True},
        {"prompt": "3 + 3 =", "completion": " 7", "label": False},
    ]),
    "prompt completion label, messages": ("KTO", [
        {"prompt": ASKED, "completion": RIGHT, "label": True}, {"prompt": OTHER, "completion": WRONG, "label": False},
    ]),
}  # fmt: skip
"""Name -> the trainer, and the rows of the file."""


def of_trl(kind: str, path: Path, folder: Path) -> tuple[list[dict[str, Any]], Any]:
    """The samples that TRL's trainer makes of a file, and its tokenizer."""
    import datasets
    import torch
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = runs.write_model(folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = CHATML
    config = getattr(trl, f"{kind}Config")(
        output_dir=str(folder / "out"), per_device_train_batch_size=2, report_to=[], use_cpu=True, bf16=False,
        disable_tqdm=True,
    )  # fmt: skip
    data = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))
    trainer = getattr(trl, f"{kind}Trainer")(
        AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), args=config, train_dataset=data,
        processing_class=tokenizer,
    )  # fmt: skip
    return list(trainer.train_dataset), tokenizer


def parts(sample: Encoded) -> tuple[list[int], list[int]]:
    """The tokens of the prompt, and those that are learned behind it."""
    n_prompt = len(sample.ids) - int(sample.loss_mask.sum())
    assert sample.loss_mask[n_prompt:].all()
    return sample.ids[:n_prompt].tolist(), sample.ids[n_prompt:].tolist()


def of_libra(kind: str, rows: list[dict[str, Any]], tokenizer: Any) -> list[list[Encoded]]:
    """The samples that libra makes of each row."""
    chat = TrainingChat(tokenizer)
    if kind == "SFT":
        found: list[Any] = [one if isinstance(one, RowError) else [one] for one in Encoder(chat).many(rows)]
    else:
        settings = PreferenceLossSettings({"DPO": "sigmoid", "KTO": "kto"}[kind])
        found = list(PreferenceEncoder(chat, settings, "template").many(rows))
    assert not [str(one) for one in found if isinstance(one, RowError)]
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_trl_teaches_the_same_tokens(name: str, tmp_path: Path) -> None:
    kind, rows = FILES[name]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    theirs, tokenizer = of_trl(kind, path, tmp_path)
    ours = of_libra(kind, rows, tokenizer)
    assert len(ours) == len(theirs) == len(rows)
    behind = tokenizer.encode("\n", add_special_tokens=False)  # the template writes it after a turn; TRL learns it too
    for row, their, samples in zip(rows, theirs, ours, strict=True):
        if kind == "SFT":
            ((prompt, learned),) = map(parts, samples)
            mask = their.get("completion_mask")
            expected = [(their["input_ids"], mask.index(1) if mask else None)]
            found = [(prompt + learned, len(prompt))]
        else:
            names = ("chosen_ids", "rejected_ids") if kind == "DPO" else ("completion_ids",)
            expected = [(their["prompt_ids"] + their[each], len(their["prompt_ids"])) for each in names]
            found = [(prompt + learned, len(prompt)) for prompt, learned in map(parts, samples)]
            assert kind == "DPO" or [sample.value for sample in samples] == [float(row["label"])]
        for (ids, start), (own, own_start) in zip(expected, found, strict=True):
            assert ids in (own, own + behind)
            assert start in (own_start, None)  # TRL learns all of a conversation unless it is told otherwise


CALL = {"type": "function", "id": "call12345", "function": {"name": "addition", "arguments": '{"first": "sevenfold"}'}}
RESULT = {"role": "tool", "content": "fourteen", "tool_call_id": "call12345", "name": "addition"}
TOOL = {"type": "function", "function": {
    "name": "addition", "description": "Adds.",
    "parameters": {"type": "object", "properties": {"first": {"type": "string"}}, "required": ["first"]},
}}  # fmt: skip
THOUGHT = turn("assistant", "<think>\nI add.\n</think>\n\nIt is four.")
TALKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "system": ({"messages": [turn("system", "Be brief."), *ASKED, THOUGHT]}, ["Be brief."]),
    "developer": ({"messages": [turn("developer", "Be brief."), *ASKED, THOUGHT]}, ["Be brief."]),
    "turns": ({"messages": [*ASKED, THOUGHT, turn("user", "And then?"), THOUGHT]}, ["2 + 2", "And then?"]),
    "tools": ({"messages": [*ASKED, THOUGHT], "tools": [TOOL]}, ["addition"]),
    "calls": ({"messages": [*ASKED, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT, THOUGHT]},
              ["addition", "sevenfold", "fourteen"]),
    "calls with text": ({"messages": [*ASKED, {"role": "assistant", "content": "I must.", "tool_calls": [CALL]}, RESULT,
                                      THOUGHT]}, ["I must.", "addition", "sevenfold", "fourteen"]),
}  # fmt: skip
"""Name -> a row, and what must stand in what is trained of it."""


def templates() -> list[Path]:
    """The chat templates of published models that come with TRL."""
    found = importlib.util.find_spec("trl")
    return sorted(Path(str(found.origin)).parent.glob("chat_templates/*.jinja")) if found else []


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)
def test_no_template_of_a_published_model_drops_anything_in_silence(path: Path) -> None:
    chat = TrainingChat(family("llama3").tokenizer, path.read_text())
    made = {name: Encoder(chat).many([fields])[0] for name, (fields, _) in TALKS.items()}
    for name, sample in made.items():
        if isinstance(sample, RowError):
            assert ";" in str(sample), f"{name}: {sample}"  # the cure
        else:
            text = chat.tokenizer.decode(sample.ids)
            assert [each for each in TALKS[name][1] if each not in text] == [], f"{name}: {text}"
            assert "'first'" not in text or "call:" in text, f"{name}: Python's spelling in {text}"
    if path.stem in ("qwen2_5", "qwen3", "llama3_1", "deepseekv3", "deepseek_r1_distill", "lfm2_v2"):
        assert not isinstance(made["calls"], RowError), made["calls"]
