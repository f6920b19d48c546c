"""The key of a server leaves the client in no spelling, wherever the server echoes it."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import replace
from urllib.parse import quote, unquote

import pytest
from servers.attacked import REWARD, ROLLOUT, STAGES, ServerStage, chat, check
from servers.hostile import DONE, Attack, changed, packed, raw
from servers.scripted import Reply, error

from libra_cli.engines.openai.redaction import Redactor, secrets_in

KEY = "sk-proj/canary_0123.4567+89"


def by_character(form):
    return lambda text: "".join(form.format(char, ord(char)) for char in text)


SPELLINGS = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "u": by_character("\\u{1:04x}"), "U": by_character("\\u{1:04X}"), "braces": by_character("\\u{{{1:x}}}"),
    "long u": by_character("\\U{1:08x}"), "x": by_character("\\x{1:02x}"), "octal": by_character("\\{1:03o}"),
    "backslashes": by_character("\\{0}"), "quote": lambda text: quote(text, safe=""),
    "percent": by_character("%{1:02x}"), "PERCENT": by_character("%{1:02X}"), "html": html.escape,
    "decimal": by_character("&#{1};"),
    "hex": by_character("&#x{1:x};"), "HEX": by_character("&#X000{1:X};"),
    "names": lambda text: text.replace("/", "&sol;").replace("_", "&lowbar;").replace(".", "&period;"),
    "every other": lambda text: "".join(f"\\u{ord(char):04x}" if n % 2 else char for n, char in enumerate(text)),
    "hexadecimal": lambda text: text.encode().hex(), "HEXADECIMAL": lambda text: text.encode().hex().upper(),
    **{
        f"base64 {before}": lambda text, before=before: base64.b64encode(f"{before}{text}!".encode()).decode()
        for before in ("", "u", "me", "Bearer ")
    },
    "base64 url": lambda text: base64.urlsafe_b64encode(f"me:{text}".encode()).decode(),
}  # fmt: skip
NESTED = [("JSON", "JSON"), ("percent", "JSON"), ("JSON", "percent"), ("html", "u"), ("decimal", "html"), ("u", "hex"),
          ("PERCENT", "percent"), ("JSON", "base64 me"), ("quote", "base64 "), ("percent", "HEX")]  # fmt: skip
SPELLED = {
    **{name: spell(KEY) for name, spell in SPELLINGS.items()},
    **{f"{outer} of {inner}": SPELLINGS[outer](SPELLINGS[inner](KEY)) for outer, inner in NESTED},
}


def traces(data: bytes) -> list[str]:
    """Where a part of the key can be read in `data`, in ways that are not those of the library."""
    texts = {data.decode("utf-8", "replace"): "plain"}
    for _ in range(3):
        for text, name in list(texts.items()):
            for how, decode in DECODERS.items():
                texts.setdefault(decode(text), f"{name}, {how}")
    runs = {run for text in texts for run in re.findall(r"[0-9A-Za-z+/_-]{16,}", text)}
    for run in runs:
        found = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            part = found[start : start + (len(found) - start) // 4 * 4]
            texts[base64.b64decode(part).decode("latin-1")] = f"base64 of {run}"
        if re.fullmatch("[0-9A-Fa-f]+", run):
            texts[bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")] = f"hex of {run}"
    return [
        f"{name}: {text[max(0, text.find('canary') - 50) :][:99]}" for text, name in texts.items() if "canary" in text
    ]


DECODERS = {
    "backslashes": lambda text: re.sub(r"\\+(?=.)", "", text),
    "escapes": lambda text: re.sub(
        r"\\+(?:u\{?0*|U0*|x)([0-9a-fA-F]{2})\}?|\\+([0-7]{3})",
        lambda match: chr(int(match[1], 16) if match[1] else int(match[2], 8) % 256), text,
    ),
    "percent": unquote,
    "html": html.unescape,
}  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLED)
def test_a_trace_of_the_key_is_seen(spelled):
    assert traces(f"before {SPELLED[spelled]} after".encode())


def in_json(text, status=400):
    """A message that is escaped in JSON by hand."""
    return Reply(status, b'{"error":{"message":"not ' + text.encode() + b' here"}}')


def echoes(stage: ServerStage) -> dict[str, Attack]:
    """Answers that hold the key, in each spelling and in each place of an answer."""
    found = {f"error {name}": Attack(error(400, f"not {text} here"), "bad_request") for name, text in SPELLED.items()}
    for name in ("JSON", "u", "U", "every other"):
        found[f"JSON's own {name}"] = Attack(in_json(SPELLED[name]), "bad_request")
    found["text"] = Attack(Reply(400, f"<p>not {KEY} here".encode()), "bad_request")
    found["UTF-16"] = Attack(Reply(400, f"<p>not {KEY} here".encode("utf-16")), "bad_request")
    found["cut"] = Attack(error(400, "x" * (500 - len("400 Bad Request: ") - 9) + KEY), "bad_request")
    found["cut after blanks"] = Attack(error(400, "x" * 90 + " " * 5000 + KEY * 20), "bad_request")
    found["a code"] = Attack(error(400, "no", code=KEY, type=KEY), "bad_request")
    found["an object"] = Attack(error(422, {"detail": [{"input": KEY}]}), "bad_request")
    found["status line"] = Attack(Reply(raw=lambda: iter([f"HTTP/1.1 2000 {KEY}\r\n\r\n".encode()])), "server_error")
    found["no HTTP"] = Attack(Reply(raw=lambda: iter([f"{KEY} {SPELLED['u']}\r\n\r\n".encode()])), "server_error")
    found["header"] = Attack(Reply(raw=lambda: iter([f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode()])), "server_error")
    found["reason"] = Attack(raw(f"400 {KEY}\r\ncontent-length: 0\r\nwarning: {KEY}", lambda: iter([])), "bad_request")
    found["coding"] = Attack(packed(KEY, b"{}"), "bad_response")
    found["model"] = Attack(Reply(body=changed(stage.honest, "model", to=f"m {KEY}")), DONE)
    found["an error that is none"] = Attack(Reply(body={"error": {"message": f"not {KEY}"}}), "server_error")
    if stage is not REWARD:
        for name, text in SPELLED.items():
            reply = changed(stage.honest, "choices", 0, "message", "content", to=f"{text} and [[score=4]]")
            found[f"content {name}"] = Attack(Reply(body=reply), DONE)
            reply = changed(stage.honest, "choices", 0, "message", "reasoning", to=f"so {text}")
            found[f"thinking {name}"] = Attack(Reply(body=reply), DONE)
        found["finish_reason"] = Attack(Reply(body=changed(stage.honest, "choices", 0, "finish_reason", to=KEY)), DONE)
    return found


def written(tmp_path, ended) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    return {**files, "stdout": ended.out, "stderr": ended.err}


@STAGES
def test_the_key_leaves_in_no_spelling(shell, tmp_path, stage):
    attacks = echoes(stage)
    facts = {"version": f"0.99 {SPELLED['u']}", "tokens": [1], "prompt": f"<think> {KEY}"}
    routes = dict.fromkeys(("/version", "/tokenize", "/detokenize"), Reply(body=facts))
    options = ["--debug", "--manifest", "manifest.json"]
    ended = stage.run(shell, attacks, *options, routes=routes, env={"OPENAI_API_KEY": KEY}, query="?key=canary")
    check(ended, tmp_path, attacks)
    files = written(tmp_path, ended)
    assert {"errors.jsonl", "manifest.json", "stdout", "stderr"} <= files.keys()
    assert {name: traces(data) for name, data in files.items() if traces(data)} == {}
    assert b"400 Bad Request: not *** here" in files["errors.jsonl"]
    assert b"0.99 ***" in ended.out


def test_a_secret_in_the_address_leaves_no_more_than_the_key(shell, tmp_path):
    query = f"?api-version=2024-10-21&api-key={quote(KEY, safe='')}"
    said = f"POST /v1/chat/completions{query} {SPELLED['plain']} {SPELLED['base64 me']} of version 2024-10-21"
    attacks = {
        "error": Attack(error(422, said), "bad_request"),
        "text": Attack(Reply(body=changed(ROLLOUT.honest, "choices", 0, "message", "content", to=said)), DONE),
        "thinking": Attack(Reply(body=changed(ROLLOUT.honest, "choices", 0, "message", "reasoning", to=said)), DONE),
    }
    ended = ROLLOUT.run(shell, attacks, "--manifest", "manifest.json", query=query)
    check(ended, tmp_path, attacks)
    files = written(tmp_path, ended)
    assert {name: traces(data) for name, data in files.items() if traces(data)} == {}
    assert b"api-version=2024-10-21&api-key=*** ***" in files["errors.jsonl"]
    assert b"of version 2024-10-21" in ended.out


def test_the_password_of_a_proxy_is_not_shown_where_it_is_echoed():
    secrets = secrets_in(
        ["http://me:canary%2F0123@127.0.0.1:1", "http://[bad", "http://h/v1?sig=canary456&x=canary789"]
    )
    redact = Redactor(secrets)
    told = base64.b64encode(b"me:canary/0123").decode()
    assert traces(redact(f"407 {told} canary/0123 canary%2F0123 canary456").encode()) == []
    assert redact("canary789") == "canary789"


@pytest.mark.parametrize(
    "name",
    ["u", *(pytest.param(name, marks=pytest.mark.slow) for name in ("plain", "quote", "base64 me", "percent of JSON"))],
)
@pytest.mark.parametrize("how", ["key", "redirect", "quota", "models"])
def test_the_key_is_not_in_what_ends_a_run(shell, tmp_path, name, how):
    text = SPELLED[name]
    replies = {
        "key": error(401, f"wrong key {text}"), "quota": error(429, f"of {text}", code="insufficient_quota"),
        "redirect": error(307, "away", {"location": f"http://127.0.0.1:1/{text}/v1?key={text}"}),
        "models": error(404, "no such model"),
    }  # fmt: skip
    models = {"/v1/models": Reply(body={"data": [{"id": f"first {text}"}, {"id": "x" * 180 + text}]})}
    attacks = {"attack": Attack(replies[how], None)}
    options = ["--concurrency", "1", "--debug", "-o", "out.jsonl"]  # one after the other: the attack is answered first
    ended = ROLLOUT.run(shell, attacks, *options, routes=models, env={"OPENAI_API_KEY": KEY})
    assert ended.status in (2, 6)
    assert b"***" in ended.err
    assert {file: traces(data) for file, data in written(tmp_path, ended).items() if traces(data)} == {}


@pytest.mark.parametrize("proxy", ["me:canary@host:80", "http://me:canary@host:x", "http://me:canary@127.0.0.1:1"])
def test_the_password_of_a_proxy_is_not_shown(shell, tmp_path, proxy):
    options = ["--proxy", proxy, "--retry-budget", "1", "-o", "out.jsonl", "--manifest", "m.json"]
    ended = ROLLOUT.run(shell, {}, *options, query="?key=canary")
    assert ended.status == (6 if proxy.endswith(":1") else 2)
    assert {name for name, data in written(tmp_path, ended).items() if b"canary" in data} == set()


@pytest.mark.parametrize("key", ["x", "EMPTY", "none"])
def test_a_key_that_is_no_secret_changes_no_response(shell, tmp_path, key):
    text = f"Let max x be 2: {key} {key}{key}. It is \\boxed{{4}}."
    stage = replace(ROLLOUT, honest=chat(text))
    attacks = {"error": Attack(error(400, f"max {key}"), "bad_request")}
    ended = stage.run(shell, attacks, env={"OPENAI_API_KEY": key})
    check(ended, tmp_path, attacks)
    assert json.loads(ended.out)["response"] == text
    assert b"max ***" in (tmp_path / "errors.jsonl").read_bytes()
