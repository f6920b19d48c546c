"""Servers with ways of their own: fields that they refuse, parts, streams, waits, answers that nobody can read."""

from __future__ import annotations

import json
import time

import pytest
from servers.prompts import ask, one
from servers.scripted import Reply, ScriptedServer, echo, error, wrote

from libra_cli.engines.base import Completion, RequestError
from libra_cli.engines.openai.event_stream import EventStream
from libra_cli.exits import Exit, Fatal
from libra_cli.tasks.task import is_cut_short

DEFAULTS = ("temperature", "top_p", "seed")

# -- fields that a server refuses -------------------------------------------------------------------------------------


def refusing(name, reply):
    return lambda call: reply if name in call.body else wrote("four")


WORDINGS = {
    "openai": lambda name: error(400, f"Unsupported value: '{name}' does not support 0.6 with this model.", param=name),
    "quoted": lambda name: error(400, f"`{name}` is deprecated for this model."),
    "pydantic": lambda name: Reply(422, {"detail": [{"loc": ["body", name], "msg": "Extra inputs are not permitted"}]}),
    "google": lambda name: error(400, f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'),
}


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("name", DEFAULTS)
def test_a_field_that_nobody_asked_for_is_left_out_where_it_is_refused(name, wording):
    notes = []
    with ScriptedServer(refusing(name, WORDINGS[wording](name))) as server:
        answers = ask(server.url, [f"p{n}" for n in range(20)], defaults=DEFAULTS, note=notes.append)
    assert {answer.text for answer in answers.values()} == {"four"}
    assert name not in server.calls[-1].body
    assert sorted(server.calls[-1].body) == sorted({*server.calls[0].body} - {name})
    assert [f"it is asked without {name}" in note for note in notes] == [True]


def test_a_field_that_was_asked_for_is_not_left_out_but_the_cure_is_told():
    with pytest.raises(Fatal, match="--engine-arg temperature=null leaves it out") as caught:
        one(refusing("temperature", WORDINGS["openai"]("temperature")), defaults=("top_p",))
    assert caught.value.status == Exit.USAGE


def test_a_request_that_is_refused_among_answers_changes_no_other():
    def script(call):
        return WORDINGS["quoted"]("temperature") if call.prompt == "bad" else wrote("four")

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["a", "bad", "b"], defaults=DEFAULTS, concurrency=1)
    assert answers["bad"].kind == "bad_request"
    assert all("temperature" in call.body for call in server.calls)


def test_one_demand_after_another_is_met():
    def script(call):
        for name in ("max_tokens", "temperature", "seed"):
            if name in call.body:
                instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                return error(
                    400, f"Unsupported parameter: '{name}' is not supported with this model.{instead}", param=name
                )
        return wrote("four") if call.body.get("stream") else error(400, "Streaming is required for this model.")

    def streaming(call):
        reply = script(call)
        return events({"content": "four"}) if reply.status == 200 else reply

    answer, calls = one(streaming, defaults=DEFAULTS)
    assert (answer.text, len(calls)) == ("four", 5)


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "The word 'temperature' is forbidden in a text."),
        error(400, "The text must not hold an advertisement; stream a shorter one."),
        error(400, "odd", param=["seed"]),
        Reply(422, {"detail": [{"loc": ["body", {"x": 1}]}, {"loc": 3}, 4]}),
        Reply(400, {"error": {"message": ["seed"], "param": {"seed": 1}}}),
    ],
)
def test_an_error_that_names_no_field_changes_no_request(reply):
    answer, calls = one(lambda _call: reply, defaults=DEFAULTS)
    assert (answer.kind, len(calls)) == ("bad_request", 1)


def test_a_limit_that_is_not_sent_cannot_be_lowered():
    message = "This model's maximum context length is 512 tokens, however you asked for more"
    answer, _ = one(lambda _call: error(400, message), extra={"max_tokens": None})
    assert answer.kind == "prompt_too_long"


@pytest.mark.parametrize("name", [*DEFAULTS, "max_tokens"])
def test_null_unsets_a_field(name):
    _, (call,) = one(lambda _call: wrote("four"), extra={name: None})
    assert name not in call.body


