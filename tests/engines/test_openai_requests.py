"""What the openai engine sends and reads, against a server on a real socket."""

from __future__ import annotations

import pytest
from servers.prompts import SAMPLING, PromptRequests, ask, one, request_of, text_of
from servers.scripted import Reply, ScriptedServer, echo, error, wrote

from libra_cli.engines.base import Completion, Request, RequestError, Sampling
from libra_cli.engines.openai.addresses import server_address
from libra_cli.engines.openai.chat_api import ChatFormat
from libra_cli.engines.openai.engine import OpenAIEngine
from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.stream.rows import seed_for

# -- what is sent -----------------------------------------------------------------------------------------------------


def test_only_standard_fields_are_sent_unless_asked_for():
    _, (call,) = one(echo)
    seed = seed_for(0, "p", 0)
    messages = [{"role": "user", "content": "p"}]
    assert call.body == {
        "model": "tiny", "messages": messages, "temperature": 0.5, "top_p": 1.0, "max_tokens": 100, "seed": seed,
    }  # fmt: skip
    assert "authorization" not in call.headers


def test_what_was_asked_for_is_sent():
    sampling = Sampling(0.0, 0.9, 7, top_k=5, min_p=0.1, stop=("END",), extra={"repetition_penalty": 1.1})
    options = {"sampling": sampling, "extra": {"priority": 3}, "chat_template_args": {"enable_thinking": False}}
    _, (call,) = one(echo, **options)
    expected = {
        "temperature": 0.0, "top_p": 0.9, "max_tokens": 7, "top_k": 5, "min_p": 0.1, "stop": ["END"],
        "repetition_penalty": 1.1, "priority": 3, "chat_template_kwargs": {"enable_thinking": False},
    }  # fmt: skip
    assert {name: call.body[name] for name in call.body if name not in ("model", "messages", "seed")} == expected


def test_calls_of_earlier_turns_are_sent_as_servers_take_them():
    """The arguments are JSON text; readers of rows make an object of them."""
    function = {"name": "add", "arguments": {"a": 1, "b": "é"}}
    calling = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    talk = [{"role": "user", "content": "1+1?"}, calling, {"role": "tool", "content": "2", "tool_call_id": "c1"}]
    body = ChatFormat("tiny", SAMPLING, {}, {}).body(Request(talk, 0, "", 0))
    as_text = {"name": "add", "arguments": '{"a": 1, "b": "é"}'}
    sent = {**calling, "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": as_text}]}
    assert body["messages"] == [talk[0], sent, talk[2]]


def test_a_prefill_is_continued_and_is_part_of_the_text():
    answer, (call,) = one(lambda call: wrote(" is 4."), prefill="The answer")
    assert answer.text == "The answer is 4."
    assert call.body["messages"][-1] == {"role": "assistant", "content": "The answer"}
    assert call.body["continue_final_message"] is True
    assert call.body["add_generation_prompt"] is False


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n", "seed", "temperature"])
def test_a_field_that_libra_sets_cannot_be_given_as_an_argument(name):
    with pytest.raises(Fatal, match=f"--engine-arg {name}") as raised:
        OpenAIEngine("tiny", ["http://127.0.0.1:1/v1"], SAMPLING, extra={name: 1})
    assert raised.value.status == Exit.USAGE


def test_a_query_of_the_base_url_stays():
    with ScriptedServer() as server:
        server.routes["/v1/chat/completions?api-version=2"] = wrote("azure")
        assert ask(server.url + "/?api-version=2", ["p"])["p"].text == "azure"


# -- what comes back --------------------------------------------------------------------------------------------------


def test_a_completion_is_read_whole():
    answer, _ = one(lambda call: wrote("four", "length"))
    assert answer == Completion("four", "length", 4, None, model="tiny")


def test_an_empty_text_is_an_answer():
    answer, _ = one(lambda call: wrote(""))
    assert answer.text == ""


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_that_the_server_took_out_is_put_back(name):
    answer, _ = one(lambda call: wrote("\n\nfour", **{name: "\n2 + 2\n"}))
    assert answer.text == "<think>\n2 + 2\n</think>\n\nfour"


@pytest.mark.parametrize("content", [None, ""])
def test_thinking_that_was_cut_stays_open(content):
    answer, _ = one(lambda call: wrote(content, "length", reasoning_content="2 + "), markers=("[THINK]", "[/THINK]"))
    assert answer.text == "[THINK]\n2 + "
    assert answer.finish_reason == "length"


