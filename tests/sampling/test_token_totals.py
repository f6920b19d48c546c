"""Tokens that servers report, in the summary, manifest and reports of every stage that asks one, and what they cost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from servers.scripted import Reply, ScriptedServer, error

from libra_cli.engines.openai.http_answer import HttpAnswer
from libra_cli.engines.openai.redaction import Redactor
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.exits import InvalidOptions
from libra_cli.sampling.prices import read_prices

ROW = {"question": "?", "reference": "1", "model": "m", "sample": 0, "response": "so: 2"}
ROWS = "".join(json.dumps({"id": f"p{n}", **ROW, "question": f"What is {n}?"}) + "\n" for n in range(3)).encode()
DETAILS = {"prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 7}}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, **DETAILS}


def wrote(text: str | None, usage: dict | None = USAGE) -> Reply:
    choices = [{"message": {"content": text}, "finish_reason": "stop"}] if text is not None else []
    return Reply(body={"choices": choices, **({"usage": usage} if usage else {})})


def uneven(call):
    """An error, and an answer that is paid for and of no use, before the good ones; one does not say what it took."""
    if "is 0?" in call.prompt and call.attempt == 0:
        return error(503)
    if "is 1?" in call.prompt and call.attempt == 0:
        return wrote(None)
    return wrote("[[score=3]] [[Wrong]]", None if "is 2?" in call.prompt else USAGE)


SAID = (
    "5 requests (1 failed); 300 prompt tokens (120 cached), 30 completion tokens (21 reasoning); 1 answer did not say"
)
COST = (180 * 1 + 120 * 0.5 + 30 * 4) / 1e6


def asked(server, stage, *more):
    model = "--annotator" if stage == "verify" else "--model"
    return ["libra", stage, "--engine", "openai", "--base-url", server.url, model, "tiny", *more]


@pytest.mark.parametrize("stage", ["rollout", "judge", "verify"])
def test_all_tries_count_in_every_stage_that_asks_a_server(shell, tmp_path, stage):
    (tmp_path / "in").write_bytes(ROWS)
    report = [] if stage == "rollout" else ["--report", "report.json"]
    always = ["--rule", "never"] if stage == "verify" else []
    with ScriptedServer(uneven) as server:
        command = asked(server, stage, "in", "-o", "out", "--price", "tiny=1/4/0.5", *report, *always)
        ended = shell(command)
        again = shell(command)
    assert ended.status == again.status == 0, ended.err
    assert f"libra {stage}: tiny: {SAID}; cost {COST:.4f}\n" in ended.err.decode()
    assert b"prompt tokens" not in again.err  # nothing was asked, and what the file took still stands in its manifest
    usage = json.loads((tmp_path / "out.libra.json").read_bytes())["usage"]
    assert usage["tiny"]["cost"] == pytest.approx(COST)
    assert (usage["tiny"]["requests"], usage["tiny"]["cached_tokens"]) == (5, 120)
    if report:
        assert json.loads((tmp_path / "report.json").read_bytes())["usage"] == usage


@pytest.mark.parametrize(
    ("costs", "price", "said", "cost"),
    [
        ((0.25, 0.5, 0), (), "; cost 0.7500, as the server says\n", 0.75),
        (("0.25", "0.25", "0.5"), (), "; cost 1.0000, as the server says\n", 1.0),  # in a header, as LiteLLM has it
        ((0.25, 0.5, None), (), " completion tokens (21 reasoning)\n", None),
        ((0.25, -1, True), (), " completion tokens (21 reasoning)\n", None),
        ((0.25, 0.5, 0), ("--price", "1/4"), "; cost 0.0004\n", (300 + 30 * 4) / 1e6),
    ],
)
def test_a_cost_that_a_server_states_counts_unless_prices_are_given(shell, tmp_path, costs, price, said, cost):
    def script(call):
        stated = costs[int(call.prompt.partition("What is ")[2][0])]
        if isinstance(stated, str):
            return replace(wrote("1"), headers={"x-litellm-response-cost": stated})
        return wrote("1", USAGE if stated is None else {**USAGE, "cost": stated})

    (tmp_path / "in").write_bytes(ROWS)
    with ScriptedServer(script) as server:
        ended = shell(asked(server, "rollout", "in", "-o", "out", *price))
    assert said in ended.err.decode(), ended.err
    usage = json.loads((tmp_path / "out.libra.json").read_bytes())["usage"]["tiny"]
    assert usage.get("cost") == (None if cost is None else pytest.approx(cost))


def test_runs_that_continue_an_output_add_up_and_a_run_that_ends_early_says_what_it_took(shell, tmp_path):
    (tmp_path / "in").write_bytes(ROWS)
    with ScriptedServer(lambda _call: wrote("1")) as server:
        for n in ("1", "2"):
            ended = shell(asked(server, "rollout", "in", "-o", "out", "-n", n, "--log-format", "json"))
            assert ended.status == 0, ended.err
    said = {event["event"]: event for event in map(json.loads, ended.err.splitlines())}
    assert (said["usage"]["model"], said["usage"]["prompt_tokens"]) == ("tiny", 300)
    assert said["exit"]["usage"]["tiny"]["prompt_tokens"] == 600
    assert "cost" not in said["usage"]
    with ScriptedServer(
        lambda call: wrote("1") if call.number < 2 else error(402, code="insufficient_quota")
    ) as server:
        ended = shell(asked(server, "rollout", "in", "--concurrency", "1"))
    assert ended.status == 6
    assert b"tiny: 3 requests (1 failed); 200 prompt tokens (80 cached)" in ended.err


def test_models_are_added_up(shell):
    with ScriptedServer(lambda _call: wrote("1")) as server:
        ended = shell(asked(server, "rollout", "--model", "b", "--price", "1/1", "--price", "b=2/2"), input=ROWS)
    assert b"all models: 6 requests; 600 prompt tokens (240 cached), 60 completion tokens (42 reasoning)" in ended.err
    assert b"; cost 0.0010\n" in ended.err


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"input_tokens": 5, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 1}}, (5, 2, 1, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 2.0, "prompt_cache_hit_tokens": 3}, (5, 2, 0, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 0, "completion_tokens_details": None}, (5, 0, 0, 0)),
        # Reasoning beside the completion, in the total or greater than its whole; else it is a part of it.
        ({**USAGE, "total_tokens": 117}, (100, 17, 7, 40)),
        ({**USAGE, "total_tokens": 110}, (100, 10, 7, 40)),
        ({**USAGE, "total_tokens": 50}, (100, 10, 7, 40)),
        ({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 117}, (100, 17, 0, 0)),
        ({"completion_tokens": 10, "total_tokens": 117}, (0, 10, 0, 0)),  # of what prompt, nobody says
        ({**USAGE, "completion_tokens": 3}, (100, 10, 7, 40)),
        ({**USAGE, "completion_tokens": 7}, (100, 7, 7, 40)),
        ({**USAGE, "completion_tokens": 3, "total_tokens": 103}, (100, 3, 7, 40)),
        ({**USAGE, "total_tokens": 150}, (100, 10, 7, 40)),  # the cached tokens, beside the prompt
        ({"prompt_tokens": -1, "completion_tokens": "2"}, None),
        ({"prompt_tokens": True, "completion_tokens": [2]}, None),
        ("none", None),
        (None, None),
    ],
)
def test_what_servers_call_the_numbers(usage, counts):
    total = TokenUsage()
    total.add(HttpAnswer(200, {}, json.dumps({"usage": usage}).encode(), None, Redactor([])))
    found = (total.prompt_tokens, total.completion_tokens, total.reasoning_tokens, total.cached_tokens)
    assert (found, total.unreported) == (counts or (0, 0, 0, 0), int(counts is None))


BESIDE = {**USAGE, "completion_tokens": 3, "total_tokens": 110}
"""USAGE as xAI reports it: the reasoning is within the total only."""


def streamed(usage):
    def answers(call):
        if not call.body.get("stream"):
            return error(400, "This model only supports streaming; set stream=true")
        chunks = [{"choices": [{"delta": {"content": "[[score=3]] [[Wrong]]"}, "finish_reason": "stop"}]}]
        chunks.append({"choices": [], "usage": usage})
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        return Reply(body=lines.encode(), headers={"content-type": "text/event-stream"})

    return answers


@pytest.mark.parametrize("stage", ["rollout", "judge", "verify"])
@pytest.mark.parametrize("form", ["whole", "streamed"])
def test_reasoning_beside_the_completion_costs_and_counts_as_reasoning_within_it(shell, tmp_path, stage, form):
    (tmp_path / "in").write_bytes(ROWS)
    always = ["--rule", "never"] if stage == "verify" else []
    made = []
    for number, usage in enumerate((USAGE, BESIDE)):
        answers = (
            streamed(usage) if form == "streamed" else lambda _call, usage=usage: wrote("[[score=3]] [[Wrong]]", usage)
        )
        with ScriptedServer(answers) as server:
            ended = shell(asked(server, stage, "in", "-o", f"out.{number}", "--price", "1/4/0.5", *always))
        assert ended.status == 0, ended.err
        usage = json.loads((tmp_path / f"out.{number}.libra.json").read_bytes())["usage"]["tiny"]
        rows = [json.loads(line) for line in (tmp_path / f"out.{number}").read_bytes().splitlines()]
        counted = [row.get("n_tokens") or [vote["n_tokens"] for vote in row.get("judgments", [])] for row in rows]
        made.append((usage["completion_tokens"], usage["cost"], counted))
    assert made[0] == made[1]
    assert made[0][0] == 30


def test_a_file_of_prices(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("currency: EUR\norg/model: {input: 1, output: 2}\ndefault: 3/4/1\n")
    prices = read_prices([str(path), "other=0/0"])
    usage = {"prompt_tokens": 2_000_000, "completion_tokens": 1_000_000, "cached_tokens": 1_000_000}
    assert prices.currency == "EUR"
    names = ("org/model", "any", "other")
    assert [price.cost(usage) if (price := prices.of(name)) else None for name in names] == [4, 8, 0]
    assert read_prices(["a=1/2"]).of("b") is None


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            ["tiny-7=1/2", "big=1/2"],
            "--price has no price for tiny-7b, whose cost is not counted; did you mean tiny-7?",
        ),
        (["big=1/2"], "--price has no price for tiny-7b, whose cost is not counted; it has big"),
        (["tiny-7b=1/2"], None),
        (["1/2"], None),
        ([], None),
    ],
)
def test_a_model_without_a_price_is_named_where_others_have_one(texts, said):
    assert read_prices(texts).lacks("tiny-7b") == said


@pytest.mark.parametrize(
    "content", ["- 1", "a: b: c", "m: 1", "m: {input: 1}", "m: {input: -1, output: 2}", "m: {in: 1}"]
)
def test_a_file_that_holds_no_prices_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "prices.yaml"
    path.write_text(content)
    with pytest.raises(InvalidOptions, match=rf"--price {path}: "):
        read_prices([str(path)])
