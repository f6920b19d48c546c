"""Accounts without credit, as providers and gateways report them, and rate limits in the same words."""

from __future__ import annotations

import json

import pytest
from servers.prompts import ask, one, text_of
from servers.scripted import Reply, ScriptedServer, echo, error

from libra_cli.engines.base import Completion, RequestError
from libra_cli.exits import Exit, Fatal

_PLAN = "You exceeded your current quota, please check your plan and billing details."

NO_CREDIT = {
    "OpenAI": error(429, _PLAN, type="insufficient_quota", code="insufficient_quota"),
    "OpenAI, no code": error(429, _PLAN, type="insufficient_quota", code=None),
    "a gateway with the status as code": error(429, _PLAN, type="insufficient_quota", code="429"),
    "OpenAI, limit": error(400, "Billing hard limit has been reached", code="billing_hard_limit_reached"),
    "Moonshot": error(429, "Your account is not active", type="exceeded_current_quota_error"),
    "Moonshot, wrapped": error(429, "Your account a <k> is suspended due to insufficient balance, please recharge"),
    "LiteLLM": error(429, f"litellm.RateLimitError: OpenAIException - {_PLAN}", type="throttling_error", code="429"),
    "LiteLLM, budget": error(400, "Budget has been exceeded! Current cost: 2", type="budget_exceeded", code="400"),
    "LiteLLM, user": error(429, "exceeded budget for model=m", type="budget_exceeded", code="429"),
    "DeepSeek": error(402, "Insufficient Balance", type="unknown_error", code="invalid_request_error"),
    "OpenRouter": error(402, "Insufficient credits. Add more", code=402),
    "Anthropic": error(400, "Your credit balance is too low to access the API.", type="invalid_request_error"),
    "DashScope": error(400, "Access denied, is your account in good standing?", code="Arrearage", type="Arrearage"),
    "Gemini, prepaid": Reply(429, [{"error": {"code": 429, "message": "Your prepayment credits are depleted."}}]),
    "in a 200": Reply(body={"error": {"message": "Insufficient balance", "type": "exceeded_current_quota_error"}}),
    "in a 200, by its words": Reply(body={"error": {"message": "Insufficient account balance"}}),
}

GEMINI = f"{_PLAN}\n* Quota exceeded for metric: requests, limit: 15\nPlease retry in 0.1s."
RATE_LIMITS = {
    "OpenAI": error(429, "Rate limit reached: Limit 3, Used 3. Please try again in 1s.", code="rate_limit_exceeded"),
    "Gemini": Reply(429, [{"error": {"code": 429, "message": GEMINI, "status": "RESOURCE_EXHAUSTED"}}]),
    "Gemini, in fields": Reply(429, [{"error": {"message": _PLAN, "details": [{"retryDelay": "0.1s"}]}}]),
    "by header": error(429, _PLAN, headers={"retry-after": "0.1"}),
    "Moonshot": error(429, "Your account reached max request", type="rate_limit_reached_error"),
}


@pytest.mark.parametrize("reply", NO_CREDIT.values(), ids=NO_CREDIT.keys())
@pytest.mark.parametrize("good", [0, 3])
def test_an_account_without_credit_ends_the_run_and_names_the_cure(reply, good):
    answers = {}
    with ScriptedServer(lambda call: echo(call) if call.number < good else reply) as server:
        with pytest.raises(Fatal, match=r"the account has no credit left \(.*\); add some, and the same") as raised:
            ask(server.url, [f"p{n}" for n in range(9)], concurrency=1, seen=answers.update)
        assert len(server.calls) == good + 1
    assert (raised.value.status, len(answers)) == (Exit.BACKEND, good)


@pytest.mark.parametrize("reply", RATE_LIMITS.values(), ids=RATE_LIMITS.keys())
def test_a_rate_limit_is_waited_for(reply):
    answer, calls = one(lambda call: reply if call.attempt == 0 else echo(call))
    assert (answer.text, len(calls)) == (text_of("p"), 2)


def test_a_refusal_that_quotes_a_prompt_about_credit_concerns_that_row():
    said = f"body.messages.0.content: Input should be a valid string; got {'x' * 250} insufficient balance"
    with ScriptedServer(lambda call: error(400, said) if call.prompt == "a" else echo(call)) as server:
        answers = ask(server.url, ["a", "b"], concurrency=1)
    assert isinstance(answers["a"], RequestError)
    assert isinstance(answers["b"], Completion)


def test_the_run_goes_on_with_another_server_and_keeps_the_answers_of_the_one_without_credit():
    told, poor = [], NO_CREDIT["Moonshot"]
    prompts = [f"p{n}" for n in range(20)]
    with (
        ScriptedServer(lambda call: echo(call) if call.number < 2 else poor) as first,
        ScriptedServer() as second,
    ):
        answers = ask([first.url, second.url], prompts, concurrency=4, note=told.append)
        refused = len(first.calls) - 2
    assert {prompt: answer.text for prompt, answer in answers.items()} == {
        prompt: text_of(prompt) for prompt in prompts
    }
    assert 1 <= refused <= 4
    assert len([line for line in told if line.endswith("); the other servers are asked")]) == 1, told


def test_servers_of_which_none_has_credit_end_the_run():
    poor = NO_CREDIT["DeepSeek"]
    with (
        ScriptedServer(lambda _call: poor) as first,
        ScriptedServer(lambda call: echo(call) if call.number < 3 else poor) as second,
        pytest.raises(Fatal, match="no credit left") as raised,
    ):
        ask([first.url, second.url], [f"p{n}" for n in range(20)], concurrency=2)
    assert raised.value.status == Exit.BACKEND


def test_the_command_keeps_its_rows_and_continues_once_there_is_credit(shell, tmp_path):
    rows = "".join(json.dumps({"id": f"p{n}", "question": f"What is {n}?", "reference": "1"}) + "\n" for n in range(6))
    (tmp_path / "in").write_text(rows)
    poor, command = NO_CREDIT["Anthropic"], "rollout in -o out --model tiny --concurrency 1 --base-url"
    with ScriptedServer(lambda call: echo(call) if call.number < 3 else poor) as server:
        ended = shell(f"libra {command} {server.url}")
        assert ended.status == 6
        assert ended.err.decode().count("the account has no credit left") == 1
        server.script = echo
        again = shell(f"libra {command} {server.url}")
        assert again.status == 0, again.err
        assert len(server.calls) == 3 + 1 + 3
    assert len((tmp_path / "out").read_text().splitlines()) == 6


def test_requests_behind_the_first_to_a_server_without_credit_go_to_another_at_once():
    poor = NO_CREDIT["DeepSeek"]
    models = {"/v1/models": Reply(body={"data": [{"id": "another"}]})}
    with (
        ScriptedServer(lambda _call: poor, models) as first,
        ScriptedServer() as second,
    ):
        answers = ask([first.url, second.url], [f"p{n}" for n in range(20)], concurrency=8)
        assert len(first.calls) == 1
    assert all(isinstance(answer, Completion) for answer in answers.values())


def test_the_model_of_servers_is_that_of_those_with_credit(shell, tmp_path):
    (tmp_path / "in").write_text('{"id": "p", "question": "What is 1?", "reference": "1"}\n')
    with ScriptedServer(routes={"/v1/models": NO_CREDIT["DeepSeek"]}) as first, ScriptedServer() as second:
        command = f"rollout in -o out --base-url {first.url}"
        done = shell(["libra", *command.split(), "--base-url", second.url])
        assert done.status == 0
        assert shell(["libra", *command.split(), "--overwrite"]).status == Exit.BACKEND