def test_thinking_after_a_prefill_that_opens_it_is_opened_once():
    answer, _ = one(lambda call: wrote("four", reasoning="2 + 2"), prefill="<think>\nWell, ")
    assert answer.text == "<think>\nWell, 2 + 2\n</think>\n\nfour"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (wrote(None), "no_content"),
        (wrote(None, "content_filter"), "no_content"),
        (error(400, "temperature is out of range"), "bad_request"),
        (error(422, "unprocessable"), "bad_request"),
        (error(413, "too large"), "prompt_too_long"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_answered_is_refused_after_one_request(reply, kind):
    answer, calls = one(lambda call: reply)
    assert isinstance(answer, RequestError)
    assert answer.kind == kind
    assert len(calls) == 1


def test_an_over_long_prompt_costs_its_own_row_only():
    def script(call):
        return error(400, "maximum context length is 5 tokens") if call.prompt == "long" else echo(call)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["a", "long", "b"])
    assert answers.pop("long").kind == "prompt_too_long"
    assert {prompt: answer.text for prompt, answer in answers.items()} == {"a": text_of("a"), "b": text_of("b")}


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("max_tokens=100 cannot be greater than max_model_len=64. Please request fewer output tokens", 64),
        ("This model's maximum context length is 90 tokens. However, you requested 130 tokens (30 in the messages, "
         "100 in the completion)", 60),
        ("'max_tokens' is too large: 100. This model's maximum context length is 90 tokens and your request has 50 "
         "input tokens (100 > 90 - 50)", 40),
        ("max_tokens is too large: 100. This model supports at most 32 completion tokens", 32),
    ],
)  # fmt: skip
def test_a_response_is_as_long_as_the_context_allows(message, asked):
    def script(call):
        return echo(call) if call.body["max_tokens"] <= asked else error(400, message)

    answer, calls = one(script)
    assert isinstance(answer, Completion)
    assert [call.body["max_tokens"] for call in calls] == [100, asked]


def test_a_server_that_names_the_limit_otherwise_is_asked_so():
    def script(call):
        if "max_tokens" in call.body:
            return error(400, "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
        return echo(call)

    with ScriptedServer(script) as server:
        assert len(ask(server.url, ["a", "b", "c"], concurrency=1)) == 3
        assert [call.body.get("max_completion_tokens") for call in server.calls] == [None, 100, 100, 100]


def test_answers_come_as_they_are_ready():
    def script(call):
        return Reply(body=echo(call).body, seconds=0.5 if call.prompt == "slow" else 0)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["slow", "b", "c"])
    assert list(answers)[-1] == "slow"
    assert {prompt: answer.text for prompt, answer in answers.items()} == {p: text_of(p) for p in ("slow", "b", "c")}


# -- addresses and keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "http:///v1", "http://host:port/v1", "http://[::1/v1", ""]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(Fatal, match="is no address of a server") as raised:
        OpenAIEngine("tiny", [url], SAMPLING)
    assert raised.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("localhost:8000", "http://localhost:8000/v1"),
        ("node7:8000/v1", "http://node7:8000/v1"),
        ("[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("api.example.com/v1?key=sk-canary", "https://api.example.com/v1"),
        ("htp://host/v1", "http://host/v1"),
        ("https//host/v1", "https://host/v1"),
        ("http:/host:8000/v1", "http://host:8000/v1"),
        ("http://http://host/v1", "http://host/v1"),
        ("http://host/v1 ", "http://host/v1"),
        ("'http://host/v1',", "http://host/v1"),
        ("http://host/v1#top", "http://host/v1"),
        ("http://host:8000/v1/chat/completions/", "http://host:8000/v1"),
        ("http://host/openai/chat/completions?key=sk-canary", "http://host/openai"),
        ("https://host/v1/models", "https://host/v1"),
        ("http:///v1", None),
        ("gpt-4", None),
        ("ftp://host/v1", None),
        ("http://host:8000v1", None),
    ],
)
def test_a_mistyped_address_is_refused_with_the_one_that_was_meant(url, meant):
    with pytest.raises(InvalidOptions) as raised:
        server_address(url, "--base-url")
    assert str(raised.value).endswith(f"did you mean {meant}?" if meant else "write http://HOST:PORT/v1")
    assert "canary" not in str(raised.value)
    if meant:
        assert server_address(meant, "--base-url") == meant


@pytest.mark.parametrize(
    "url", ["http://[::1]:8000/v1", "https://host/models", "https://host/v1/account/gateway/openai", "http://h?a=1,"]
)
def test_unusual_addresses_are_taken_as_they_are(url):
    assert server_address(url, "--base-url") == url


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://me:sk-canary@host/v1", None),
        ("ftp://me:sk-canary@host/v1", None),
        ("http://me:sk-canary@host:port/v1", None),
        ("http://host/v1/chat/completions?key=sk-canary", None),
        ("host/v1?key=sk-canary", None),
        ("http://host/v1", "sk-canary\n-two"),
    ],
)
def test_a_key_in_the_wrong_place_or_shape_is_refused_unseen(url, key):
    with pytest.raises(Fatal) as raised:
        OpenAIEngine("tiny", [url], SAMPLING, api_key=key)
    assert raised.value.status == Exit.USAGE
    assert "canary" not in str(raised.value)


def test_a_key_is_sent_and_taken_out_of_what_the_server_says():
    answer, (call,) = one(lambda call: error(400, f"bad: {call.headers['authorization']}"), api_key="sk-canary")
    assert call.headers["authorization"] == "Bearer sk-canary"
    assert "Bearer ***" in str(answer)
    assert "canary" not in str(answer)


