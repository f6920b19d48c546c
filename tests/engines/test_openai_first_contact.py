"""What a server is asked before the first window of requests, so that not all of them are refused for one cause."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from servers.prompts import SAMPLING, ask, text_of
from servers.scripted import Reply, ScriptedServer, echo, error, unused_port

from libra_cli.engines.openai import first_contact
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.exits import Exit, Fatal

PROMPTS = [f"p{n}" for n in range(20)]
LONG = replace(SAMPLING, max_tokens=32768)
BASE = {"id": "base", "max_model_len": 64}


def lists(*models):
    return {"/v1/models": Reply(body={"data": list(models)})}


def strict(call):
    """As vLLM: no limit above the room of prompt and response."""
    limit = call.body["max_tokens"]
    refusal = f"max_tokens={limit} cannot be greater than max_model_len=64. Please request fewer output tokens."
    return echo(call) if limit <= 64 else error(400, refusal)


@pytest.mark.parametrize(
    ("models", "states_it"),
    [
        (({"id": "other", "max_model_len": 9}, {"id": "tiny", "max_model_len": 64}), True),
        ((BASE, {"id": "tiny", "max_model_len": None, "parent": "base"}), True),
        (({"id": "tiny"},), False),
    ],
)
def test_a_limit_that_the_list_of_models_states_is_kept_from_the_first_request_on(models, states_it):
    usage, lines = TokenUsage(), []
    with ScriptedServer(strict, lists(*models)) as server:
        answers = ask(server.url, PROMPTS, sampling=LONG, usage=usage, note=lines.append)
        assert server.paths["/v1/models"] == 1
    assert {prompt: answer.text for prompt, answer in answers.items()} == {each: text_of(each) for each in PROMPTS}
    assert (usage.requests - usage.adapted, usage.failed, usage.adapted == 0) == (len(PROMPTS), 0, states_it)
    what = "tokens, prompt and response together"
    assert lines == [f"tiny has room for 64 {what}; --max-tokens is lowered to that"]


@pytest.mark.parametrize("reply", [error(404), error(500), Reply(body=[]), Reply(body=b"{"), Reply(fault="cut")])
def test_a_server_without_a_list_is_asked_as_ever(reply):
    with ScriptedServer(echo, {"/v1/models": reply}) as server:
        assert len(ask(server.url, PROMPTS, note=lambda line: pytest.fail(line))) == len(PROMPTS)
        assert server.paths["/v1/models"] == 1


def test_a_list_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(first_contact, "LIST_SECONDS", 0.2)

    def never():
        yield b""
        while True:
            yield b""

    silent = Reply(raw=never, seconds=60)
    with ScriptedServer(echo, {"/v1/models": silent}) as server:
        assert len(ask(server.url, PROMPTS)) == len(PROMPTS)


@pytest.mark.parametrize(
    ("routes", "reply", "words"),
    [
        (lists({"id": "big"}), error(404, "no model tiny"), "the models of this server are: big"),
        ({"/v1/models": error(401)}, error(401, "who are you?"), "--api-key-env"),
    ],
)
def test_what_every_request_would_meet_is_met_by_one(routes, reply, words):
    usage = TokenUsage()
    with ScriptedServer(lambda call: reply, routes) as server, pytest.raises(Fatal, match=words) as raised:
        ask(server.url, PROMPTS, usage=usage)
    assert raised.value.status == Exit.USAGE
    assert (len(server.calls), usage.requests) == (1, 1)


def test_a_model_under_a_name_that_is_not_listed_is_asked_by_one_request_first(monkeypatch):
    monkeypatch.setattr(first_contact, "ALONE_SECONDS", 0.3)
    lines = []

    def script(call):
        return Reply(body=echo(call).body, seconds=4 if call.number == 0 else 0)

    with ScriptedServer(script, lists({"id": "big"})) as server:
        answers = ask(server.url, PROMPTS, note=lines.append)
        times = [call.at for call in server.calls]
    assert lines == [
        f"{server.url} does not list tiny, and takes it all the same: it has big; is it the model that you mean?"
    ]
    assert len(answers) == len(PROMPTS)
    assert list(answers)[-1] == PROMPTS[0]
    assert 0.2 < times[1] - times[0] < 4  # the others wait, but not for a long answer


def test_a_server_that_was_away_is_asked_for_its_list_again():
    port = unused_port()
    usage = TokenUsage()
    server = ScriptedServer(strict, lists({"id": "tiny", "max_model_len": 64}), port)
    timer = threading.Timer(0.3, server.__enter__)
    timer.start()
    try:
        assert len(ask(f"http://127.0.0.1:{port}/v1", PROMPTS, sampling=LONG, usage=usage)) == len(PROMPTS)
    finally:
        timer.join()
        server.__exit__()
    assert usage.adapted == 0
