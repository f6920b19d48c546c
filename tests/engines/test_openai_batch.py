"""`--batch-out` and `--batch-in`: requests in a file, a provider that answers them, and the rows of a server."""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from servers.scripted import Call, Reply, ScriptedServer, echo, error, wrote

from libra_cli.engines.base import Pending, Request, RequestList, Sampling
from libra_cli.engines.openai.batch import MOST_REQUESTS, BatchFormat
from libra_cli.exits import Exit, Fatal
from libra_cli.sampling import batches
from libra_cli.tasks.thinking import DEFAULT

SAMPLES = 3


def answer(call: Call) -> Reply:
    """What a server says about problem N: a text, with thinking, cut short, without any text, or an error."""
    number = int(call.prompt.split()[2].rstrip("?"))
    if number == 1:
        return wrote(f"It is {call.body['seed']}.", reasoning_content="One and one.")
    if number == 2:
        return wrote("It goes on", "length")
    if number == 3:
        return wrote(None)
    if number == 4:
        return error(400, "This model's maximum context length is 10 tokens. You sent 20 tokens.")
    return echo(call)


def problems(count: int = 6) -> bytes:
    rows = ({"id": f"p{n}", "question": f"What is {n}?", "reference": str(n), "more": [n]} for n in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def provide(folder: Path, server: ScriptedServer, requests: str = "requests.jsonl") -> list[str]:
    """A provider of batches: sends each request to the server, and writes output and errors in any order."""
    results: dict[str, list[dict[str, Any]]] = {"output": [], "errors": []}
    for number, line in enumerate(lines_of(folder / requests)):
        assert line.keys() == {"custom_id", "method", "url", "body"}
        asked = urllib.request.Request(
            server.url.removesuffix("/v1") + line["url"],
            json.dumps(line["body"]).encode(),
            {"content-type": "application/json"},
            method=line["method"],
        )
        try:
            with urllib.request.urlopen(asked) as reply:
                status, body = reply.status, json.load(reply)
        except urllib.error.HTTPError as failed:
            status, body = failed.code, json.load(failed)
        response = {"status_code": status, "request_id": f"req-{number}", "body": body}
        result = {"id": f"batch_req_{number}", "custom_id": line["custom_id"], "response": response, "error": None}
        results["output" if status == 200 else "errors"].append(result)
    for name, found in results.items():
        random.Random(0).shuffle(found)
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(result) + "\n" for result in found))
    return ["--batch-in", "output.jsonl", "--batch-in", "errors.jsonl"]


def reasons(path: Path) -> list[tuple[str, str, str]]:
    return [(line["class"], line["place"], json.dumps(line.get("names"))) for line in lines_of(path)]


def test_a_batch_gives_the_rows_of_a_server_whatever_the_order(shell, tmp_path):
    (tmp_path / "problems.jsonl").write_bytes(problems())
    rollout = ["libra", "rollout", "--model", "tiny", "-n", str(SAMPLES), "problems.jsonl"]
    with ScriptedServer(answer) as server:
        live = shell([*rollout, "--base-url", server.url, "--errors", "live.jsonl"])
        written = shell([*rollout, "--batch-out", "requests.jsonl"])
        results = provide(tmp_path, server)
    batch = shell([*rollout, *results, "--errors", "batch.jsonl"])
    assert (written.status, written.out) == (0, b"")
    assert b"18 filtered (asked_in_batch 18)" in written.err
    assert len({line["custom_id"] for line in lines_of(tmp_path / "requests.jsonl")}) == 6 * SAMPLES
    assert (batch.status, live.status) == (3, 3)
    assert batch.out == live.out
    assert len(batch.out.splitlines()) == 4 * SAMPLES
    assert reasons(tmp_path / "batch.jsonl") == reasons(tmp_path / "live.jsonl")
    assert {line["class"] for line in lines_of(tmp_path / "batch.jsonl")} == {"no_content", "prompt_too_long"}


def test_a_batch_is_cut_at_a_stop_text_as_a_server_is(shell, tmp_path):
    rollout = ["libra", "rollout", "--model", "tiny", "--stop", "END", "problems.jsonl"]
    (tmp_path / "problems.jsonl").write_bytes(problems(2))
    with ScriptedServer(lambda call: wrote(f"It is {call.prompt[8]}.END and more")) as server:
        live = shell([*rollout, "--base-url", server.url])
        shell([*rollout, "--batch-out", "requests.jsonl"])
        batch = shell([*rollout, *provide(tmp_path, server)[:2]])
    assert batch.out == live.out
    assert [json.loads(row)["response"] for row in batch.out.splitlines()] == ["It is 0.", "It is 1."]
    assert all(ended.err.count(b"answers go on after the text of --stop, and are cut there") == 1
               for ended in (live, batch))  # fmt: skip


