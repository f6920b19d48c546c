"""What a model is by its config.json: the classes of published models, on both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs

from libra_cli.engines.architectures import cannot_write, check_writes, drops_head, unread_head
from libra_cli.engines.base import LocalModel
from libra_cli.engines.reward.base import check_head
from libra_cli.exits import Exit, Fatal
from libra_cli.training.model.kinds import refuse_other_kind

WRITE = (
    "Qwen2ForCausalLM", "GPT2LMHeadModel", "XLNetLMHeadModel", "ReformerModelWithLMHead", "BertGenerationDecoder",
    "Qwen2_5_VLForConditionalGeneration", "Gemma3ForConditionalGeneration", "ChatGLMModel", "InternVLChatModel",
    "IdeficsForVisionText2Text", "Qwen2Model", "BartForCausalLM",
)  # fmt: skip
SCORE = (
    "Qwen2ForSequenceClassification",
    "InternLM2ForRewardModel",
    "LLMForSequenceRegression",
    "Qwen2ForProcessRewardModel",
)
OTHER = (
    "BertForMaskedLM", "Qwen2ForTokenClassification", "DebertaV2ForQuestionAnswering", "ElectraForPreTraining",
    "RobertaForMultipleChoice", "ViTForImageClassification", "ColPaliForRetrieval", "Wav2Vec2ForCTC",
)  # fmt: skip


def of(name: str | None, **more: Any) -> dict[str, Any]:
    return {"architectures": name and [name], **more}


@pytest.mark.parametrize("config", [{}, of(None), *map(of, WRITE), of("BartForCausalLM", is_encoder_decoder=True)])
def test_what_may_write_is_left_to_its_weights(config: dict[str, Any]) -> None:
    assert cannot_write(config) is None
    assert drops_head(config) is None


@pytest.mark.parametrize("name", [*SCORE, *OTHER])
def test_what_cannot_write_is_named(name: str) -> None:
    assert name in str(cannot_write(of(name)))
    assert ("reward model" in str(cannot_write(of(name)))) is (name in SCORE)
    assert (drops_head(of(name)) is None) is (name == "Qwen2ForSequenceClassification")


def test_an_encoder_decoder_is_no_causal_language_model() -> None:
    assert "an encoder-decoder (T5ForConditionalGeneration)" in str(
        cannot_write(of("T5ForConditionalGeneration", is_encoder_decoder=True))
    )
    assert "of no class" in str(cannot_write({"is_encoder_decoder": True}))


def test_an_engine_says_what_asks_a_reward_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(of(SCORE[0])))
    with pytest.raises(Fatal, match=r"m: its config\.json names .*; libra judge asks it") as caught:
        check_writes(LocalModel("m", str(tmp_path)))
    assert caught.value.status == Exit.USAGE


def test_a_trainer_may_take_the_sizes_of_any_model() -> None:
    settings = runs.settings("--model", "rm", "-o", "out", "rows.jsonl")
    with pytest.raises(Fatal, match=r"--model rm: .*; name the language model that it was made of"):
        refuse_other_kind(settings, "--model", of(SCORE[0]))
    from_scratch = runs.settings("--model", "rm", "--from-scratch", "-o", "out", "rows.jsonl")
    refuse_other_kind(from_scratch, "--model", of(SCORE[0]))


LLM, CLASSIFIER, REGRESSION = "Qwen2ForCausalLM", "Qwen2ForSequenceClassification", "LLMForSequenceRegression"


def folder_of(place: Path, config: dict[str, Any], weights: list[str], *files: str, indexed: bool = False) -> str:
    """A model's folder with the names of `weights` in its index or in the header of its one file, and `files`."""
    (place / "config.json").write_text(json.dumps(config))
    if indexed:
        (place / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict.fromkeys(weights, "x")}))
    else:
        header = json.dumps({"__metadata__": {}, **{name: {} for name in weights}}).encode()
        (place / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    for name in files:
        (place / name).touch()
    return str(place)


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("name", "weights", "files", "what"),
    [
        (LLM, [], ["value_head.safetensors"], "the file value_head.safetensors holds"),
        (LLM, [], ["value_head.bin"], "the file value_head.bin holds"),
        (LLM, ["v_head.summary.bias", "v_head.summary.weight"], [], "the weight v_head.summary.weight is"),
        (LLM, ["score.weight"], [], "the weight score.weight is"),
        (CLASSIFIER, ["value_head.weight"], [], "the weight value_head.weight is"),
        (REGRESSION, ["value_head.weight"], [], "the weight value_head.weight is"),
    ],
)
def test_a_head_that_nothing_reads_is_named(
    tmp_path: Path, name: str, weights: list[str], files: list[str], what: str, indexed: bool
) -> None:
    path = folder_of(tmp_path, of(name, num_labels=1), ["model.norm.weight", *weights], *files, indexed=indexed)
    with pytest.raises(
        Fatal, match=rf"m: {what} a reward head that libra does not read; save it as score\.weight"
    ) as one:
        check_head(LocalModel("m", path), None)
    assert ("remove it to use the model as one that writes" in str(one.value)) is (name == LLM)
    with pytest.raises(Fatal, match=what if name == LLM else "a reward model, which gives a number"):
        check_writes(LocalModel("m", path))
    settings = runs.settings("--model", path, "-o", "out", "rows.jsonl")
    with pytest.raises(Fatal, match=what if name == LLM else "a reward model, which gives a number"):
        refuse_other_kind(settings, "--model", of(name))
    refuse_other_kind(runs.settings("--model", path, "--from-scratch", "-o", "o", "rows.jsonl"), "--model", of(name))


@pytest.mark.parametrize(
    ("config", "weights"),
    [
        (of(LLM), ["lm_head.weight", "model.layers.0.v_head.weight", "scores.weight"]),
        (of(CLASSIFIER), ["score.weight", "v_head.weight"]),
        (of("BertForSequenceClassification"), ["classifier.weight"]),
        (of(CLASSIFIER), []),
        (of("InternLM2ForRewardModel"), ["v_head.weight"]),
        (of("LabForCausalLM", auto_map={"AutoModelForCausalLM": "lab.LabForCausalLM"}), ["value_head.weight"]),
    ],
)
def test_a_head_that_a_class_may_read_is_left_to_it(tmp_path: Path, config: dict[str, Any], weights: list[str]) -> None:
    assert unread_head(folder_of(tmp_path, config, ["model.norm.weight", *weights]), config) is None


@pytest.mark.parametrize("damage", ["model.safetensors", "model.safetensors.index.json"])
def test_damaged_weights_are_left_to_the_engine(tmp_path: Path, damage: str) -> None:
    (tmp_path / damage).write_bytes(b"\xff" * 20)
    assert unread_head(str(tmp_path), of(LLM)) is None
    assert unread_head(str(tmp_path / "none"), of(LLM)) is None
