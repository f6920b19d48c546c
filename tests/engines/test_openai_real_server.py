"""`libra rollout` against a real vLLM server on the CPU: the same rows as from the engines that load the model."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import installed
import pytest
import thinned
from servers.prompts import PromptRequests, request_of
from servers.real import vllm_server

from libra_cli import miniature
from libra_cli.engines.base import LocalModel, Sampling
from libra_cli.engines.openai.engine import OpenAIEngine
from libra_cli.engines.transformers import TransformersEngine

pytestmark = [
    pytest.mark.engine,
    installed.needs("vllm"),
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("vllm server"),
]

MODEL = "libra-mini/strong"
PROBLEMS = 12


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory):
    log = tmp_path_factory.mktemp("vllm") / "log"
    with vllm_server(miniature.resolve(MODEL), MODEL, log, environment, "--dtype", "float32") as url:
        yield url


@pytest.fixture
def rollout(shell, server, tmp_path):
    """`rollout(engine, *options)`: the rows for the same problems, with the expected exit status."""
    (tmp_path / "problems.jsonl").write_text(problems())

    def run(engine, *options, status=0, input="problems.jsonl"):
        where = ["--base-url", server] if engine == "openai" else []
        words = [
            "libra",
            "rollout",
            "--engine",
            engine,
            *where,
            "--model",
            MODEL,
            "--max-tokens",
            "80",
            *options,
            input,
        ]
        ended = shell(words, timeout=300)
        assert ended.status == status, ended.err.decode()
        return [json.loads(line) for line in ended.out.splitlines()]

    return run


def problems():
    with miniature.problems_path().open() as file:
        return "".join(itertools.islice(file, PROBLEMS))


def shape(value):
    """Names and types; None fits any type."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return None if value is None else type(value).__name__


def fits(one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(fits(one[name], other[name]) for name in one)
    return one is None or other is None or one == other


@pytest.mark.parametrize("engine", [thinned.slow("transformers"), "vllm"])
def test_rows_have_the_shape_that_other_engines_give(rollout, engine):
    rows, others = rollout("openai", "-n", "2"), rollout(engine, "-n", "2")
    assert len(rows) == len(others) == 2 * PROBLEMS
    assert [(row["id"], row["sample"]) for row in rows] == [(row["id"], row["sample"]) for row in others]
    assert [row["provenance"]["sampling"] for row in rows] == [row["provenance"]["sampling"] for row in others]
    assert all(fits(shape(row), shape(other)) for row, other in zip(rows, others, strict=True))
    assert rows[0]["provenance"]["engine_version"].startswith("0.")


VARIANTS = {
    "plain": {}, "no thinking": {"chat_args": {"enable_thinking": False}}, "prefill": {"prefill": "<think>1+1"},
    "stop": {"stop": ("=",)}, "short": {"max_tokens": 9},
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_prompts_and_most_probable_texts_are_those_of_the_transformers_library(server, variant):
    questions = [json.loads(line)["question"] for line in problems().splitlines()]
    sampling = Sampling(0.0, 1.0, variant.get("max_tokens", 80), stop=variant.get("stop", ()))
    args, prefill = variant.get("chat_args", {}), variant.get("prefill", "")
    local = LocalModel(MODEL, str(miniature.resolve(MODEL)), small=True, chat_args=args)
    results = []
    for engine in (
        OpenAIEngine(MODEL, [server], sampling, chat_template_args=args),
        TransformersEngine(local, sampling),
    ):
        shown = engine.render(request_of(questions[0], prefill))
        answered = [pair for pair in engine.generate(PromptRequests(questions, prefill)) if pair is not None]
        results.append(
            (shown, {pending.request.record_id: replace(completion, model=None) for pending, completion in answered})
        )
        engine.close()
    assert results[0] == results[1]
    assert len(results[0][1]) == PROBLEMS


def test_an_over_long_prompt_costs_its_row_and_a_long_limit_none(rollout, tmp_path):
    long = {"id": "long", "question": "What is " + "1+" * 2000 + "1?"}
    (tmp_path / "long.jsonl").write_text(json.dumps(long) + "\n" + problems())
    rows = rollout("openai", "--max-tokens", "32768", "--errors", "errors.jsonl", input="long.jsonl", status=3)
    refused = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert len(rows) == PROBLEMS
    assert [(entry["id"], entry["class"], entry["attempts"]) for entry in refused] == [("long", "prompt_too_long", 1)]


def test_a_wrong_model_name_is_answered_with_the_right_one(shell, server):
    words = ["libra", "rollout", "--base-url", server, "--model", "libra-mini/strng"]
    ended = shell(words, input=problems().encode())
    assert ended.status == 2
    assert f"the models of this server are: {MODEL}".encode() in ended.err
