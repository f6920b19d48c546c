"""A model that ends at once gives the same row, whatever engine ran it."""

from __future__ import annotations

import json

import pytest
from servers.scripted import ScriptedServer, wrote

PROBLEM = b'{"id":"p1","question":"1+1?","reference":"2"}\n'
MODEL = "libra-mini/strong"
FIRST = [*"0123456789aeost=<("]
"""Texts of which the model's answer begins with one, so that as a stop string it ends the answer before it begins."""
EMPTY = {"response": "", "response_with_cot": "", "finish_reason": "stop"}


def row_of(ended):
    assert ended.status == 0, ended.err
    (row,) = map(json.loads, ended.out.splitlines())
    return {name: row[name] for name in EMPTY}, ended.out


def in_process(shell, engine):
    stops = [word for text in FIRST for word in ("--stop", text)]
    words = ["libra", "rollout", "--engine", engine, "--model", MODEL, "--temperature", "0", *stops]
    return shell(words, input=PROBLEM)


def test_an_empty_completion_is_the_same_row_on_every_engine(shell, tmp_path):
    row, written = row_of(in_process(shell, "transformers"))
    assert row == EMPTY
    with ScriptedServer(lambda call: wrote("")) as server:
        words = ["libra", "rollout", "--base-url", server.url, "--model", MODEL]
        assert row_of(shell(words, input=PROBLEM))[0] == EMPTY
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_bytes(written if isinstance(written, bytes) else written.encode())
    words = ["libra", "rollout", "--replay", str(recorded), "--model", MODEL]
    assert row_of(shell(words, input=PROBLEM))[0] == EMPTY


@pytest.mark.slow
def test_vllm_gives_it_too(shell):
    pytest.importorskip("vllm")
    assert row_of(in_process(shell, "vllm"))[0] == EMPTY


def test_a_recorded_row_that_was_refused_is_no_empty_completion(shell, tmp_path):
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text(json.dumps({"id": "p1", "model": MODEL, "response": None}) + "\n")
    ended = shell(["libra", "rollout", "--replay", str(recorded), "--model", MODEL], input=PROBLEM)
    assert ended.status == 3
    assert b"has no text" in (ended.err if isinstance(ended.err, bytes) else ended.err.encode())
