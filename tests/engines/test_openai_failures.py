"""The openai engine against servers on real sockets that fail as real ones do."""

from __future__ import annotations

import json
import random
import re
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from servers.prompts import SAMPLING, PromptRequests, ask, one, text_of
from servers.scripted import Reply, ScriptedServer, echo, error, unused_port, wrote

from libra_cli.engines.base import Completion, RequestError
from libra_cli.engines.openai import servers
from libra_cli.engines.openai.engine import OpenAIEngine
from libra_cli.exits import Exit, Fatal


def first(reply, then=echo):
    """`reply` to every request's first attempt, `then` afterwards."""
    return lambda call: reply if call.attempt == 0 else then(call)


# -- what is tried again ----------------------------------------------------------------------------------------------

PASSING = {
    "429": error(429), "503": error(503), "502": error(502), "500": error(500), "409": error(409), "408": error(408),
    "425": error(425), "504": error(504), "529": error(529), "reset": Reply(fault="reset"),
    "cut": Reply(body={"choices": []}, fault="cut"), "not JSON": Reply(body=b'{"choices": [{"mess'),
    "an array": Reply(body=[]), "error in a 200": Reply(body={"error": {"message": "behind a gateway"}}),
    "abort": wrote("half of", "abort"),
}  # fmt: skip


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING.keys())
def test_a_passing_failure_is_tried_again(reply):
    answer, calls = one(first(reply))
    assert answer.text == text_of("p")
    assert len(calls) == 2


