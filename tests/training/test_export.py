"""The folder of a trained model does what the folder that training began with does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, Gemma3TextConfig

from libra_cli.training.model.export import _write_folder
from libra_cli.training.model.transformers_4 import with_older_names, with_older_tokenizer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_model(tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture
def source(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "source"))


def written(source: Path) -> Path:
    """What training writes of a model that it does not change."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)
    out = source.parent / "out"
    _write_folder(
        out, model, dict(model.state_dict()), tokenizer, [], None, json.loads((source / "config.json").read_bytes())
    )
    return out


def generated(folder: Path) -> list[list[int]]:
    """The tokens that `generate` gives by the folder's own settings, for three seeds."""
    model, texts = AutoModelForCausalLM.from_pretrained(folder), []
    for seed in range(3):
        torch.manual_seed(seed)
        texts.append(model.generate(torch.tensor([[5, 6, 7]]), max_new_tokens=12)[0].tolist())
    return texts


BEAMS = {"do_sample": False, "num_beams": 2, "length_penalty": 2.0}
SAMPLED = {"do_sample": True, "temperature": 5.0, "top_p": 0.95, "top_k": 20}


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"temperature": 0.9, "top_p": 0.6}, {}),
        ({"do_sample": False, "temperature": 0.9, "top_k": 3}, {"do_sample": False}),
        ({"do_sample": False, "temperature": 1e-6}, {"do_sample": False}),
        ({"temperature": 0.0, "top_k": 1}, {"do_sample": False}),
        ({"early_stopping": True, "length_penalty": 2.0, "output_scores": True}, {}),
        (BEAMS, BEAMS),
        ({"repetition_penalty": 1.5}, {"repetition_penalty": 1.5}),
        (SAMPLED, SAMPLED),
    ],
)  # fmt: skip
def test_generation_is_greedy_or_sampled_as_it_was(
    source: Path, settings: dict[str, Any], kept: dict[str, Any]
) -> None:
    (source / "generation_config.json").write_text(json.dumps(settings))
    before = generated(source)
    out = written(source)
    made = json.loads((out / "generation_config.json").read_bytes())
    assert {name: value for name, value in made.items() if not name.endswith(("_id", "_version"))} == kept
    assert generated(out) == before
    assert (len({tuple(text) for text in before}) > 1) == bool(settings.get("do_sample"))


@pytest.mark.parametrize("more", [{}, {"num_return_sequences": 2}])
def test_sampling_at_temperature_0_which_transformers_refuses_is_written_as_greedy(
    source: Path, more: dict[str, int]
) -> None:
    (source / "generation_config.json").write_text(json.dumps({"do_sample": True, "temperature": 0.0, **more}))
    out = written(source)
    assert json.loads((out / "generation_config.json").read_bytes())["do_sample"] is False
    assert len(generated(out)) == 3


# -- what readers on transformers 4 look for -------------------------------------------------------------------------

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 128}  # fmt: skip
LINEAR = {"type": "linear", "factor": 4.0}


@pytest.mark.parametrize(
    ("stated", "older"),
    [
        ({"rope_theta": 5e5}, {"rope_theta": 5e5}),
        ({"rope_theta": 5e5, "rope_scaling": None}, {"rope_theta": 5e5, "rope_scaling": None}),
        ({"rope_theta": 5e5, "rope_scaling": LLAMA3}, {"rope_theta": 5e5, "rope_scaling": LLAMA3}),
        ({"rope_theta": 5e5, "rope_scaling": LINEAR}, {"rope_theta": 5e5, "rope_scaling": LINEAR}),
        ({"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, {"rope_theta": 5e5}),
        ({"rope_parameters": {"rope_theta": 5e5, **LLAMA3}}, {"rope_theta": 5e5, "rope_scaling": LLAMA3}),
        # A folder that 4 has made of one of 5: what 5 reads is what was trained.
        ({"rope_theta": 1e4, "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, {"rope_theta": 5e5}),
    ],
)
def test_the_rotary_embedding_is_named_for_transformers_4_too(
    source: Path, stated: dict[str, Any], older: dict[str, Any]
) -> None:
    config = json.loads((source / "config.json").read_bytes())
    config = {name: value for name, value in config.items() if "rope" not in name and name != "dtype"}
    (source / "config.json").write_text(json.dumps({**config, **stated, "torch_dtype": "float32"}))
    out = written(source)
    made = json.loads((out / "config.json").read_bytes())
    assert {name: made[name] for name in made if name in ("rope_theta", "rope_scaling")} == older
    assert made["rope_parameters"]["rope_theta"] == 5e5
    assert made["torch_dtype"] == made["dtype"] == "float32"
    models = [AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32) for folder in (source, out)]
    ids = torch.arange(40)[None]
    assert torch.equal(models[0](ids).logits, models[1](ids).logits)


def test_layers_of_two_kinds_keep_the_names_of_the_source(tmp_path: Path) -> None:
    scaling = {"rope_type": "linear", "factor": 8.0}
    older = {"rope_theta": 1e6, "rope_local_base_freq": 2e4, "rope_scaling": scaling}
    source = {"model_type": "gemma3_text", **older}
    saved = Gemma3TextConfig(**older).to_dict()
    made = with_older_names(saved, source)
    assert {name: made[name] for name in older} == older
    (tmp_path / "config.json").write_text(json.dumps(made))
    assert AutoConfig.from_pretrained(tmp_path).rope_parameters == saved["rope_parameters"]
    whole = with_older_names({"model_type": "gemma3", "text_config": saved}, {"text_config": source})
    assert whole == {"model_type": "gemma3", "text_config": made}


@pytest.mark.parametrize("named", ["PreTrainedTokenizerFast", "TokenizersBackend", "Qwen2Tokenizer"])
def test_the_tokenizer_is_one_that_transformers_4_has(source: Path, named: str) -> None:
    path = source / "tokenizer_config.json"
    token = next(iter(AutoTokenizer.from_pretrained(source).get_vocab()))
    more = {"tokenizer_class": named, "additional_special_tokens": [token]}
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **more}))
    before = AutoTokenizer.from_pretrained(source)
    out = written(source)
    made = json.loads((out / "tokenizer_config.json").read_bytes())
    assert made["tokenizer_class"] in ("PreTrainedTokenizerFast", "Qwen2Tokenizer")
    assert made["additional_special_tokens"] == [token]
    assert "extra_special_tokens" not in made  # a list of it 4 cannot load
    after = AutoTokenizer.from_pretrained(out)
    assert type(after) is type(before)
    assert dict(after("1 + 1")) == dict(before("1 + 1"))
    assert after.all_special_tokens == before.all_special_tokens


def test_other_tokens_of_a_tokenizer_keep_their_form() -> None:
    config = {"tokenizer_class": "GemmaTokenizer", "extra_special_tokens": {"image_token": "<image>"}}
    assert with_older_tokenizer(config, ["input_ids"]) == config
