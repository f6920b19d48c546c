"""`libra rollout --engine openai` from a shell: secrets, exit statuses, and resuming a stopped run."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time

import pytest
from servers.scripted import Reply, ScriptedServer, echo, error, unused_port

CANARY = "sk-canary-0123456789"


def problems(count):
    rows = ({"id": f"p{n}", "question": f"What is {n}?", "reference": str(n)} for n in range(count))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def command(server, *more):
    return ["libra", "rollout", "--engine", "openai", "--base-url", server.url, "--model", "tiny", *more]


def test_rows_come_out_in_order_with_how_they_were_made(shell):
    with ScriptedServer(
        lambda call: Reply(body=echo(call).body, seconds=0.3 if "is 0?" in call.prompt else 0)
    ) as server:
        ended = shell(command(server, "-n", "2", "--max-tokens", "50"), input=problems(3))
    rows = rows_of(ended.out)
    assert ended.status == 0
    assert [(row["id"], row["sample"]) for row in rows] == [(f"p{n}", sample) for n in range(3) for sample in range(2)]
    assert all(str(row["provenance"]["sampling"]["seed"]) in row["response"] for row in rows)
    assert {row["provenance"]["engine"] for row in rows} == {"openai"}


@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_key_reaches_the_server_and_nothing_else(shell, tmp_path, way):
    key = tmp_path / "secret" / "key"
    key.parent.mkdir()
    key.write_text(CANARY + "\n")
    key.chmod(0o600)
    options = ["--api-key-env", "MY_KEY"] if way == "environment" else ["--api-key-file", str(key)]

    def script(call):
        said = call.headers.get("authorization", "nothing")
        return error(400, f"you said {said}") if "is 1?" in call.prompt else echo(call)

    files = ["-o", "out.jsonl", "--errors", "errors.jsonl", "--manifest", "manifest.json"]
    with ScriptedServer(script) as server:
        ended = shell(
            command(server, *options, *files), input=problems(3), env={"MY_KEY": CANARY} if way == "environment" else {}
        )
    assert ended.status == 3
    assert {call.headers["authorization"] for call in server.calls} == {f"Bearer {CANARY}"}
    written = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {"out.jsonl", "errors.jsonl", "manifest.json", "out.jsonl.libra.json"} <= {path.name for path in written}
    assert b"you said Bearer ***" in (tmp_path / "errors.jsonl").read_bytes()
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
    assert CANARY.encode() not in ended.out + ended.err


def test_a_key_that_the_server_refuses_is_not_shown(shell):
    with ScriptedServer(lambda call: error(401, f"wrong key {call.headers['authorization']}")) as server:
        ended = shell(command(server, "--debug"), input=problems(2), env={"OPENAI_API_KEY": CANARY})
    assert ended.status == 2
    assert b"wrong key Bearer ***; check the key" in ended.err
    assert CANARY.encode() not in ended.out + ended.err


def test_a_key_file_that_others_can_read_is_refused(shell, tmp_path):
    key = tmp_path / "key"
    key.write_text(CANARY)
    key.chmod(0o640)
    with ScriptedServer() as server:
        ended = shell(command(server, "--api-key-file", "key"), input=problems(1))
    assert (ended.status, server.calls) == (2, [])
    assert b"chmod 600 key" in ended.err
    assert stat.S_IMODE(key.stat().st_mode) == 0o640


def test_a_row_cannot_choose_the_server_the_model_or_the_key(shell):
    row = {
        "id": "p", "question": "What?", "base_url": "http://127.0.0.1:9/v1", "model": "other", "api_key": CANARY,
        "headers": {"authorization": CANARY}, "temperature": 2,
    }  # fmt: skip
    with ScriptedServer() as server:
        ended = shell(command(server), input=json.dumps(row).encode() + b"\n")
    (call,) = server.calls
    assert ended.status == 0
    assert (call.body["model"], call.body["temperature"]) == ("tiny", 0.6)
    assert CANARY not in json.dumps([call.body, call.headers])


def test_proxies_of_the_environment_are_not_used(shell):
    proxy = f"http://127.0.0.1:{unused_port()}"
    with ScriptedServer() as server:
        ended = shell(
            command(server), input=problems(1), env={"HTTP_PROXY": proxy, "ALL_PROXY": proxy, "http_proxy": proxy}
        )
    assert ended.status == 0


def test_a_proxy_that_is_asked_for_is_used(shell):
    with ScriptedServer() as server:
        proxy = f"http://127.0.0.1:{unused_port()}"
        ended = shell(command(server, "--proxy", proxy, "--retry-budget", "0.5"), input=problems(1))
    assert (ended.status, server.calls) == (6, [])


def test_a_server_that_is_not_there_ends_the_run_with_6_and_the_same_command_continues(shell, tmp_path):
    server = ScriptedServer(port=unused_port())
    words = command(server, "-o", "out.jsonl", "--retry-budget", "1")
    first = shell(words, input=problems(3))
    with server:
        second = shell(words, input=problems(3))
    assert (first.status, second.status) == (6, 0)
    assert b"check the address, or start the server, and the same command continues" in first.err
    assert len(rows_of((tmp_path / "out.jsonl").read_bytes())) == 3


def test_a_server_that_fails_every_request_ends_the_run_with_6(shell, tmp_path):
    """However few they are."""
    down = ["-o", "out.jsonl", "--retry-budget"]
    with ScriptedServer(lambda call: error(500, "out of memory")) as server:
        assert shell(command(server, *down, "3"), input=problems(2)).status == 6
    assert json.loads((tmp_path / "out.jsonl.libra.json").read_text())["status"] == "stopped"


def test_a_stopped_run_writes_what_is_in_flight_and_the_same_command_continues(shell, environment, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(problems(60))
    with ScriptedServer(lambda call: Reply(body=echo(call).body, seconds=0.2)) as server:
        words = command(server, "--concurrency", "4", "-o", "out.jsonl", "in.jsonl")
        process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        while len(server.calls) < 12:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=60)[1]
        asked = len(server.calls)
        written = rows_of((tmp_path / "out.jsonl.part").read_bytes())
        second = shell(words)
        assert process.returncode == 143, err
        assert 12 <= len(written) == asked < 60
        assert second.status == 0, second.err
        assert len(server.calls) == 60  # nothing was asked twice
    rows = rows_of((tmp_path / "out.jsonl").read_bytes())
    assert sorted(row["id"] for row in rows) == sorted(f"p{n}" for n in range(60))
    assert not os.path.exists(tmp_path / "out.jsonl.part")


def test_a_slow_input_is_answered_row_by_row(environment, tmp_path):
    with ScriptedServer() as server:
        process = subprocess.Popen(
            command(server), cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        for line in problems(3).splitlines(keepends=True):
            process.stdin.write(line)
            row = json.loads(process.stdout.readline())  # comes before the next problem is written
            assert row["id"] == json.loads(line)["id"]
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdout.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], b"--engine openai needs --base-url"),
        (["--base-url", "localhost:1"], b"--base-url localhost:1: is no address of a server"),
        (["--base-url", "http://127.0.0.1:1/v1", "--dtype", "float16"], b"--dtype is for engines that load the model"),
        (["--base-url", "http://127.0.0.1:1/v1", "--api-key-env", "NO_SUCH"], b"--api-key-env NO_SUCH: is not set"),
        (["--base-url", "http://127.0.0.1:1/v1", "--api-key-file", "none"], b"--api-key-file none: cannot be read"),
        (["--base-url", "http://127.0.0.1:1/v1", "--proxy", "nowhere"], b"--proxy: "),
        (["--base-url", "http://127.0.0.1:1/v1", "--engine-arg", "seed=1"], b"--engine-arg seed: libra sets it"),
    ],
)
def test_what_cannot_work_is_refused_at_once(shell, options, words):
    ended = shell(["libra", "rollout", "--engine", "openai", "--model", "tiny", *options], input=problems(1))
    assert ended.status == 2
    assert words in ended.err
    assert b"Traceback" not in ended.err


def test_a_chat_template_goes_to_the_server(shell, tmp_path):
    (tmp_path / "chat.jinja").write_text("{{ messages[0].content }}")
    with ScriptedServer() as server:
        ended = shell(command(server, "--chat-template", "chat.jinja", "--chat-template-arg", "x=1"), input=problems(1))
    assert ended.status == 0
    assert server.calls[0].body["chat_template"] == "{{ messages[0].content }}"
    assert server.calls[0].body["chat_template_kwargs"] == {"x": 1}


def test_a_reader_that_leaves_ends_the_run_without_a_word(shell):
    with ScriptedServer() as server:
        words = " ".join(command(server, "-q", "-"))
        ended = shell(f"set -o pipefail; {words} | head -1", input=problems(5000))
    assert (ended.status, ended.err, len(rows_of(ended.out))) == (141, b"", 1)
    assert len(server.calls) < 5000