class ClosesIdle(BaseHTTPRequestHandler):
    """Keeps a connection to all appearances, and closes it a few milliseconds after its answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, fields):
        content = json.dumps(fields).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        time.sleep(0.003)
        self.close_connection = True

    def do_GET(self):
        self.answer({"data": [{"id": "tiny"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.02)
        self.answer({"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]})


def test_a_server_that_closes_idle_connections_answers_all():
    server = ThreadingHTTPServer(("127.0.0.1", 0), ClosesIdle)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        answers = ask(url, [f"p{n}" for n in range(120)], retry_budget=20, concurrency=16)
    finally:
        server.shutdown()
        server.server_close()
    assert [type(answer) for answer in answers.values()] == [Completion] * 120


def test_a_silent_server_is_given_up_after_the_timeout_and_asked_again():
    answer, calls = one(first(Reply(fault="silent")), timeout=0.3)
    assert answer.text == text_of("p")
    assert calls[1].at - calls[0].at >= 0.2  # a busy server notes the first call late


def test_a_server_that_accepts_and_does_not_reply_is_named(monkeypatch):
    monkeypatch.setattr("libra_cli.engines.openai.endpoints.PATIENCE", 0.1)
    said = []
    answer, _ = one(lambda call: Reply(body=echo(call).body, seconds=1.2), timeout=60, note=said.append)
    assert answer.text == text_of("p")
    assert said, "nothing was said"
    asked = "1 request is at work there, each may take 60 s (--request-timeout)"
    assert re.fullmatch(r"http://127.0.0.1:\d+/v1: no answer for \d s; " + re.escape(asked), said[0])
    assert len(said) < 9  # each time after twice as long; else 11


def test_a_slow_answer_within_the_timeout_is_one_request():
    _, calls = one(lambda call: Reply(body=echo(call).body, seconds=1.2), timeout=60)
    assert len(calls) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed_by_every_request(status, form):
    asked = []

    def script(call):
        if call.number >= 3:
            return echo(call)
        until = int(time.time()) + 2
        asked.append((call.at, 1.0 if form == "seconds" else until - time.time()))
        wait = {"retry-after": "1" if form == "seconds" else formatdate(until, usegmt=True)}
        return replace(error(status, headers=wait), seconds=0.5)  # all three have been asked by then

    with ScriptedServer(script) as server:
        assert len(ask(server.url, ["a", "b", "c", "d", "e", "f"], concurrency=3)) == 6
    later = [call.at for call in server.calls[3:]]
    assert min(later) >= max(at + wait for at, wait in asked) - 0.01
    assert len(server.calls) == 9


def test_a_request_that_a_living_server_always_fails_is_refused_alone():
    def script(call):
        return error(500, "boom") if call.prompt == "poison" else Reply(body=echo(call).body, seconds=0.02)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["poison", *(f"p{n}" for n in range(40))], concurrency=4)
    poison = answers.pop("poison")
    assert (poison.kind, poison.attempts) == ("server_error", sum(call.prompt == "poison" for call in server.calls))
    assert 5 <= poison.attempts <= 10
    assert "boom" in str(poison)
    assert all(isinstance(answer, Completion) for answer in answers.values())


def test_the_last_request_of_a_run_cannot_fail_for_ever():
    answer, calls = one(lambda call: error(500, "boom"))
    assert answer.kind == "server_error"
    assert len(calls) <= 10


def test_a_request_that_is_never_answered_in_time_is_refused():
    answer, calls = one(lambda call: Reply(fault="silent"), timeout=0.2)
    assert answer.kind == "timeout"
    assert len(calls) == answer.attempts == 3


# -- servers that go away ---------------------------------------------------------------------------------------------


def test_load_is_shared_and_a_dead_server_costs_no_row():
    with ScriptedServer() as one_server, ScriptedServer() as other:
        dead = f"http://127.0.0.1:{unused_port()}/v1"
        answers = ask([one_server.url, dead, other.url], [f"p{n}" for n in range(60)], concurrency=6)
        shares = len(one_server.calls), len(other.calls)
    assert all(isinstance(answer, Completion) for answer in answers.values())
    assert sum(shares) == len(answers) == 60
    assert min(shares) >= 5  # a server that is slow to start gets less


def test_a_retry_goes_to_another_server():
    with ScriptedServer(lambda call: error(500)) as broken, ScriptedServer() as sound:
        answers = ask([broken.url, sound.url], [f"p{n}" for n in range(20)], concurrency=2)
        twice = [call for call in broken.calls if call.attempt]
    assert all(isinstance(answer, Completion) for answer in answers.values())
    assert not twice
    assert len(sound.calls) == 20


def test_a_server_that_comes_later_is_found():
    late = ScriptedServer(lambda call: Reply(body=echo(call).body, seconds=0.01), port=unused_port())

    def seen(answers):
        if len(answers) == 10:
            late.__enter__()
        if late.calls:
            requests.stopping = True

    with ScriptedServer(lambda call: Reply(body=echo(call).body, seconds=0.01)) as server:
        requests = PromptRequests(f"p{number}" for number in range(3000))
        try:
            ask([server.url, late.url], [], requests=requests, seen=seen, concurrency=4)
        finally:
            late.__exit__()
    assert late.calls


def test_a_server_that_stops_and_returns_costs_no_row():
    notes = []
    with ScriptedServer(lambda call: Reply(body=echo(call).body, seconds=0.02)) as server:

        def seen(answers):
            if len(answers) == 50:
                server.stop()
                threading.Timer(1.0, server.start).start()

        answers = ask(server.url, [f"p{n}" for n in range(200)], seen=seen, concurrency=8, note=notes.append)
    assert {prompt: answer.text for prompt, answer in answers.items()} == {
        f"p{n}": text_of(f"p{n}") for n in range(200)
    }
    assert len(server.calls) <= 200 + 2 * 8
    assert any("trying again" in note for note in notes)
    assert any("answers again" in note for note in notes)


def test_a_server_that_fails_every_request_ends_the_run():
    notes, prompts = [], [f"p{n}" for n in range(40)]
    with (
        ScriptedServer(lambda call: error(500)) as server,
        pytest.raises(Fatal, match="was answered") as raised,
    ):
        ask(server.url, prompts, note=notes.append, concurrency=4, retry_budget=4)
    assert raised.value.status == Exit.BACKEND
    assert not any("answers again" in note for note in notes)


def test_without_any_server_the_run_ends_after_its_budget():
    url = f"http://127.0.0.1:{unused_port()}/v1"
    notes = []
    with pytest.raises(Fatal, match=r"nothing was answered for 0.5 s \(--retry-budget\)") as raised:
        ask(url, ["a", "b"], retry_budget=0.5, note=notes.append)
    assert raised.value.status == Exit.BACKEND
    assert notes == [f"{url}: cannot be reached (Connection refused); trying again for up to 0.5 s (--retry-budget)"]


def test_a_server_that_was_never_reached_is_given_up_sooner_than_one_that_was(monkeypatch):
    monkeypatch.setattr(servers, "FIRST_BUDGET", 0.4)
    monkeypatch.setattr(servers, "RETRY_BUDGET", 1.2)
    url, notes = f"http://127.0.0.1:{unused_port()}/v1", []
    with pytest.raises(Fatal, match=r"nothing was answered for 0.4 s \(--retry-budget\); check the address"):
        ask(url, ["a"], note=notes.append)
    assert notes == [f"{url}: cannot be reached (Connection refused); trying again for up to 0.4 s (--retry-budget)"]
    with ScriptedServer(lambda call: error(503)) as busy, pytest.raises(Fatal, match=r"for 1\.2 s") as raised:
        ask(busy.url, ["a"])
    assert "start the server again" in str(raised.value)


@pytest.mark.parametrize(
    ("wait", "note", "end"),
    [
        ({}, "waiting", " (--retry-budget); ask later"),
        ({"retry-after": "0"}, "waiting", " (--retry-budget); ask later"),
        ({"retry-after": "3600"}, "it asks to wait for 60 min", ", it asks to wait for 60 min; ask later"),
        ({"retry-after-ms": "1"}, "it asks to wait for 1 s", ", it asks to wait for 1 s; ask later"),
    ],
)
def test_a_server_that_is_always_busy_ends_the_run_after_its_budget(wait, note, end):
    notes = []
    with ScriptedServer(lambda call: error(429, headers=wait)) as server, pytest.raises(Fatal, match="429") as raised:
        ask(server.url, ["a"], retry_budget=0.5, note=notes.append)
    assert raised.value.status == Exit.BACKEND
    assert [line.rpartition("; ")[2] for line in notes] == [note]
    assert f"{end}, or less at a time (--concurrency), and the same command continues" in str(raised.value)


def test_one_request_for_which_a_server_is_always_busy_is_refused_after_the_budget():
    def script(call):
        return error(503) if call.prompt == "unlucky" else Reply(body=echo(call).body, seconds=0.02)

    with ScriptedServer(script) as server:
        answers = ask(server.url, ["unlucky", *(f"p{n}" for n in range(150))], retry_budget=0.8, concurrency=2)
    assert answers.pop("unlucky").kind == "server_busy"
    assert all(isinstance(answer, Completion) for answer in answers.values())


def test_who_stops_a_run_does_not_wait_for_a_server_that_is_gone():
    requests = PromptRequests(["a"])
    engine = OpenAIEngine("tiny", [f"http://127.0.0.1:{unused_port()}/v1"], SAMPLING, retry_budget=1e6)
    for answered in engine.generate(requests):
        assert answered is None
        requests.stopping = True
    engine.close()


# -- what ends a run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "options", "words"),
    [
        (error(401, "no key"), {}, "401 Unauthorized: no key; it wants a key: .*--api-key-env"),
        (error(401, "bad key"), {"api_key": "sk-1"}, "check the key"),
        (error(403, "not yours"), {"api_key": "sk-1"}, "check the key"),
        (error(404, "no model tiny"), {}, "404 Not Found: no model tiny; the models of this server are: big, bigger"),
        (error(307, headers={"location": "http://127.0.0.1:1/v1?token=1"}), {}, r"redirects to http://127.0.0.1:1/v1;"),
        (error(429, "quota", code="insufficient_quota"), {}, "no credit"),
    ],
)  # fmt: skip
def test_what_every_request_would_meet_ends_the_run_with_its_cure(reply, options, words):
    models = {"/v1/models": Reply(body={"data": [{"id": "big"}, {"id": "bigger"}]})}
    with ScriptedServer(lambda call: reply, models) as server, pytest.raises(Fatal, match=words) as raised:
        ask(server.url, ["a", "b"], **options)
    assert raised.value.status in (Exit.USAGE, Exit.BACKEND)
    assert {call.attempt for call in server.calls} == {0}


def test_a_server_that_has_the_model_but_no_chat_may_serve_a_reward_model():
    models = {"/v1/models": Reply(body={"data": [{"id": "tiny"}]})}
    said = "404 Not Found: Not Found; it has no chat for tiny; libra judge --scalar"
    with ScriptedServer(lambda call: error(404, "Not Found"), models) as server, pytest.raises(Fatal, match=said):
        ask(server.url, ["a"])


def test_an_address_without_the_api_says_so():
    with ScriptedServer() as server, pytest.raises(Fatal, match="usually ends in /v1"):
        ask(server.url.removesuffix("/v1"), ["a"])


def test_one_refusal_among_answers_is_a_row_error_and_many_end_the_run():
    def script(call):
        return echo(call) if call.number < 5 else error(403, "moderated")

    kinds = []

    def seen(answers):
        kinds.append(type(list(answers.values())[-1]))

    with ScriptedServer(script) as server, pytest.raises(Fatal, match="moderated") as raised:
        ask(server.url, [f"p{n}" for n in range(100)], concurrency=1, seen=seen)
    assert raised.value.status == Exit.BACKEND
    assert kinds == [Completion] * 5 + [RequestError] * 9


def test_a_redirect_is_never_followed():
    with ScriptedServer() as other:
        away = error(307, headers={"location": f"{other.url}/chat/completions"})
        with ScriptedServer(lambda call: away) as server, pytest.raises(Fatal, match="redirects"):
            ask(server.url, ["a"], api_key="sk-canary")
    assert not other.paths


def test_a_host_that_nobody_knows_is_a_mistake_at_once():
    with pytest.raises(Fatal, match="no such host") as raised:
        ask("http://nobody.invalid/v1", ["a"])
    assert raised.value.status == Exit.USAGE


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "https://127.0.0.1:1/v1"])
def test_a_proxy_that_nobody_knows_is_named_without_its_password(url):
    with pytest.raises(Fatal, match=r"^--proxy http://nobody\.invalid:1: there is no such host") as raised:
        ask(url, ["a"], proxy="http://me:canary@nobody.invalid:1")
    assert raised.value.status == Exit.USAGE


def test_a_proxy_of_socks_needs_what_httpx_alone_does_not_bring(monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)
    said = r"^--proxy: socks5://127\.0\.0\.1:1 needs socksio.* pip install 'httpx\[socks\]'"
    with pytest.raises(Fatal, match=said) as raised:
        ask("http://127.0.0.1:1/v1", ["a"], proxy="socks5://me:canary@127.0.0.1:1")
    assert raised.value.status == Exit.USAGE


# -- many requests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 7])
def test_no_more_than_the_wanted_requests_are_at_work_or_taken(concurrency):
    requests = PromptRequests([f"p{n}" for n in range(50)])
    with ScriptedServer(lambda call: Reply(body=echo(call).body, seconds=0.005)) as server:
        ask(server.url, [], requests=requests, concurrency=concurrency)
    assert server.peak == concurrency
    assert requests.largest <= 2 * concurrency


CHAOS_SEED = 20250721
FAULTS = [*PASSING.values(), error(429, headers={"retry-after": "0"}), Reply(fault="silent")]


class Chaos:
    """Faults for 5% of all tries, decided by the prompt and the number of its earlier tries on any server."""

    def __init__(self, seed):
        self.seed, self.failed, self.tries = seed, 0, Counter()
        self._lock = threading.Lock()

    def __call__(self, call):
        with self._lock:
            attempt = self.tries[call.prompt]
            self.tries[call.prompt] += 1
            draw = random.Random(f"{self.seed} {call.prompt} {attempt}")
            fails = draw.random() < 0.05
            self.failed += fails
        return draw.choice(FAULTS) if fails else echo(call)


def test_every_request_is_answered_once_whatever_fails():
    print(f"faults by seed {CHAOS_SEED}")
    chaos = Chaos(CHAOS_SEED)
    prompts = [f"p{n}" for n in range(2000)]
    with ScriptedServer(chaos) as server, ScriptedServer(chaos) as other:
        answers = ask([server.url, other.url], prompts, concurrency=32, timeout=2)
    assert {prompt: getattr(answer, "text", answer) for prompt, answer in answers.items()} == {
        p: text_of(p) for p in prompts
    }
    assert chaos.failed >= 60
    assert chaos.tries.total() <= 2000 * 1.08