def test_each_row_names_the_version_of_the_model_that_answered_it(shell, tmp_path):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(4))
    versions = [None, "tiny-2025", "tiny", "tiny-2026"]
    bodies = [{**wrote("fine").body, "model": version} for version in versions]
    lines = lines_of(tmp_path / "requests.jsonl")
    results = [result(line, {"status_code": 200, "body": body}) for line, body in zip(lines, bodies, strict=True)]
    (tmp_path / "results.json").write_text(json.dumps(results))
    ended = shell([*rollout, "--batch-in", "results.json"], input=problems(4))
    revisions = [json.loads(row)["provenance"]["revision"] for row in ended.out.splitlines()]
    assert revisions == [None, "tiny-2025", None, "tiny-2026"]


def test_a_judge_asks_a_batch_for_all_of_its_votes(shell, tmp_path):
    pairs = [{"question": f"{n}?", "response_a": "a", "response_b": "b", "preference": "A>B"} for n in range(3)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    judge = ["libra", "judge", "--model", "tiny", "-k", "2", "--temperature", "1", "pairs.jsonl"]
    with ScriptedServer(lambda call: wrote(f"{call.body['seed']} [[{'AB'[call.body['seed'] % 2]}>B]]")) as server:
        live = shell([*judge, "--base-url", server.url])
        assert shell([*judge, "--batch-out", "requests.jsonl"]).out == b""
        results = provide(tmp_path, server)
    batch = shell([*judge, *results])
    assert len(lines_of(tmp_path / "requests.jsonl")) == 3 * 2 * 2
    assert live.status == batch.status == 0
    assert batch.out == live.out


def result(line: dict[str, Any], response: Any, problem: Any = None) -> dict[str, Any]:
    return {"id": "x", "custom_id": line["custom_id"], "response": response, "error": problem}


@pytest.mark.parametrize("bad", [{"error": {"message": "overloaded"}}, wrote(None).body, {"choices": []}, "oops"])
@pytest.mark.parametrize("first", [True, False])
def test_an_answer_counts_before_what_is_none_under_the_status_200(shell, tmp_path, bad, first):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(1))
    [line] = lines_of(tmp_path / "requests.jsonl")
    bodies = [bad, wrote("fine").body] if first else [wrote("fine").body, bad]
    results = [result(line, {"status_code": 200, "body": body}) for body in bodies]
    (tmp_path / "results.json").write_text(json.dumps(results))
    ended = shell([*rollout, "--batch-in", "results.json"], input=problems(1))
    assert (ended.status, json.loads(ended.out)["response"]) == (0, "fine")


def test_results_of_other_requests_are_counted(shell, tmp_path):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(1))
    [line] = lines_of(tmp_path / "requests.jsonl")
    own = result(line, {"status_code": 200, "body": wrote("fine").body})
    (tmp_path / "results.json").write_text(json.dumps([own, {**own, "custom_id": "another"}]))
    ended = shell([*rollout, "--batch-in", "results.json"], input=problems(1))
    assert (ended.status, json.loads(ended.out)["response"]) == (0, "fine")
    assert b"answer none of these requests: 1\n" in ended.err


@pytest.mark.parametrize(("reason", "told", "why"), [("stop", True, "in_thinking"), ("length", False, "truncated")])
def test_whole_answers_that_come_as_reasoning_are_told_of(shell, tmp_path, reason, told, why):
    for stage in (["rollout"], ["judge", "--task", "score"]):
        line = ["libra", *stage, "--model", "tiny"]
        row = {"id": "p", "question": "What is 4?", "reference": "4", "response": "It is 4.", "label": 1}
        shell([*line, "--batch-out", "requests.jsonl"], input=json.dumps(row).encode())
        [asked_for] = lines_of(tmp_path / "requests.jsonl")
        body = wrote(None, reason, reasoning_content="It is 4.").body
        (tmp_path / "results.json").write_text(json.dumps([result(asked_for, {"status_code": 200, "body": body})]))
        ended = shell([*line, "--batch-in", "results.json"], input=json.dumps(row).encode())
        assert (b"without a reasoning parser" in ended.err) is told, ended.err
        if stage == ["rollout"]:
            labelled = json.loads(shell(["libra", "verify"], input=ended.out).out)
            assert (labelled["label"], labelled["verification"]["reason"]) == (None, why)
        (tmp_path / "requests.jsonl").unlink()


