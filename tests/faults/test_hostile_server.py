"""A hostile server: each answer costs its own row and a bounded amount of memory, never the run."""

from __future__ import annotations

import gzip
import json
from itertools import repeat

import pytest
import thinned
from servers.attacked import MEMORY_MIB, REWARD, ROLLOUT, STAGES, check, peak_of
from servers.hostile import BLANK, Attack, attacks_by_protocol, endless, packed, twice_gzipped
from servers.scripted import Reply, error


@STAGES
def test_each_attack_costs_its_own_row(shell, tmp_path, stage):
    attacks = stage.attacks()
    check(stage.run(shell, attacks), tmp_path, attacks)


def test_an_answer_that_bends_the_protocol_costs_its_own_row(shell, tmp_path):
    attacks = attacks_by_protocol(json.dumps(ROLLOUT.honest).encode())
    probed = endless("200 OK", lambda: repeat(BLANK))
    options = ["--request-timeout", "4", "--retry-budget", "8"]
    check(ROLLOUT.run(shell, attacks, *options, routes={"/health": probed, "/v1/models": probed}), tmp_path, attacks)


def test_many_large_answers_at_once_take_turns(shell, tmp_path):
    bodies = {"endless": endless("200 OK", lambda: repeat(BLANK)), "gzip": packed("gzip, gzip", twice_gzipped())}
    attacks = {f"{name} {n}": Attack(body, "response_too_large") for name, body in bodies.items() for n in range(32)}
    peak = check(ROLLOUT.run(shell, attacks), tmp_path, attacks)
    assert peak < MEMORY_MIB / 2


@pytest.mark.parametrize("coding", ["plain", "gzip"])
@pytest.mark.parametrize(("over", "status"), [(1, 3), (0, 0)])
def test_the_limit_is_an_option(shell, tmp_path, coding, over, status):
    content = json.dumps(ROLLOUT.honest).encode()
    reply = packed("gzip", gzip.compress(content)) if coding == "gzip" else Reply(body=content)
    limit = len(content) - over
    ended = ROLLOUT.run(shell, {"large": Attack(reply, None)}, "--max-response-bytes", str(limit), "--limit", "1")
    assert ended.status == status
    words = f"is larger than {limit} bytes (--max-response-bytes); raise that limit if the server is honest"
    assert (words in ended.err.decode()) == bool(over)


# -- what a server says of itself -------------------------------------------------------------------------------------

LONG = "9" * 100_000
ODD_FACTS = {
    "endless": endless("200 OK", lambda: repeat(BLANK)),
    "gzip of gzip": packed("gzip, gzip", twice_gzipped()),
    "zstd": packed("zstd", b"x"),
    "nested": Reply(body=b"[" * 1_000_000),
    "no JSON": Reply(body=b"\xff\x00"),
    "a list": Reply(body=[1]),
    "numbers": Reply(body={"version": 7, "tokens": 7, "prompt": 7, "data": 7}),
    "lists": Reply(
        body={"version": [], "tokens": [[[]], "1", -1, 2**70], "prompt": [], "data": [[], {}, {"id": [[]]}]}
    ),
    "long": Reply(body={"version": f"{LONG}.1", "tokens": [1] * 100_000, "prompt": LONG, "data": [{"id": LONG}] * 100}),
    "nested tokens": Reply(body=b'{"version": "0.99", "tokens": [' + b"[" * 800 + b"]" * 800 + b"]}"),
}


@pytest.mark.parametrize(
    ("stage", "odd"),
    thinned.every(
        3, [*((ROLLOUT, odd) for odd in ODD_FACTS), (REWARD, "endless"), (REWARD, "nested"), (REWARD, "long")]
    ),
)
def test_odd_facts_about_a_server_cost_nothing(shell, tmp_path, stage, odd):
    routes = dict.fromkeys(("/version", "/tokenize", "/detokenize"), ODD_FACTS[odd])
    ended = stage.run(shell, {}, routes=routes)
    assert (ended.status, len(ended.out.splitlines())) == (0, 1), ended.err
    assert peak_of(ended) < MEMORY_MIB
    refused = error(404, "no such model")
    first = {"attack": Attack(refused, None)}
    ended = stage.run(shell, first, "--concurrency", "1", routes={"/v1/models": ODD_FACTS[odd]})
    assert ended.status == 2
    assert b"no such model" in ended.err
    assert len(ended.err) < 10_000
    assert peak_of(ended) < MEMORY_MIB
