"""`libra rollout` from the shell: seeds, resuming, several models, and the same rows from every engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import orjson
import pytest
from pseudo_terminal import PseudoTerminal

from libra_cli.engines.base import Completion
from libra_cli.sampling.response_fields import response_fields
from libra_cli.stages.rollout.run import UniqueIds
from libra_cli.stream.rows import Filtered, Row, RowError

QUESTIONS = [f"Working left to right modulo 1000, what is {n}-{n % 90 + 9}*6?" for n in range(100, 112)]


def lines(data: bytes) -> list[dict]:
    return [orjson.loads(line) for line in data.splitlines()]


def key(row: dict) -> tuple[str, str, int]:
    return row["id"], row["model"], row["sample"]


@pytest.fixture
def problems(tmp_path) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_bytes(b"".join(orjson.dumps({"index": n, "question": q}) + b"\n" for n, q in enumerate(QUESTIONS)))
    return path


@pytest.fixture
def recording(tmp_path) -> Path:
    """Eight recorded samples of two models for every problem."""
    rows = [
        {
            "question": question,
            "model": model,
            "sample": sample,
            "response_with_cot": f"<think>t</think>{model} {sample}",
        }
        for question in QUESTIONS
        for model in ("a", "b")
        for sample in range(8)
    ]
    path = tmp_path / "recorded.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


# -- fields of a row -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason", "opened", "response", "whole"),
    [
        ("<think>a</think> b", "stop", False, "b", "<think>a</think> b"),
        ("a</think> b", "stop", True, "b", "<think>\na</think> b"),
        ("a and a", "length", True, None, "<think>\na and a"),
        ("<think>a and a", "length", False, None, "<think>a and a"),
        ("b b", "length", False, "b b", "b b"),  # the prompt was seen: it did not think
        ("b b", "length", None, None, "b b"),  # nobody knows: it may all be thinking
        ("b", "stop", None, "b", "b"),
        ("a</think> b b", "length", None, "b b", "a</think> b b"),
        ("", "stop", False, "", ""),
    ],
)
def test_what_was_thought_is_no_response(text, reason, opened, response, whole):
    fields = response_fields(Completion(text, reason, 3, opened), "think")
    assert fields == {"response": response, "response_with_cot": whole, "finish_reason": reason, "n_tokens": 3}


def test_an_id_is_there_once():
    unique = UniqueIds(drop_duplicates=False)
    for place, name in (("x", "a"), ("x", "b"), ("y", "c")):
        unique.check(Row({"id": name}, b"{}", place, 4))
    with pytest.raises(RowError, match=r"the id a stands at x:4 too; .*--duplicates drop") as caught:
        unique.check(Row({"id": "a"}, b"{}", "y", 9))
    assert caught.value.kind == "duplicate_id"
    dropping = UniqueIds(drop_duplicates=True)
    dropping.check(Row({"id": "a"}, b"{}", "x", 1))
    with pytest.raises(Filtered, match="duplicate_id"):
        dropping.check(Row({"id": "a"}, b"{}", "x", 2))


# -- seeds, shards, resuming (recorded answers) ----------------------------------------------------------------------


def test_seeds_are_distinct_and_the_same_in_any_shard(shell, problems, recording):
    command = f"libra rollout --replay {recording} -n 8 -q {problems}"
    whole = {key(row): row["provenance"]["sampling"]["seed"] for row in lines(shell(command).out)}
    parts = [lines(shell(f"{command} --shard {part}/3").out) for part in range(3)]
    assert all(parts)
    found = {key(row): row["provenance"]["sampling"]["seed"] for part in parts for row in part}
    assert found == whole
    assert len(whole) == len(QUESTIONS) * 2 * 8
    assert len(set(whole.values())) == len(QUESTIONS) * 8, "another model, the same seeds; another sample, another seed"
    other = {key(row): row["provenance"]["sampling"]["seed"] for row in lines(shell(f"{command} --seed 1").out)}
    assert not set(other.values()) & set(whole.values())


def test_more_samples_and_models_add_what_is_missing(shell, problems, recording, tmp_path):
    command = f"libra rollout --replay {recording} -o out.jsonl {problems}"
    assert shell(f"{command} --model a -n 4").status == 0
    first = (tmp_path / "out.jsonl").read_bytes()
    added = shell(f"{command} --model a -n 8")
    assert b"96 in = 48 out + 0 errors + 0 filtered + 48 already done" in added.err
    both = shell(f"{command} --model a --model b -n 8")
    assert b"192 in = 96 out + 0 errors + 0 filtered + 96 already done" in both.err
    after = (tmp_path / "out.jsonl").read_bytes()
    assert after.startswith(first)
    assert sorted(map(key, lines(after))) == sorted({key(row) for row in lines(after)})
    again = shell(f"{command} --model a --model b -n 8")
    assert b"192 in = 0 out" in again.err
    assert (tmp_path / "out.jsonl").read_bytes() == after
    refused = shell(f"{command} --model a -n 8 --top-k 3")
    assert (refused.status, b"--top-k was null, now 3" in refused.err) == (2, True)


def test_the_rows_of_a_pipe_reach_every_model_and_are_whole(shell, problems, recording):
    found = lines(shell(f"cat {problems} | libra rollout --replay {recording} -n 2 --model b --model a -q").out)
    assert [row["model"] for row in found] == ["b"] * 24 + ["a"] * 24
    assert all(row["response"] == f"{row['model']} {row['sample']}" for row in found)
    keys = ["index", "question", "id", "model", "sample", "response", "response_with_cot", "finish_reason", "n_tokens"]
    assert list(found[0]) == [*keys, "provenance"]


# -- real models -----------------------------------------------------------------------------------------------------

MODEL = "--model libra-mini/strong --temperature 0.9 --max-tokens 80"


@pytest.mark.slow
def test_a_killed_rollout_continues_with_every_sample_once(environment, shell, problems, tmp_path):
    command = f"libra rollout --engine transformers {MODEL} --batch-size 2 -n 8 -o out.jsonl {problems}"
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    part = tmp_path / "out.jsonl.part"
    while not (part.exists() and part.stat().st_size > 4000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = len(part.read_bytes().splitlines())
    resumed = shell(command)
    assert resumed.status == 0
    found = lines((tmp_path / "out.jsonl").read_bytes())
    assert len(found) == len({key(row) for row in found}) == 96
    assert 0 < 96 - int(resumed.err.split(b" in = ")[1].split()[0]) <= kept
    one = [row["response_with_cot"] for row in found if row["index"] == 5]
    whole = lines(shell(f"sed -n 6p {problems} | libra rollout --engine transformers {MODEL} -n 8 -q").out)
    assert sorted(one) == sorted(row["response_with_cot"] for row in whole), "as an uninterrupted run draws them"


def test_a_dry_run_shows_the_prompt_and_generates_nothing(shell, tmp_path):
    question = "What is {answer} and {{question}} and 1+1?"
    (tmp_path / "in.jsonl").write_text(json.dumps({"question": question}) + "\n")
    (tmp_path / "prompt.txt").write_text("Q: {{question}}\nThink!\n")
    (tmp_path / "chat.jinja").write_text("{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}|")
    files = "--template prompt.txt --chat-template chat.jinja in.jsonl"
    ended = shell(
        f"libra rollout --model libra-mini/strong --dry-run --system Be-brief. --prefill Well --seed 3 {files}"
    )
    (shown,) = lines(ended.out)
    assert shown["text"] == f"[system] Be-brief. [user] Q: {question}\nThink! |Well"
    assert len(shown["token_ids"]) > 20
    assert set(shown["provenance"]["sampling"]) == {"temperature", "top_p", "max_tokens", "seed"}
    assert b"1 in = 1 out" in ended.err


@pytest.mark.engine
@pytest.mark.slow
def test_both_engines_write_rows_of_the_same_shape(shell, problems):
    pytest.importorskip("vllm")
    command = f"libra rollout {MODEL} --dtype float32 --temperature 0 -n 1 {problems}"
    theirs, ours = shell(f"{command} --engine vllm"), shell(f"{command} --engine transformers")
    assert theirs.status == ours.status == 0, theirs.err
    for other, own in zip(lines(theirs.out), lines(ours.out), strict=True):
        assert (other["provenance"].pop("engine"), own["provenance"].pop("engine")) == ("vllm", "transformers")
        other["provenance"].pop("engine_version"), own["provenance"].pop("engine_version")
        assert list(other.items()) == list(own.items())


@pytest.mark.engine
@pytest.mark.slow
def test_a_killed_engine_process_costs_no_row(environment, problems, tmp_path):
    """vLLM's engine in a process of its own (as on a GPU), killed in the middle: minutes, for it starts twice."""
    pytest.importorskip("vllm")
    psutil = pytest.importorskip("psutil")
    command = f"exec libra rollout --engine vllm {MODEL} --concurrency 16 -n 100 --unordered -o out.jsonl {problems}"
    env = {**environment, "VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
    process = subprocess.Popen(["bash", "-c", command], cwd=tmp_path, env=env, stderr=subprocess.PIPE)
    part = tmp_path / "out.jsonl.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    cores = [child for child in psutil.Process(process.pid).children() if "EngineCore" in " ".join(child.cmdline())]
    os.kill(cores[0].pid, signal.SIGKILL)
    _, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    assert b"vLLM broke (EngineDeadError" in err
    found = lines((tmp_path / "out.jsonl").read_bytes())
    assert len(found) == len({key(row) for row in found}) == 1200


@pytest.mark.engine
def test_the_line_says_what_is_loaded_and_on_which_engine(tmp_path, environment):
    (tmp_path / "in").write_text('{"question": "What is 1+1?", "reference": "2"}\n')
    words = ["libra", "rollout", "--engine", "transformers", "--model", "libra-mini/weak", "-o", "out", "in"]
    with PseudoTerminal(words, tmp_path, environment) as terminal:
        terminal.wait_for("libra rollout: loading libra-mini/weak on transformers (")
        assert terminal.end() == 0
        assert "loading" not in terminal.text, "the line goes away"
