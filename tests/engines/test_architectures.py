"""What a model is by its config.json: the classes of published models, on both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs

from libra_cli.engines.architectures import cannot_write, check_writes, drops_head
from libra_cli.engines.base import LocalModel
from libra_cli.exits import Exit, Fatal
from libra_cli.training.model.kinds import refuse_other_kind

WRITE = (
    "Qwen2ForCausalLM", "GPT2LMHeadModel", "XLNetLMHeadModel", "ReformerModelWithLMHead", "BertGenerationDecoder",
    "Qwen2_5_VLForConditionalGeneration", "Gemma3ForConditionalGeneration", "ChatGLMModel", "InternVLChatModel",
    "IdeficsForVisionText2Text", "Qwen2Model", "BartForCausalLM",
)  # fmt: skip
SCORE = ("Qwen2ForSequenceClassification", "InternLM2ForRewardModel", "Qwen2ForProcessRewardModel")
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