def test_a_second_answer_to_a_request_does_not_count_and_is_noted(shell, tmp_path):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(1))
    [line] = lines_of(tmp_path / "requests.jsonl")
    first, second = (result(line, {"status_code": 200, "body": wrote(text).body}) for text in ("fine", "finer"))
    for results, is_said in (([first, second, second], True), ([first, {**first, "id": "y"}], False)):
        (tmp_path / "results.json").write_text(json.dumps(results))
        ended = shell([*rollout, "--batch-in", "results.json"], input=problems(1))
        assert (ended.status, json.loads(ended.out)["response"]) == (0, "fine")
        assert (b"1 request has another answer in a later line of the files; the first counts" in ended.err) is is_said


def test_what_failed_is_asked_again_and_joins_the_rest(shell, tmp_path):
    (tmp_path / "problems.jsonl").write_bytes(problems())
    rollout = ["libra", "rollout", "--model", "tiny", "problems.jsonl", "-o", "out.jsonl"]
    shell([*rollout, "--batch-out", "requests.jsonl"])
    good, *bad = lines_of(tmp_path / "requests.jsonl")
    expired = {"code": "batch_expired", "message": "This request could not be executed in time."}
    refused = {"error": {"message": "Unsupported parameter: 'seed' is not supported.", "param": "seed"}}
    results = [
        result(good, {"status_code": 500, "body": {"error": {"message": "oops"}}}),
        result(good, {"status_code": 200, "body": wrote("fine").body}),
        result(good, None, expired),
        result(bad[0], None, expired),
        result(bad[1], {"status_code": 400, "body": refused}),
        result(bad[2], {"status_code": 0, "request_id": "", "body": {}}),  # as OpenAI writes what it never answered
        result(bad[3], {"status_code": 200, "body": {"choices": []}}),
    ]
    (tmp_path / "results.json").write_text(json.dumps(results, indent=1))
    first = shell([*rollout, "--batch-in", "results.json", "--errors", "errors.jsonl"])
    assert first.status == 3
    found = {line["place"][-1]: (line["class"], line["reason"]) for line in lines_of(tmp_path / "errors.jsonl")}
    assert {place: kind for place, (kind, _) in found.items()} == {
        "2": "timeout", "3": "bad_request", "4": "server_error", "5": "server_error", "6": "no_result",
    }  # fmt: skip
    assert "--engine-arg seed=null leaves it out" in found["3"][1]
    assert "ask it again" in found["4"][1]
    shell([*rollout, "--batch-out", "again.jsonl"])
    assert [line["custom_id"] for line in lines_of(tmp_path / "again.jsonl")] == [line["custom_id"] for line in bad]
    with ScriptedServer(lambda _call: wrote("late")) as server:
        results = provide(tmp_path, server, "again.jsonl")
    assert shell([*rollout, *results]).status == 0
    assert {row["id"]: row["response"] for row in lines_of(tmp_path / "out.jsonl")} == {
        "p0": "fine", **{f"p{n}": "late" for n in range(1, 6)},
    }  # fmt: skip


@pytest.mark.parametrize("change", [["--temperature", "0.1"], ["--seed", "1"], ["--system", "Be brief."]])
def test_results_of_other_requests_are_one_error(shell, tmp_path, change):
    (tmp_path / "problems.jsonl").write_bytes(problems())
    rollout = ["libra", "rollout", "--model", "tiny", "problems.jsonl"]
    shell([*rollout, "--batch-out", "requests.jsonl"])
    with ScriptedServer(lambda _call: wrote("x")) as server:
        results = provide(tmp_path, server)
    ended = shell([*rollout, *change, *results])
    assert (ended.status, ended.out) == (Exit.USAGE, b"")
    assert b"answers none of 6 requests; give the input, model and options that wrote the requests" in ended.err


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ([], {"max_completion_tokens": 32768, "temperature": 0.6, "top_p": 1.0}),
        (["--max-tokens", "7", "--engine-arg", "max_completion_tokens=null"], {"max_tokens": 7}),
        (["--engine-arg", "max_tokens=null", "--engine-arg", "stream=true"], {"temperature": 0.6}),
        (["--engine-arg", "temperature=null", "--engine-arg", "top_p=null", "--engine-arg", "seed=null"], {}),
        (["--no-thinking", "--engine-arg", "reasoning_effort=low"], {"temperature": 0, "reasoning_effort": "low"}),
    ],
)
def test_the_options_decide_what_a_request_says(shell, tmp_path, options, body):
    ended = shell(["libra", "rollout", "--model", "tiny", "--batch-out", "requests.jsonl", *options], input=problems(1))
    assert ended.status == 0
    [line] = lines_of(tmp_path / "requests.jsonl")
    assert line["body"].items() >= {"model": "tiny", **body}.items()
    unset = {option.removesuffix("=null") for option in options if option.endswith("=null")}
    assert not line["body"].keys() & {*unset, "stream"}
    assert len(line["body"].keys() & {"max_tokens", "max_completion_tokens"}) == int("max_tokens" not in unset)


