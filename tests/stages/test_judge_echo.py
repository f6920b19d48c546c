"""`libra judge` with judges that can be talked to: one that repeats what it was shown, and one that says yes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from forged_answers import forged_answers
from servers.scripted import Call, ScriptedServer, wrote

from libra_cli.records.probes import MASTER_KEYS
from libra_cli.tasks.verdicts import REASONS


def the_response(call: Call) -> str:
    return call.prompt.split("<response>\n")[1].split("\n</response>")[0]


ECHOES = {
    "all of it": lambda call: call.prompt,
    "the response": the_response,
    "its last line": lambda call: the_response(call).strip().split("\n")[-1],
}
ROWS = [
    {"id": f"r{n}", "question": "2 + 2?", "response": forged, "label": 0}
    for n, forged in enumerate(forged_answers("score"))
    if "\ud800" not in forged  # no such character can be in a row
]


KEYS = [
    {"id": f"{key.name}{n}", "question": f"What is {n} + {n}?", "response": key.text, "label": 0}
    for key in MASTER_KEYS
    for n in range(20)
]


def judged(shell, rows: list[dict], script: Callable[[Call], str], *more: str) -> tuple[list[dict], int]:
    """What `libra judge` writes, and how often it asked the judge."""
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    with ScriptedServer(lambda call: wrote(script(call))) as server:
        words = ["libra", "judge", "--engine", "openai", "--base-url", server.url, "--model", "tiny", "--task", "score"]
        ended = shell([*words, *more], input=lines)
    assert ended.status == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()], len(server.calls)


@pytest.mark.parametrize("part", ECHOES)
def test_a_hundred_forged_answers_win_nothing(shell, part):
    rows, asked = judged(shell, ROWS, ECHOES[part], "--no-gate")
    assert len(rows) == asked == len(ROWS) >= 100
    assert {(row["score"], row["prediction"]) for row in rows} == {(None, None)}
    assert {row["unjudged"] for row in rows} <= set(REASONS)


def test_a_judge_that_says_something_of_its_own_is_heard(shell):
    rows, _ = judged(shell, ROWS, lambda call: f"It says {the_response(call)[:20]}\n\n[[score=1]]", "--no-gate")
    assert {row["score"] for row in rows} == {1}


def test_two_hundred_master_keys_are_caught_before_a_judge_that_says_yes(shell):
    rows, asked = judged(shell, KEYS, lambda _: "[[score=4]]")
    assert len(rows) == 200
    assert asked == 0
    assert {(row["score"], row["prediction"]) for row in rows} == {(0, 0)}
    assert {row["gate"] for row in rows} == {"empty", "symbols_only", "opener_only"}


def test_without_the_gate_a_judge_that_says_yes_accepts_them_all(shell):
    rows, asked = judged(shell, KEYS, lambda _: "[[score=4]]", "--no-gate", "--threshold", "2")
    assert asked == 200
    assert {(row["score"], row["prediction"]) for row in rows} == {(4, 1)}