def test_what_is_not_sent_is_null_in_provenance(shell):
    with ScriptedServer(refusing("seed", WORDINGS["google"]("seed"))) as server:
        words = ["libra", "rollout", "--engine", "openai", "--base-url", server.url, "--model", "tiny"]
        ended = shell([*words, "--sampling-arg", "top_p=null"], input=b'{"id": "a", "question": "What is 2+2?"}\n')
    sampling = json.loads(ended.out)["provenance"]["sampling"]
    assert (sampling["seed"], sampling["top_p"], sampling["temperature"]) == (None, None, 0.6)
    assert "it is asked without seed" in ended.err.decode()
    assert ["seed" in call.body for call in server.calls] == [True, False]


def test_a_local_model_cannot_do_without_a_parameter(shell):
    words = ["libra", "rollout", "--model", "libra-mini/weak", "--sampling-arg", "seed=null"]
    ended = shell(words, input=b'{"id": "a", "question": "What is 2+2?"}\n')
    assert ended.status == Exit.USAGE
    assert "--sampling-arg seed=null: only a server (--base-url) can do without it" in ended.err.decode()


# -- content ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "4."}]}, "It is 4."),
        ({"content": ["It is ", "4."]}, "It is 4."),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]}, {"text": "4"}]},
            "<think>\n2+2\n</think>\n\n4",
        ),
        ({"content": "", "reasoning": "2+2 is 4"}, "<think>\n2+2 is 4"),
        ({"content": " \n", "reasoning_content": "2+2 is 4", "reasoning": ""}, "<think>\n2+2 is 4"),
        ({"content": None, "reasoning": "2+2 is 4", "reasoning_content": None}, "<think>\n2+2 is 4"),
        ({"content": ""}, ""),
    ],
)
def test_a_message_in_any_form_has_its_text(message, text):
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    answer, _ = one(lambda _call: Reply(body=body))
    assert answer.text == text


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "refusal": "I cannot help with that."},
        {"content": [{"type": "refusal", "refusal": "I cannot help with that."}]},
    ],
    ids=["beside the content", "a part of it"],
)
def test_what_a_model_says_when_it_refuses_is_told(message):
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    answer, _ = one(lambda _call: Reply(body=body))
    assert (answer.kind, str(answer)) == (
        "no_content",
        "the model refuses to answer (I cannot help with that); see the prompt",
    )


@pytest.mark.parametrize(("reason", "told"), [("stop", 1), ("length", 0)])
def test_whole_answers_that_come_as_reasoning_are_told_of_once(reason, told):
    notes = []
    with ScriptedServer(lambda _call: wrote(None, reason, reasoning_content="It is 4.")) as server:
        answers = ask(server.url, ["a", "b", "c"], note=notes.append)
    assert {answer.text for answer in answers.values()} == {"<think>\nIt is 4."}
    assert sum("without a reasoning parser" in note for note in notes) == told


@pytest.mark.parametrize("reason", [None, "", "null", "left out"])
def test_an_answer_without_a_reason_is_not_known_to_be_whole(reason):
    """LocalAI left the field out, KoboldCpp wrote "null", OpenAI itself null for a while."""
    choice = {"message": {"content": "The answer is 4."}, "finish_reason": reason}
    if reason == "left out":
        del choice["finish_reason"]
    notes = []
    with ScriptedServer(lambda _call: Reply(body={"choices": [choice]})) as server:
        answers = ask(server.url, ["a", "b"], note=notes.append)
    assert {answer.finish_reason for answer in answers.values()} == {"unknown"}
    assert is_cut_short("unknown")
    assert sum("without a finish_reason" in note for note in notes) == 1


def test_an_unknown_finish_reason_is_named_counted_and_can_be_read(shell):
    """A known word for a cut is not told of."""
    reasons = {"a": "FINISH", "b": "FINISH", "c": "stop", "d": "MAX_TOKENS"}
    rows = "".join(json.dumps({"id": name, "question": name}) + "\n"
                   for name in reasons).encode()  # fmt: skip
    with ScriptedServer(lambda call: wrote("It is 4.", reasons[call.prompt[0]])) as server:
        words = ["libra", "rollout", "--base-url", server.url, "--model", "tiny"]
        told = shell(words, input=rows)
        read = shell([*words, "--finish-reason", "finish=stop"], input=rows)
        wrong = shell([*words, "--finish-reason", "FINISH=done"], input=rows)
    ends = [{row["id"]: (row["finish_reason"], row["response"]) for row in map(json.loads, ended.out.splitlines())}
            for ended in (told, read)]  # fmt: skip
    assert ends[0] == {
        "a": ("FINISH", None),
        "b": ("FINISH", None),
        "c": ("stop", "It is 4."),
        "d": ("MAX_TOKENS", None),
    }
    assert ends[1] == {**ends[0], **dict.fromkeys("ab", ("stop", "It is 4."))}
    lines = [line for line in told.err.decode().splitlines() if "finish" in line]
    assert len(lines) == 2
    assert "with the unknown finish_reason 'FINISH', and count as not finished; --finish-reason FINISH=stop" in lines[0]
    assert (
        "tiny: 2 answers with the unknown finish_reason 'FINISH' counted as not finished; --finish-reason" in lines[1]
    )
    assert "finish" not in read.err.decode()
    assert wrong.status == Exit.USAGE
    assert "--finish-reason FINISH=done: write WORD=MEANING" in wrong.err.decode()


