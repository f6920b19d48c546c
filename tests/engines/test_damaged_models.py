"""A model's folder that is damaged, or that holds code: refused with the file's name, and nothing of it runs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import torch

from libra_cli.engines.base import LocalModel
from libra_cli.engines.chat_template import load_chat_template
from libra_cli.engines.transformers import load_pretrained
from libra_cli.exits import Exit, Fatal
from libra_cli.training.model import policy


class MakesFolder:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_model(tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def loaded_by_an_engine(model: Path) -> None:
    from transformers import AutoModelForCausalLM

    local = LocalModel("m", str(model))
    load_chat_template(local)
    load_pretrained(AutoModelForCausalLM, local, "")


def loaded_by_a_trainer(model: Path) -> None:
    settings = runs.settings("--model", str(model), "-o", "out", "rows.jsonl").model
    policy.load_tokenizer(settings)
    policy.load(settings, policy.load_config(settings), None)


LOADERS = {loaded_by_an_engine: Exit.BACKEND, loaded_by_a_trainer: Exit.USAGE}


def refused(load: Any, model: Path, name: str) -> None:
    with pytest.raises(Fatal, match=rf"{name} is damaged: .*; copy the model again") as caught:
        load(model)
    assert caught.value.status == LOADERS[load]
    assert "\n" not in str(caught.value)


WEIGHTS = {
    "empty": b"",
    "text": b"weights",
    "a pickle": pickle.dumps({"a": 1}),
    "a huge header": b"\xff" * 64,
    "a header without data": (2).to_bytes(8, "little") + b"[]",
    "half": None,
}


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("content", WEIGHTS)
def test_damaged_weights_are_named(model: Path, load: Any, content: str) -> None:
    path = model / "model.safetensors"
    data = WEIGHTS[content]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if data is None else data)
    refused(load, model, "model.safetensors")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("text", ["", "[]", "null", "3", '{"model_type": '])
def test_damaged_settings_are_named(model: Path, load: Any, name: str, text: str) -> None:
    (model / name).write_text(text)
    refused(load, model, name)


@pytest.mark.parametrize("load", LOADERS)
def test_pickled_weights_are_read_as_data_only(model: Path, tmp_path: Path, load: Any) -> None:
    state = runs.weights(model)
    (model / "model.safetensors").unlink()
    torch.save(state, model / "pytorch_model.bin")
    load(model)  # as published models still come
    mark = tmp_path / "mark"
    torch.save({**state, "more": MakesFolder(mark)}, model / "pytorch_model.bin")
    refused(load, model, "pytorch_model.bin")
    assert not mark.exists()
    torch.load(model / "pytorch_model.bin", weights_only=False)
    assert mark.exists()


@pytest.mark.parametrize("load", LOADERS)
def test_weights_that_are_not_there_are_named(model: Path, load: Any) -> None:
    from safetensors.torch import save_file

    state = runs.weights(model)
    del state["model.norm.weight"]
    save_file(state, model / "model.safetensors", {"format": "pt"})
    with pytest.raises(Fatal, match=r"the model has no weights for model\.norm\.weight[:;] ") as caught:
        load(model)
    assert caught.value.status == Exit.USAGE


@pytest.mark.parametrize("load", LOADERS)
def test_code_of_a_model_does_not_run_unless_it_is_trusted(model: Path, tmp_path: Path, load: Any) -> None:
    mark = tmp_path / "mark"
    (model / "own.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    config = json.loads((model / "config.json").read_text())
    own = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model", "AutoTokenizer": ["own.Tokenizer", None]}
    (model / "config.json").write_text(json.dumps({**config, "model_type": "own", "auto_map": own}))
    with pytest.raises(Fatal) as caught:
        load(model)
    assert caught.value.status == LOADERS[load]
    assert not mark.exists()


@pytest.mark.engine
@pytest.mark.slow
def test_vllm_reads_pickled_weights_as_data_only(model: Path, tmp_path: Path, shell: Any) -> None:
    pytest.importorskip("vllm")
    state, mark = runs.weights(model), tmp_path / "mark"
    (model / "model.safetensors").unlink()
    torch.save({**state, "more": MakesFolder(mark)}, model / "pytorch_model.bin")
    row = b'{"question": "1+1?"}\n'
    ended = shell(["libra", "rollout", "--model", str(model), "--engine", "vllm"], input=row, timeout=280)
    assert (ended.status, b"pytorch_model.bin is damaged" in ended.err) == (Exit.BACKEND, True), ended.err.decode()
    assert not mark.exists()


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("settings", [{"num_return_sequences": 3}, {"max_new_tokens": -1}])
def test_generation_settings_that_the_library_refuses_are_named_with_the_cure(model, load, settings):
    (model / "generation_config.json").write_text(json.dumps(settings))
    cure = r"model/generation_config.json: transformers refuses it .*, or remove the file$"
    with pytest.raises(Fatal, match=cure) as caught:
        load(model)
    assert caught.value.status == LOADERS[load]
    assert next(iter(settings)) in str(caught.value)
    (model / "generation_config.json").unlink()
    load(model)
