"""`libra models`, and stages that are given a server and no model: they take its only one."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
import urllib.request
from contextlib import suppress

import pytest
from pseudo_terminal import PseudoTerminal
from servers.scripted import Reply, ScriptedServer, echo, error, unused_port, wrote

from libra_cli import miniature

ROWS = [
    {"id": f"p{n}", "question": f"What is {n}?", "reference": r"\alpha\otimes Q", "model": "A", "sample": 0,
     "response": rf"It is \boxed{{\beta_{{{n}}}\otimes Q}}"}
    for n in range(2)
]  # fmt: skip
INPUT = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
PROBLEMS = "".join(json.dumps({"id": row["id"], "question": row["question"]}) + "\n" for row in ROWS).encode()


def listed(*entries):
    """A server's answer when it is asked for its models."""
    return {"/v1/models": Reply(body={"object": "list", "data": [dict(entry) for entry in entries]})}


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_models_of_servers_are_listed_beside_the_embedded_ones(shell):
    loaded = {"id": "base", "root": "/models/base\x1b[2J", "max_model_len": 4096, "parent": None}
    adapter = {"id": "tuned", "root": "/adapters/tuned", "parent": "base"}
    odd = {"id": "odd", "root": 7, "max_model_len": "many", "parent": []}
    with ScriptedServer(echo, listed(loaded, adapter, odd, {"name": "none"})) as server:
        ended = shell(
            ["libra", "models", "--base-url", server.url, "--base-url", f"http://127.0.0.1:{unused_port()}/v1"]
        )
    rows = rows_of(ended.out)
    assert ended.status == 6, "for the server that is not there"
    assert ended.err.count(b"\n") == 1
    assert len({tuple(row) for row in rows}) == 1, "all have the same keys"
    assert [row["server"] is None for row in rows] == [False] * 3 + [True] * 4, "what was asked for comes first"
    assert [row["model"] for row in rows if row["server"] is None] == [
        f"libra-mini/{name}" for name in ("weak", "medium", "strong", "judge")
    ]
    found = {row["model"]: (row["path"], row["max_model_len"], row["parent"]) for row in rows if row["server"]}
    assert found == {
        "base": ("/models/base[2J", 4096, None),
        "tuned": ("/adapters/tuned", None, "base"),
        "odd": (None, None, None),
    }


@pytest.mark.parametrize(("reply", "said"), [
    (error(401, "no"), "it wants a key: name its variable with --api-key-env"),
    (error(404, "lost"), "a base URL usually ends in /v1"),
    (Reply(body={"models": []}), "a base URL usually ends in /v1"),
    (Reply(body=b"<html>"), "a base URL usually ends in /v1"),
    (Reply(body={"data": []}), "has no model loaded"),
    (Reply(302, {}, {"location": "http://elsewhere/"}), "redirects to http://elsewhere/"),
    (error(503, "loading"), "503 Service Unavailable: loading"),
])  # fmt: skip
def test_a_server_that_lists_nothing_is_named_in_one_line(shell, reply, said):
    with ScriptedServer(echo, {"/v1/models": reply}) as server:
        ended = shell(["libra", "models", "--base-url", server.url])
    assert ended.status in (2, 6)
    assert len(rows_of(ended.out)) == 4
    assert ended.err.count(b"\n") == 1
    assert server.url in ended.err.decode()
    assert said in ended.err.decode()


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_terminal_gets_tables_that_fit(environment, tmp_path, columns):
    with ScriptedServer(echo, listed({"id": "tiny", "root": "/models/tiny", "max_model_len": 4096})) as server:
        words = ["libra", "models", "--base-url", server.url]
        with PseudoTerminal(words, tmp_path, environment, (columns, 100)) as terminal:
            assert terminal.end() == 0
            shown = terminal.text
        with PseudoTerminal(words[:2], tmp_path, environment, (columns, 100)) as terminal:
            assert terminal.end() == 0
            alone = terminal.text
    assert shown.startswith("model of"), "what was asked for comes first"
    assert "libra-mini/judge" in shown
    assert "480,384" in shown
    assert "4,096" in shown
    assert ["api_server" in text.replace("\n", "") for text in (shown, alone)] == [False, True]
    folder = str(miniature.resolve("libra-mini/judge"))
    shown_lines = [line.split("  ")[-1].strip() for line in shown.splitlines()]
    assert folder in shown_lines or len(folder) > columns - 2  # then the terminal breaks the line, and copies it whole
    assert folder in shown.replace("\n", "")