def nested(depth):
    part = "deep"
    for _ in range(depth):
        part = {"type": "thinking", "thinking": [part]}
    return [part]


@pytest.mark.parametrize(
    "content", [[{"type": "image_url", "image_url": {}}], [7], [["4"]], {"text": "4"}, 4, nested(3), nested(400)]
)
def test_content_without_text_is_malformed(content):
    answer, _ = one(lambda _call: wrote(content) if not isinstance(content, int) else Reply(body=bare(content)))
    assert answer.kind == "bad_response"


def bare(content):
    return {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}


# -- streams ----------------------------------------------------------------------------------------------------------


def events(*deltas, end="data: [DONE]\n\n", reason="stop", **more) -> Reply:
    choices = [{"index": 0, "delta": delta} for delta in deltas] + [{"index": 0, "delta": {}, "finish_reason": reason}]
    lines = [
        ": a comment\n\n",
        *(f"data: {json.dumps({'model': 'tiny', 'choices': [choice]})}\r\n\r\n" for choice in choices),
    ]
    usage = {"choices": [], "usage": {"completion_tokens": 3}, **more}
    body = "".join([*lines, f"event: x\ndata: {json.dumps(usage)}\n\n", end]).encode()
    return Reply(body=body, headers={"content-type": "text/event-stream; charset=utf-8"})


def test_a_server_that_only_streams_is_served():
    def script(call):
        if not call.body.get("stream"):
            return error(400, "This model only supports streaming: set stream to true.")
        return events(
            {"role": "assistant", "content": ""},
            {"reasoning": "2+"},
            {"reasoning": "2"},
            {"content": "fo"},
            {"content": "ur"},
        )

    answer, calls = one(script)
    assert (answer.text, answer.finish_reason, answer.n_tokens) == ("<think>\n2+2\n</think>\n\nfour", "stop", 3)
    assert [call.body.get("stream") for call in calls] == [None, True]
    assert calls[1].body["stream_options"] == {"include_usage": True}


def test_calls_of_tools_are_part_of_an_answer_streamed_or_not():
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
    answer, _ = one(lambda _: wrote(None, "tool_calls", reasoning="2+2", tool_calls=[call]))
    assert (answer.text, answer.tool_calls) == ("<think>\n2+2\n</think>\n\n", [call])
    pieces = [{"index": 0, **call, "function": {"name": "add", "arguments": '{"a"'}}]
    stream = events(
        {"content": "Sum: "},
        {"tool_calls": pieces},
        {"tool_calls": [{"index": 0, "function": {"arguments": ": 2}"}}, {"index": 1, "function": {"name": "end"}}]},
        reason="tool_calls",
    )
    answer, _ = one(lambda _: stream)
    assert (answer.text, answer.tool_calls[0]) == ("Sum: ", call)
    assert [call["function"]["name"] for call in answer.tool_calls] == ["add", "end"]
    bad = events({"tool_calls": ["add"]})
    assert one(lambda _: bad)[0].kind == "bad_response"


