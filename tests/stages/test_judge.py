"""`libra judge` from the shell, with judges behind a real socket: who is asked what, and what stopped runs lose."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from functools import partial

import pytest
from servers.scripted import Reply, ScriptedServer, error, wrote

from libra_cli.records.probes import MASTER_KEYS


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def responses(count):
    named = {"model": "policy", "sample": 0, "label": 1}
    return [
        {"id": f"p{n}", "question": f"What is {n}+{n}?", **named, "response": f"It is {2 * n}."} for n in range(count)
    ]


def pairs(count):
    return [{"question": f"{n}+{n}?", "response_a": f"right {2 * n}", "response_b": "wrong 1"} for n in range(count)]


def yes_man(_call):
    return wrote("Certainly.\n[[score=4]]")


def by_seed(call):
    """A vote that depends on nothing but the seed."""
    return wrote(f"<think>seed {call.body['seed']}</think>[[score={call.body['seed'] % 5}]]")


def slowly(call, from_call=10**9):
    """As if the server had come to a halt, nearly, at some call: a test that stops a run there has the time."""
    return Reply(body=by_seed(call).body, seconds=0.01 if call.number < from_call else 1.5)


def command(server, *more, model="j"):
    return ["libra", "judge", "--base-url", server.url, "--model", model, *more]


def test_the_gate_stops_every_master_key_before_a_judge_that_says_yes_to_all(shell):
    problems = responses(20)
    keys = [{**row, "sample": n, "response": key.text} for row in problems for n, key in enumerate(MASTER_KEYS)]
    with ScriptedServer(yes_man) as server:
        ended = shell(command(server, "--threshold", "2"), input=lines(keys))
        asked_anyway = shell(command(server, "-q", "--no-gate", "--threshold", "2"), input=lines(keys[:10]))
    rows = rows_of(ended.out)
    assert (ended.status, len(rows)) == (0, 200)
    assert {(row["score"], row["prediction"], len(row["judgments"])) for row in rows} == {(0, 0, 0)}
    assert all(row["gate"] for row in rows)
    assert b"200 rows judged, 0 unjudged, 200 non-answers; 0 votes" in ended.err
    assert [row["score"] for row in rows_of(asked_anyway.out)] == [4] * 10
    assert len(server.calls) == 10, "of those without the gate"


def test_the_probe_counts_every_key_that_a_judge_accepts(shell, tmp_path):
    with ScriptedServer(yes_man) as server:
        words = command(server, "--probe", "master-keys", "--report", "report.json")
        ended = shell(words, input=lines(responses(20)))
        gated = shell(command(server, "-q", "--probe", "master-keys", "--gate"), input=lines(responses(20)))
    rows = rows_of(ended.out)
    assert len(server.calls) == len(rows) == 200
    assert Counter(row["probe"] for row in rows) == dict.fromkeys((key.name for key in MASTER_KEYS), 20)
    assert {(row["label"], row["prediction"]) for row in rows} == {(0, 1)}
    probes = json.loads((tmp_path / "report.json").read_text())["judges"][0]["probes"]
    assert (probes["all"]["false_positives"], probes["all"]["n"], probes["all"]["rate"]) == (200, 200, 1)
    assert probes["comma"]["interval"] == pytest.approx([0.8389, 1.0], abs=1e-4)
    assert b"j: all: 200 of 200 accepted, 100.0% [98.1%, 100.0%]" in ended.err
    assert {row["prediction"] for row in rows_of(gated.out)} == {0}


def test_votes_have_seeds_of_their_own_which_no_other_judge_or_row_has(shell):
    with ScriptedServer(by_seed) as server:
        ended = shell(command(server, "--model", "other", "-k", "8"), input=lines(responses(3)))
    rows = rows_of(ended.out)
    assert [row["judge"] for row in rows] == ["j"] * 3 + ["other"] * 3, "one after another"
    seeds = [vote["seed"] for row in rows for vote in row["judgments"]]
    assert len(set(seeds)) == 48
    assert sorted(seeds) == sorted(call.body["seed"] for call in server.calls)
    assert all(vote["outcome"] == vote["seed"] % 5 for row in rows for vote in row["judgments"])
    assert all(row["score"] == pytest.approx(sum(v["outcome"] for v in row["judgments"]) / 8) for row in rows)
    assert {(call.body["temperature"], call.body["max_tokens"]) for call in server.calls} == {(0.6, 32768)}


def test_the_presets_of_a_judge_that_does_not_think(shell):
    with ScriptedServer(yes_man) as server:
        ended = shell(command(server, "--no-thinking", "-k", "2"), input=lines(responses(1)))
    assert {(call.body["temperature"], call.body["max_tokens"]) for call in server.calls} == {(0.0, 4096)}
    assert b"at temperature 0 all 2 votes on the same prompt are the same; set --temperature" in ended.err


def test_a_judge_that_likes_what_comes_first_shows_in_the_flip_rate_and_decides_nothing(shell, tmp_path):
    with ScriptedServer(lambda _call: wrote("[[A>B]]")) as server:
        ended = shell(command(server, "-k", "2", "--report", "report.json"), input=lines(pairs(5)))
    rows, report = rows_of(ended.out), json.loads((tmp_path / "report.json").read_text())["judges"][0]
    assert [(row["score"], row["prediction"]) for row in rows] == [(0, "A=B")] * 5
    assert (report["flip_rate"], report["swaps"], report["position"]["first"]) == (1, 10, 1)
    shown_first = Counter(re.search(r"right|wrong 1", call.prompt)[0] for call in server.calls)
    assert shown_first == {"right": 10, "wrong 1": 10}


def test_a_judge_that_knows_what_is_right_is_not_moved_by_the_order(shell, tmp_path):
    def knows(call):
        return wrote("[[A>>B]]" if call.prompt.index("right") < call.prompt.index("wrong 1") else "[[B>>A]]")

    with ScriptedServer(knows) as server:
        ended = shell(command(server, "--report", "report.json"), input=lines(pairs(5)))
    report = json.loads((tmp_path / "report.json").read_text())["judges"][0]
    assert [(row["score"], row["prediction"]) for row in rows_of(ended.out)] == [(2, "A>B")] * 5
    assert (report["flip_rate"], report["position"]["first"], report["position"]["second"]) == (0, 0.5, 0.5)


def test_a_vote_that_fails_is_null_and_a_row_of_which_all_fail_is_refused(shell, tmp_path):
    def fails(call):
        broken = "What is 1+1?" in call.prompt or call.body["seed"] % 2
        return error(400, "not today") if broken else yes_man(call)

    with ScriptedServer(fails) as server:
        ended = shell(command(server, "-k", "8", "--errors", "refused.jsonl"), input=lines(responses(2)))
    (row,) = rows_of(ended.out)
    outcomes = [vote["outcome"] for vote in row["judgments"]]
    assert (ended.status, row["id"], row["score"]) == (3, "p0", 4)
    assert 0 < outcomes.count(None) == sum("not today" in vote.get("error", "") for vote in row["judgments"]) < 8
    (refused,) = rows_of((tmp_path / "refused.jsonl").read_bytes())
    assert (refused["id"], refused["judge"]) == ("p1", "j")


def growing(path):
    part = path.with_name(path.name + ".part")
    return part.read_bytes().count(b"\n") if part.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_votes_after_a_stop_are_those_of_a_run_that_was_not_stopped(shell, environment, tmp_path, number):
    (tmp_path / "rows.jsonl").write_bytes(lines(responses(30)))
    with ScriptedServer(by_seed) as server:
        assert shell(command(server, "-k", "8", "-o", "whole.jsonl", "rows.jsonl")).status == 0
        server.calls = []
        more = ("-k", "8", "--concurrency", "4", "-o", "out.jsonl", "--report", "report.json", "rows.jsonl")
        words = command(server, *more)
        for enough in (3, 12):
            server.script = partial(slowly, from_call=len(server.calls) + 8 * enough)
            with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
                while growing(tmp_path / "out.jsonl") < enough:
                    assert process.poll() is None, process.stderr.read()
                    time.sleep(0.002)
                os.kill(process.pid, number)
                process.communicate(timeout=60)
            assert process.returncode == (-9 if number == signal.SIGKILL else 143)
        server.script = slowly
        ended = shell(words)
    found, whole = ((tmp_path / name).read_bytes() for name in ("out.jsonl", "whole.jsonl"))
    assert ended.status == 0, ended.err
    assert sorted(found.splitlines()) == sorted(whole.splitlines()), "the same votes, none twice and none lost"
    assert all(len({vote["seed"] for vote in row["judgments"]}) == 8 for row in rows_of(found))
    assert 240 <= len(server.calls) <= 240 + 2 * (8 + 4), "asked again is only what unfinished rows had"
    assert json.loads((tmp_path / "report.json").read_text())["judges"][0]["votes"] == 240, "of both runs"


def test_probes_continue_too(shell, tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(lines(responses(2)))
    with ScriptedServer(lambda call: yes_man(call) if call.number < 7 else error(400)) as server:
        words = command(server, "--concurrency", "1", "--probe", "master-keys", "-o", "out.jsonl", "rows.jsonl")
        first = shell(words)
        server.script = yes_man
        ended = shell(words)
    assert (first.status, ended.status) == (3, 0)
    assert len(server.calls) == 20 + 13
    rows = rows_of((tmp_path / "out.jsonl").read_bytes())
    assert len({(row["id"], row["probe"]) for row in rows}) == len(rows) == 20


def test_a_row_that_changed_is_noticed_before_a_judge_is_asked(shell, tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(lines(responses(2)))
    with ScriptedServer(yes_man) as server:
        words = command(server, "-o", "out.jsonl", "rows.jsonl")
        shell(words)
        (tmp_path / "rows.jsonl").write_bytes(lines(responses(2)).replace(b"It is 2.", b"It is 3."))
        ended = shell(words)
    assert (ended.status, len(server.calls)) == (2, 2)
    assert b"row p1 has changed since the output was begun" in ended.err


def test_nothing_is_loaded_or_asked_for_the_prompts_and_the_templates(shell):
    words = ["libra", "judge", "--model", "a", "--base-url", "http://localhost:1/v1"]
    ended = shell([*words, "--dry-run"], input=lines(pairs(1)))
    (row,) = rows_of(ended.out)
    assert (row["judge_task"], row["text"]) == ("rank", None)
    assert "right 0" in row["messages"][0]["content"]
    ended = shell([*words, "--show-template", "rate"])
    assert (ended.status, b"[[rating=" in ended.out, b"{{response}}" in ended.out) == (0, True, True)