@pytest.mark.parametrize(
    ("url", "key", "warned"),
    [
        ("http://10.1.2.3/v1", "sk-1", True),
        ("http://10.1.2.3/v1", None, False),
        ("https://10.1.2.3/v1", "sk-1", False),
        ("http://127.0.0.1:1/v1", "sk-1", False),
        ("http://[::1]:1/v1", "sk-1", False),
        ("http://localhost:1/v1", "sk-1", False),
    ],
)
def test_a_key_that_others_could_read_on_its_way_is_warned_of(url, key, warned):
    notes = []
    OpenAIEngine("tiny", [url], SAMPLING, api_key=key, note=notes.append).close()
    assert bool(notes) == warned


def test_a_missing_client_library_names_the_cure(shell):
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "from libra_cli.engines.base import Sampling\nfrom libra_cli.engines.openai.engine import OpenAIEngine\n"
        "OpenAIEngine('m', ['http://h/v1'], Sampling(0, 1, 1))"
    )
    ended = shell(["python", "-c", code])
    assert b"Fatal: --engine openai needs httpx: pip install 'libra-cli[openai]'" in ended.err


# -- servers that do not know `stop` ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "more", "text"),
    [
        ("It is 4.\nQuestion: 3 + 3?\nEND It is 6.", {}, "It is 4.\n"),
        ("It is 4.END", {"tool_calls": [{"function": {"name": "add"}}]}, "It is 4."),
        ("Question: again", {}, ""),
        ("It is 4.", {"reasoning_content": "2 + 2 END"}, "<think>\n2 + 2 "),
        ("It is 4. END", {"reasoning_content": "2 + 2"}, "<think>\n2 + 2\n</think>\n\nIt is 4. "),
        ("END", {"reasoning_content": "2 + 2"}, "<think>\n2 + 2\n</think>\n\n"),
    ],
)
@pytest.mark.parametrize("reason", ["stop", "length", "odd"])
def test_a_text_that_goes_on_after_a_stop_text_is_cut_there(content, more, text, reason):
    """The prefill may hold such a text; a line says once that answers are cut."""
    notes = []
    sampling = Sampling(0.5, 1.0, 100, stop=("END", "Question:"))
    with ScriptedServer(lambda _call: wrote(content, reason, **more)) as server:
        answers = ask(server.url, ["p", "q"], sampling=sampling, prefill="Question: ", note=notes.append)
    assert {(answer.text, answer.finish_reason) for answer in answers.values()} == {(f"Question: {text}", "stop")}
    assert {(answer.n_tokens, answer.tool_calls) for answer in answers.values()} == {(len(content), ())}
    assert len(notes) == 1
    assert notes[0].endswith(": answers go on after the text of --stop, and are cut there")


@pytest.mark.parametrize(
    ("of_sampling", "of_engine", "text"),
    [
        ({}, {"include_stop_str_in_output": True}, "4 END"),
        ({"no_stop_trim": True}, {}, "4 END"),
        ({"stop": None}, {}, "4 END"),  # provenance says that there is none
        ({}, {"stop": None}, "4 "),  # for a server that refuses the field
    ],
)
def test_a_stop_text_that_is_to_stay_stays(of_sampling, of_engine, text):
    sampling = Sampling(0.5, 1.0, 100, stop=("END",), extra=of_sampling)
    answer, _ = one(lambda _call: wrote("4 END"), sampling=sampling, extra=of_engine)
    assert answer.text == text


# -- what a server says of itself -------------------------------------------------------------------------------------


def vllm_like(prompt):
    return {
        "/version": Reply(body={"version": "0.99"}), "/tokenize": Reply(body={"tokens": [1, 2], "count": 2}),
        "/detokenize": Reply(body={"prompt": prompt}),
    }  # fmt: skip


@pytest.mark.parametrize(("ending", "opened"), [("<|assistant|><think>\n", True), ("<|assistant|>", False)])
def test_a_server_that_shows_its_prompts_is_asked_once_whether_they_open_the_thinking(ending, opened):
    with ScriptedServer(echo, vllm_like(f"<|user|>p{ending}")) as server:
        answers = ask(server.url, ["p", "q", "r"])
    assert {answer.opened_thinking for answer in answers.values()} == {opened}
    assert (server.paths["/version"], server.paths["/tokenize"]) == (1, 1)


def test_the_server_is_described_and_its_prompt_shown():
    with ScriptedServer(echo, vllm_like("<|user|>p")) as server:
        engine = OpenAIEngine("nick", [server.url], SAMPLING)
        rendered = engine.render(request_of("p"))
        assert (rendered.text, rendered.token_ids) == ("<|user|>p", [1, 2])
        list(engine.generate(PromptRequests(["p"])))
        assert engine.describe() == {
            "engine": "openai", "engine_version": "0.99", "model": "nick", "revision": "tiny", "template_sha256": None,
        }  # fmt: skip
        engine.close()


def test_a_server_that_shows_no_prompt_still_gives_the_messages():
    notes = []
    with ScriptedServer() as server:
        engine = OpenAIEngine("tiny", [server.url], SAMPLING, note=notes.append)
        rendered = engine.render(request_of("p"))
        engine.close()
    assert (rendered.text, rendered.token_ids, rendered.messages) == (None, None, [{"role": "user", "content": "p"}])
    assert "does not show" in notes[0]