@pytest.mark.parametrize(("pieces", "calls"), [
    ([{"id": "a", "name": "add", "arguments": "{"}, {"name": "add", "arguments": "}"}], [("add", "{}")]),
    ([{"id": "a", "name": "add"}, {"id": "b", "name": "end"}, {"id": "a", "arguments": "{}"}],
     [("add", "{}"), ("end", "")]),
    ([{"index": None, "id": "a", "name": "add", "arguments": {"x": 2}}], [("add", '{"x": 2}')]),
    ([{"id": "a", "name": "add", "arguments": None}], [("add", "")]),
    ([{"index": 0, "id": "a", "name": "add", "arguments": "{}"},
      {"index": 0, "id": "b", "name": "add", "arguments": "{"}, {"index": 0, "arguments": "}"}],
     [("add", "{}"), ("add", "{}")]),
    ([{"index": 0, "id": "a", "name": "add"}, {"index": 0, "id": "b", "name": "end"},
      {"index": 0, "id": "a", "arguments": "{}"}, {"index": 1, "id": "c", "name": "go"}],
     [("add", "{}"), ("end", ""), ("go", "")]),
    ([{"index": 0, "id": "a", "name": "add", "arguments": ""}, {"index": 0, "id": "b", "name": "add", "arguments": "{"},
      {"index": 0, "id": "c", "arguments": "}"}], [("add", "{}")]),
    ([{"id": "a", "name": "add", "arguments": 5}], None),
    ([{"index": "0", "name": "add"}], None),
    (5, None),
])  # fmt: skip
def test_calls_that_servers_stream_in_their_own_way(pieces, calls):
    def piece(given):
        outer = {name: given[name] for name in ("index", "id") if name in given}
        return {**outer, "function": {name: given[name] for name in ("name", "arguments") if name in given}}

    deltas = [{"tool_calls": [piece(one)]} for one in pieces] if isinstance(pieces, list) else [{"tool_calls": pieces}]
    stream = events(*deltas, reason="tool_calls")
    answer, _ = one(lambda _: stream)
    if calls is None:
        assert answer.kind == "bad_response"
    else:
        said = [call["function"] for call in answer.tool_calls]
        assert [(call["name"], call["arguments"]) for call in said] == calls


def test_contents_in_parts_are_streamed_too():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]}
    stream = events({"content": [thought]}, {"content": [{"type": "text", "text": "fo"}]}, {"content": "ur"})
    answer, _ = one(lambda _call: stream)
    assert answer.text == "<think>\n2+2\n</think>\n\nfour"


def test_an_event_that_is_none_costs_its_own_request():
    bad = Reply(body=b"data: [1]\n\n", headers={"content-type": "text/event-stream"})
    with ScriptedServer(lambda call: bad if call.prompt == "bad" else wrote("four")) as server:
        answers = ask(server.url, ["a", "bad"])
    assert answers["bad"].kind == "bad_response"
    assert answers["a"].text == "four"


def test_a_stream_can_be_asked_for_and_its_options_are_left_out_where_they_are_refused():
    def script(call):
        if "stream_options" in call.body:
            return error(400, "Unrecognized request argument: 'stream_options'")
        return events({"content": "four"}) if call.body["stream"] else error(500)

    answer, calls = one(script, extra={"stream": True})
    assert (answer.text, len(calls)) == ("four", 2)


def test_a_stream_that_breaks_off_is_tried_again():
    def script(call):
        whole = events({"content": "four"}, {"content": " and"})
        return whole if call.attempt else Reply(body=whole.body[: whole.body.index(b" and")], headers=whole.headers)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["first", "p"])
    assert answers["p"].text == "four and"


def test_a_stream_that_ends_without_a_reason_is_not_known_to_be_whole():
    answer, _ = one(lambda _call: events({"content": "The answer is"}, reason=None))
    assert (answer.text, answer.finish_reason) == ("The answer is", "unknown")
    assert is_cut_short(answer.finish_reason)


def test_an_error_inside_a_stream_is_tried_again():
    def script(call):
        return (
            events({"content": "four"}) if call.attempt else events({"content": "fo"}, error={"message": "overloaded"})
        )

    with ScriptedServer(script) as server:
        assert ask(server.url, ["p"])["p"].text == "four"


@pytest.mark.parametrize("data", [{"message": "overloaded"}, {"error": {"message": "overloaded"}}, {}])
def test_an_event_that_is_an_error_by_its_name_is_tried_again(data):
    whole = events({"content": "four"})
    failed = f"event: error\ndata: {json.dumps(data)}\n\n".encode()
    cut = Reply(body=whole.body.replace(b"data: [DONE]", failed + b"data: [DONE]"), headers=whole.headers)
    assert cut.body != whole.body
    with ScriptedServer(lambda call: whole if call.attempt else cut) as server:
        assert ask(server.url, ["p"])["p"].text == "four"
        assert len(server.calls) == 2


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("named", [{"code": 400}, {"code": "400"}, {"type": "BadRequestError"}])
def test_an_error_in_a_200_means_what_its_code_means(streamed, named):
    """SGLang and gateways report some errors of a request in an answer that had begun with 200."""
    error = {"message": "the seed is not allowed", **named}

    def script(_call):
        return events({"content": "fo"}, error=error) if streamed else Reply(body={"error": error})

    with ScriptedServer(script) as server:
        answer = ask(server.url, ["p"])["p"]
        assert (answer.kind, len(server.calls)) == ("bad_request", 1)
        assert "400 Bad Request: the seed is not allowed" in str(answer)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("more", [{"object": "error"}, {"type": "BadRequestError"}])
