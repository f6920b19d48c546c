"""How scalar reward models are recognised, and which engine each gets."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from unittest.mock import patch

import pytest
from reward_models import of_all_lengths, reward_model, scores
from servers.scripted import Reply, ScriptedServer

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.sampling import choose
from libra_cli.sampling.choose import choose_models, is_reward_model
from libra_cli.sampling.options import EngineOptions, SamplingOptions

UNSET = dict.fromkeys(field.name for field in fields(EngineOptions))
OPTIONS = EngineOptions(**{
    **UNSET, "engine": "auto", "model": (), "model_name": (), "dtype": "auto", "trust_remote_code": False,
    "chat_template_arg": (), "engine_arg": (), "base_url": (), "retry_budget": 1.0, "max_response_bytes": 1 << 20,
    "replay": (), "flag": "model", "header": (),
})  # fmt: skip
SAMPLING = SamplingOptions(1, 0, True, None, 1.0, None, None, None, (), (), "", "think")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("rm")
    reward_model(path)
    return str(path)


def chosen(*models, **options):
    given = replace(OPTIONS, model=models, **options)
    return choose_models(given, SAMPLING, lambda _line: None, rewards=True)


@pytest.mark.parametrize(("architecture", "expected"), [
    ("Qwen2ForSequenceClassification", True), ("InternLM2ForRewardModel", True), ("Qwen2ForRewardModel", True),
    ("LlamaForRewardModelWithGating", True), ("Qwen2ForCausalLM", False), ("Qwen2_5_VLForConditionalGeneration", False),
    (None, False),
])  # fmt: skip
def test_the_config_says_what_a_model_gives(tmp_path, architecture, expected):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": architecture and [architecture]}))
    assert is_reward_model(str(tmp_path), OPTIONS) is expected
    for scalar in (True, False):
        assert is_reward_model(str(tmp_path), replace(OPTIONS, scalar=scalar)) is scalar


def test_what_cannot_be_looked_into_is_taken_to_write(tmp_path, folder):
    assert not is_reward_model("libra-mini/strong", OPTIONS)
    assert not is_reward_model(folder, replace(OPTIONS, base_url=("http://localhost:1/v1",)))
    assert not is_reward_model(folder, replace(OPTIONS, engine="replay", replay=("x.jsonl",)))
    assert not is_reward_model(str(tmp_path), OPTIONS)  # no config.json: the engine says what is missing


def test_a_broken_config_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ')
    with pytest.raises(Fatal, match=r"config\.json: cannot be read .*; is the model whole\?") as caught:
        is_reward_model(str(tmp_path), OPTIONS)
    assert caught.value.status == Exit.USAGE


def test_a_name_that_no_hub_knows_is_one_line_with_a_cure(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(Fatal, match=r"nobody/nothing: cannot be loaded .*; name a directory") as caught:
        is_reward_model("nobody/nothing", OPTIONS)
    assert caught.value.status == Exit.BACKEND


def test_each_model_gets_the_engine_that_it_needs(folder, monkeypatch):
    monkeypatch.setattr(choose, "has_gpu", lambda: False)
    judges = chosen("libra-mini/strong", folder)
    assert [judge.scalar for judge in judges] == [False, True]
    engine = judges[1].make()
    assert engine.describe()["engine"] == "transformers"
    assert len(scores(engine, of_all_lengths())) == len(of_all_lengths())
    assert choose_models(replace(OPTIONS, model=(folder,)), SAMPLING, print)[0].scalar is False


def test_the_options_reach_the_engine(folder):
    with pytest.raises(Fatal, match=r"--score-index 1: the head of .* has one output"):
        chosen(folder, score_index=1)[0].make()
    engine = chosen(folder, engine="transformers", batch_size=2, max_model_len=9, dtype="bfloat16")[0].make()
    assert scores(engine, ["22"])
    assert (engine._most, engine._limit, str(engine._lm.dtype)) == (2, 9, "torch.bfloat16")


def test_a_vllm_engine_on_request(folder):
    pytest.importorskip("vllm")
    with patch.dict(os.environ):  # the engine sets what vLLM reads there
        engine = chosen(folder, engine="vllm", concurrency=3)[0].make()
        args = engine._engine_args()
    assert engine.describe()["engine"] == "vllm"
    assert (args["runner"], args["max_num_seqs"]) == ("pooling", 3)


def test_options_of_vllm_are_refused_by_transformers(folder):
    with pytest.raises(InvalidOptions, match="--tensor-parallel-size is for --engine vllm"):
        chosen(folder, engine="transformers", tensor_parallel_size=2)


def test_a_reward_model_behind_a_server_is_asked_if_it_is_called_one():
    with ScriptedServer(lambda _call: Reply(body={"data": [{"probs": [0.5, 1.5]}]})) as server:
        judge = chosen("tiny", base_url=(server.url,), scalar=True, score_index=1, engine_arg=(("priority", 3),))[0]
        assert judge.scalar
        assert scores(judge.make(), ["2"]) == [1.5]
    assert server.calls[0].body["priority"] == 3
    assert not chosen("tiny", base_url=(server.url,))[0].scalar


@pytest.mark.parametrize(("options", "error"), [
    ({"engine": "openai"}, "--engine openai needs --base-url"),
    ({"engine": "vllm", "base_url": ("http://localhost:1/v1",)}, "--base-url is for --engine openai, not vllm"),
    ({"base_url": ("http://localhost:1/v1",), "dtype": "float32"}, "--dtype is for engines that load the model"),
])  # fmt: skip
def test_options_that_do_not_fit_a_server_are_refused(options, error):
    with pytest.raises(InvalidOptions, match=error):
        chosen("tiny", scalar=True, **options)


def test_a_reward_model_judges_from_the_command_line(folder, shell, tmp_path):
    rows = [
        {"id": "pair", "question": "1+1?", "chosen": "It is 2.", "rejected": "It is 11."},
        {"id": "long", "question": "1+1?", "response": "1+" * 300},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = shell(f"libra judge --model {folder} --judge-name rm rows.jsonl --errors errors.jsonl")
    assert ended.status == Exit.SOME_ERRORS, ended.err.decode()
    (judged,) = map(json.loads, ended.out.splitlines())
    expected = scores(choose_head(folder), ["It is 2.", "It is 11."])
    assert judged["scores"] == pytest.approx(expected, abs=1e-5)
    assert judged["prediction"] == ("A>B" if expected[0] > expected[1] else "B>A")
    assert (judged["judge_task"], judged["judge_provenance"]["num_labels"]) == ("scalar", 1)
    assert json.loads((tmp_path / "errors.jsonl").read_text())["class"] == "prompt_too_long"


def choose_head(folder):
    return chosen(folder, engine="transformers")[0].make()