@pytest.mark.parametrize(("words", "rows", "name"), [
    (["rollout"], PROBLEMS, lambda row: row["model"]),
    (["judge"], INPUT, lambda row: row["judge"]),
    (["verify"], INPUT, lambda row: row["verification"]["votes"][-1]["annotator"]),
])  # fmt: skip
def test_the_only_model_of_a_server_needs_no_name(shell, words, rows, name):
    with ScriptedServer(lambda call: wrote("[[Correct]] [[score=4]]")) as server:
        ended = shell(["libra", *words, "--base-url", server.url], input=rows)
    assert ended.status == 0, ended.err
    assert {name(row) for row in rows_of(ended.out)} == {"tiny"}
    assert {call.body["model"] for call in server.calls} == {"tiny"}
    assert ended.err.decode().count(f"{server.url} has one model: tiny\n") == 1


@pytest.mark.parametrize(("words", "flag"), [(["rollout"], "model"), (["judge"], "model"), (["verify"], "annotator")])
def test_of_several_models_one_has_to_be_named(shell, words, flag):
    with ScriptedServer(echo, listed(*({"id": f"m{n}"} for n in range(12)))) as server:
        ended = shell(["libra", *words, "--base-url", server.url], input=INPUT)
    assert (ended.status, ended.out, server.calls) == (2, b"", [])
    names = ", ".join(f"m{n}" for n in range(10))
    assert f"has several models; name one with --{flag}: {names} and 2 more (libra models lists them)" in str(ended.err)


def test_servers_that_share_the_work_need_a_model_in_common(shell):
    one, other = listed({"id": "a"}, {"id": "b"}), listed({"id": "b"}, {"id": "c"})
    with ScriptedServer(echo, one) as first, ScriptedServer(echo, other) as second:
        ended = shell(["libra", "rollout", "--base-url", first.url, "--base-url", second.url], input=PROBLEMS)
        assert {row["model"] for row in rows_of(ended.out)} == {"b"}
        second.routes.update(listed({"id": "c"}))
        ended = shell(["libra", "rollout", "--base-url", first.url, "--base-url", second.url], input=PROBLEMS)
    assert ended.status == 2
    assert f"no model in common: {first.url} has a, b; {second.url} has c" in ended.err.decode()


def test_a_server_that_is_starting_is_waited_for(environment, tmp_path):
    (tmp_path / "problems.jsonl").write_bytes(PROBLEMS)
    server = ScriptedServer(echo, port=unused_port())
    words = ["libra", "rollout", "--base-url", server.url, "problems.jsonl"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"asking again which models it has" in process.stderr.readline()
    with server:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert {row["model"] for row in rows_of(out)} == {"tiny"}


def test_ctrl_c_ends_the_wait_at_once(environment, tmp_path):
    (tmp_path / "problems.jsonl").write_bytes(PROBLEMS)
    words = ["libra", "rollout", "--base-url", f"http://127.0.0.1:{unused_port()}/v1", "problems.jsonl"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.stderr.read().decode()
    assert process.wait(10) == 130
    assert time.monotonic() - begin < 20  # the wait is a minute
    assert "0 in = 0 out" in said


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.xdist_group("vllm server")
def test_the_line_that_serves_a_model_serves_it(shell, environment, tmp_path):
    pytest.importorskip("vllm")
    [line] = [row["serve"] for row in rows_of(shell(["libra", "models"]).out) if row["model"] == "libra-mini/strong"]
    port = unused_port()
    url = f"http://127.0.0.1:{port}/v1"
    with (tmp_path / "log").open("wb") as log:
        words = [*shlex.split(line), "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(1200):
            with suppress(OSError), urllib.request.urlopen(f"{url}/models", timeout=5):
                break
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            time.sleep(0.2)
        ended = shell(["libra", "rollout", "--base-url", url, "-n", "2", "--max-tokens", "64"], input=PROBLEMS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert [row["model"] for row in rows_of(ended.out)] == ["libra-mini/strong"] * 4