def test_a_200_may_be_an_error_itself(streamed, more):
    """As vLLM and FastChat have written errors, and gateways hand them on: no field `error` is around them."""
    error = {"message": "the seed is not allowed", "code": 400, **more}

    def script(_call):
        if not streamed:
            return Reply(body=error)
        begun = events({"content": "fo"}).body.partition(b"\n\n")[0]
        body = begun + b"\n\ndata: " + json.dumps(error).encode() + b"\n\ndata: [DONE]\n\n"
        return Reply(body=body, headers={"content-type": "text/event-stream"})

    with ScriptedServer(script) as server:
        answer = ask(server.url, ["p"])["p"]
        assert (answer.kind, len(server.calls)) == ("bad_request", 1)
        assert "400 Bad Request: the seed is not allowed" in str(answer)


@pytest.mark.parametrize("code", [50002, 40303])
def test_the_errors_in_a_stream_of_fastchat_are_no_answer(code):
    """`error_code` 0 is none."""
    whole = events({"content": "four"})
    begun = whole.body.partition(b"\r\n\r\n")[0]
    failed = json.dumps({"text": "CUDA out of memory", "error_code": code}).encode()
    broken = Reply(body=begun + b"\r\n\r\ndata: " + failed + b"\n\ndata: [DONE]\n\n", headers=whole.headers)
    with ScriptedServer(lambda _call: broken) as server:
        answer = ask(server.url, ["p"], retry_budget=1)["p"]
    assert isinstance(answer, RequestError)
    assert "CUDA out of memory" in str(answer)
    right = events({"content": "four"}, error_code=0)
    with ScriptedServer(lambda call: right if call.attempt else broken) as server:
        assert ask(server.url, ["p"])["p"].text == "four"


def test_the_words_of_an_error_without_a_code_are_shown():
    with ScriptedServer(lambda _call: Reply(body={"detail": "the worker sleeps"})) as server:
        assert "the worker sleeps" in str(ask(server.url, ["p"], retry_budget=1)["p"])


def test_a_limit_that_is_refused_in_a_200_is_lowered():
    def script(call):
        message = "This model's maximum context length is 90 tokens and your request has 50 input tokens"
        error = {"message": message, "code": 400}
        return events({"content": "four"}) if call.body["max_tokens"] <= 40 else events({}, error=error)

    with ScriptedServer(script) as server:
        assert ask(server.url, ["p"])["p"].text == "four"
        assert [call.body["max_tokens"] for call in server.calls] == [100, 40]


@pytest.mark.parametrize("before", [b"", b": waiting\n\n", b"event: start\nid: 1\n\n"])
def test_an_error_that_is_no_event_is_shown(before):
    error = b'{"error": {"code": 400, "message": "the request exceeds the available context size (16384 tokens)"}}\n'
    error = before + error
    with ScriptedServer(lambda _call: Reply(body=error, headers={"content-type": "text/event-stream"})) as server:
        answer = ask(server.url, ["p"])["p"]
    assert "the request exceeds the available context size" in str(answer)


def test_a_stream_is_put_together_wherever_it_is_cut():
    body = events({"content": "fünf "}, {"content": "is {5}"}, {"reasoning": "a\nb"}).body
    wholes = set()
    for size in (1, 2, 3, 7, 64, len(body)):
        stream = EventStream()
        for start in range(0, len(body), size):
            stream.add(body[start : start + size])
        wholes.add(stream.content())
    (whole,) = wholes
    assert json.loads(whole)["choices"][0]["message"] == {"content": "fünf is {5}", "reasoning": "a\nb"}


def test_a_stream_without_end_is_limited():
    def endless():
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        while True:
            yield b'data: {"choices": [{"index": 0, "delta": {"content": "ha"}}]}\n\n' * 100

    with ScriptedServer(lambda call: Reply(raw=endless) if call.prompt == "bad" else wrote("four")) as server:
        answers = ask(server.url, ["a", "bad"], max_response_bytes=1 << 16)
    assert answers["bad"].kind == "response_too_large"