@pytest.mark.parametrize(
    "options",
    [
        ["--batch-in", "results.jsonl"],
        ["--base-url", "http://localhost:1/v1"],
        ["--model", "second"],
        ["--dtype", "bf16"],
        ["--engine", "vllm"],
    ],
)
def test_options_that_a_batch_has_no_use_for_are_refused(shell, tmp_path, options):
    (tmp_path / "results.jsonl").touch()
    ended = shell(["libra", "rollout", "--model", "tiny", "--batch-out", "r.jsonl", *options], input=problems(1))
    assert ended.status == Exit.USAGE
    assert not (tmp_path / "r.jsonl").exists()


def test_a_file_of_no_results_is_named(shell, tmp_path):
    (tmp_path / "requests.jsonl").write_bytes(problems(1))
    ended = shell(["libra", "rollout", "--model", "tiny", "--batch-in", "requests.jsonl"], input=problems(2))
    assert ended.status == Exit.USAGE
    assert b'requests.jsonl:1: no result of a batch ("custom_id", "response"); name the output and error' in ended.err


def write_batch(path: Path, requests: list[Request]) -> list[Any]:
    form = BatchFormat("tiny", Sampling(1.0, 1.0, 9), {}, {}, (), DEFAULT)
    engine = batches.BatchRequests(form, str(path), lambda _line: None)
    return list(engine.generate(RequestList([Pending(request) for request in requests])))


def asked(number: int) -> Request:
    return Request([{"role": "user", "content": "?"}], number, f"p{number}", 0)


def test_a_file_with_more_than_a_batch_may_have_is_refused_with_the_number_of_shards(tmp_path):
    with pytest.raises(Fatal, match=r"50,001 requests .*write 2 files, with --shard 0/2 to 1/2") as raised:
        write_batch(tmp_path / "requests.jsonl", [asked(number) for number in range(MOST_REQUESTS + 1)])
    assert raised.value.status == Exit.USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_too_many_bytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "MOST_BYTES", 1000)
    with pytest.raises(Fatal, match=r"write 3 files, with --shard 0/3 to 2/3"):
        write_batch(tmp_path / "requests.jsonl", [asked(number) for number in range(12)])


def test_equal_requests_are_asked_once(tmp_path):
    assert len(write_batch(tmp_path / "requests.jsonl", [asked(1), asked(1), asked(2)])) == 3
    assert len(lines_of(tmp_path / "requests.jsonl")) == 2


@pytest.mark.parametrize("line", ["half", "cut"])
def test_a_damaged_result_is_told_with_its_line_and_gives_way_to_a_whole_one(shell, tmp_path, line):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(1))
    [asked_for] = lines_of(tmp_path / "requests.jsonl")
    whole = json.dumps(result(asked_for, {"status_code": 200, "body": wrote("X, and fine").body}))
    damaged = {"half": whole.replace("X", "\\ud835"), "cut": whole[:-2]}[line]
    for lines, text in (([damaged], {"half": "\ufffd, and fine"}.get(line)), ([damaged, whole], "X, and fine")):
        (tmp_path / "results.jsonl").write_text("".join(one + "\n" for one in lines))
        ended = shell([*rollout, "--batch-in", "results.jsonl"], input=problems(1))
        if text is None:
            assert (ended.status, ended.out) == (3, b"")
            assert b"its result cannot be read: results.jsonl:1: not JSON" in ended.err
        elif not (line == "half" and len(lines) == 2):  # both are answers, of which the first counts
            assert (ended.status, json.loads(ended.out)["response"]) == (0, text)


def test_half_a_pair_in_every_result_costs_none(shell, tmp_path):
    rollout = ["libra", "rollout", "--model", "tiny"]
    shell([*rollout, "--batch-out", "requests.jsonl"], input=problems(4))
    answers = [
        json.dumps(result(line, {"status_code": 200, "body": wrote("\ud835 is it").body}))
        for line in lines_of(tmp_path / "requests.jsonl")
    ]
    (tmp_path / "results.jsonl").write_text("".join(one + "\n" for one in answers))
    ended = shell([*rollout, "--batch-in", "results.jsonl"], input=problems(4))
    assert (ended.status, [json.loads(row)["response"] for row in ended.out.splitlines()]) == (0, ["\ufffd is it"] * 4)
