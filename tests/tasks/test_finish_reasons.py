"""Which finish reasons mean that a text was cut, and that verify, judge and rs-filter go by them alike."""

from __future__ import annotations

import json

import pytest

from libra_cli.tasks.task import is_cut_short

CUT = ("length", "max_tokens", "MAX_TOKENS", "model_length", "content_filter", "SAFETY", "abort", "who knows")
WHOLE = ("stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", None)


@pytest.mark.parametrize("reason", [*CUT, *WHOLE])
def test_whatever_is_not_known_to_be_an_end_is_none(reason):
    assert is_cut_short(reason) is (reason in CUT)


def lines(rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parsed(out: bytes) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_three_stages_go_by_one_table(shell, tmp_path):
    texts = [
        {"id": f"r{n}", "question": f"What is 2+2, case {n}?", "reference": "4", "model": "m", "sample": 0}
        | {"finish_reason": reason}
        for n, reason in enumerate([*CUT, *WHOLE])
    ]
    whole = {f"r{n}": reason in WHOLE for n, reason in enumerate([*CUT, *WHOLE])}
    stated = [{**row, "response": "Two and two are added here."} for row in texts]
    labels = parsed(shell(["libra", "verify"], input=lines(stated)).out)
    answered = {f"r{n}": reason in WHOLE and reason != "tool_calls" for n, reason in enumerate([*CUT, *WHOLE])}
    assert {row["id"]: row["label"] == 0 for row in labels} == answered
    right = [{**row, "response": "It is \\boxed{4}.", "label": 1} for row in texts]
    kept = parsed(shell(["libra", "rs-filter", "--thinking", "any"], input=lines(right)).out)
    assert {row["id"] for row in kept} == {name for name, is_whole in whole.items() if is_whole}
    votes = [{**row, "id": f"{row['id']}/m/0", "model": "j", "response": "[[score=4]]"} for row in texts]
    (tmp_path / "votes.jsonl").write_bytes(lines(votes))
    given = [{**row, "response": "It is 4.", "finish_reason": "stop"} for row in texts]
    judged = parsed(shell(["libra", "judge", "--replay", "votes.jsonl", "--model", "j"], input=lines(given)).out)
    assert {row["id"]: row["score"] is not None for row in judged} == whole