# -- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choices", [None, [], [None]])
def test_an_answer_without_a_choice_is_tried_again(choices):
    def script(call):
        return echo(call) if call.attempt == 2 else Reply(body={"choices": choices})

    with ScriptedServer(script) as server:
        answer = ask(server.url, ["p"])["p"]
    assert isinstance(answer, Completion)
    assert len(server.calls) == 3


@pytest.mark.parametrize("reply", [Reply(body=b"<html><body>Welcome</body></html>"), Reply(body={"choices": []})])
def test_a_server_that_never_gave_a_readable_answer_ends_the_run(reply):
    with (
        ScriptedServer(lambda _call: reply) as server,
        pytest.raises(Fatal, match="is it an OpenAI-compatible") as caught,
    ):
        ask(server.url, [f"p{n}" for n in range(1000)])
    assert caught.value.status == Exit.BACKEND
    assert len(server.calls) < 100


def test_a_server_that_answered_before_costs_a_row_only():
    def script(call):
        return Reply(body=b"<html>") if call.prompt == "bad" else echo(call)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["a", "bad", "b"], concurrency=1)
    assert answers["bad"].kind == "server_error"
    assert isinstance(answers["b"], Completion)


def test_a_wait_in_milliseconds_is_obeyed():
    headers = {"retry-after-ms": "700", "retry-after": "30"}
    with ScriptedServer(lambda call: echo(call) if call.attempt else error(429, "busy", headers)) as server:
        began = time.monotonic()
        ask(server.url, ["p"])
    first, second = (call.at for call in server.calls)
    assert second - first >= 0.7
    assert time.monotonic() - began < 25


# -- addresses and headers --------------------------------------------------------------------------------------------


def test_the_address_is_read_from_the_environment(shell):
    words = ["libra", "rollout", "--engine", "openai", "--model", "tiny"]
    given = b'{"id": "a", "question": "What is 2+2?"}\n'
    with ScriptedServer() as server:
        ended = shell(words, input=given, env={"OPENAI_BASE_URL": server.url})
        assert (ended.status, len(server.calls)) == (0, 1)
    ended = shell(words, input=given)
    assert ended.status == Exit.USAGE
    assert "needs --base-url (or OPENAI_BASE_URL)" in ended.err.decode()


SECRET = "canary-header-0123456789"


def test_headers_are_sent_and_their_secrets_stay_secret(shell, tmp_path):
    file = tmp_path / "key"
    file.write_text(SECRET + "f\n")
    file.chmod(0o600)

    def script(call):
        return (
            error(400, f"you said {call.headers['x-from-env']} {call.headers['x-key']}")
            if "is 1?" in call.prompt
            else echo(call)
        )

    more = ["--header", "X-Team=judges", "--header", "X-From-Env=env:MY_HEADER", "--header", f"X-Key=file:{file}"]
    given = b'{"id": "a", "question": "What is 1?"}\n{"id": "b", "question": "What is 2?"}\n'
    with ScriptedServer(script) as server:
        words = ["libra", "rollout", "--engine", "openai", "--base-url", server.url, "--model", "tiny", *more]
        files = ["-o", "out.jsonl", "--errors", "errors.jsonl", "--manifest", "manifest.json"]
        ended = shell([*words, *files], input=given, env={"MY_HEADER": SECRET + "e"})
    assert ended.status == 3
    headers = server.calls[0].headers
    assert (headers["x-team"], headers["x-from-env"], headers["x-key"]) == ("judges", SECRET + "e", SECRET + "f")
    written = ended.err.decode() + "".join(path.read_text() for path in tmp_path.glob("*.json*"))
    assert "you said" in written
    assert SECRET not in written


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("X-Api-Key=abc", "--header X-Api-Key: write its secret value as env:VARIABLE or file:PATH"),
        ("X-Team", "write NAME=VALUE"),
        ("X Team=a", "write NAME=VALUE"),
        ("X-Team=env:NOT_SET_HERE", "NOT_SET_HERE is not set in the environment"),
        ("X-Team=file:missing", "cannot be read (No such file or directory)"),
        ("X-Team=a\r\nX-Other: b", "holds a line break"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_at_once(shell, header, words):
    ended = shell(
        ["libra", "rollout", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--header", header], input=b""
    )
    assert ended.status == Exit.USAGE
    assert words in ended.err.decode()
