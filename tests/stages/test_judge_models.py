"""`libra judge` with models that this machine loads: the embedded ones, which think, and reward heads."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from reward_models import reward_model
from servers.scripted import Reply, ScriptedServer

RESPONSES = Path(__file__).parents[1] / "data" / "judge" / "responses.jsonl"


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def head(tmp_path):
    """A reward model with random weights, in a folder."""
    return reward_model(tmp_path / "head").path


def test_a_thinking_judge_on_held_out_problems_is_neither_chance_nor_perfect(shell):
    ended = shell(["libra", "judge", "--model", "libra-mini/strong", "--threshold", "2", str(RESPONSES)])
    rows = rows_of(ended.out)
    assert (ended.status, len(rows)) == (0, 66)
    right = sum(row["prediction"] == row["label"] for row in rows)
    assert 45 <= right <= 63, f"{right} of 66"
    assert all(vote["thinking_chars"] > 20 for row in rows for vote in row["judgments"])
    provenance = rows[0]["judge_provenance"]
    assert (provenance["engine"], provenance["sampling"]["temperature"]) == ("transformers", 0.6)


def test_the_same_votes_come_whatever_is_judged_beside_them(shell):
    words = ["libra", "judge", "-q", "--model", "libra-mini/strong", "-k", "2"]
    few = RESPONSES.read_bytes().splitlines(keepends=True)[:5]
    together = rows_of(shell(words, input=b"".join(few)).out)
    alone = rows_of(shell([*words, "--batch-size", "1"], input=few[4]).out)
    assert [vote["text"] for vote in together[4]["judgments"]] == [vote["text"] for vote in alone[0]["judgments"]]
    assert [vote["seed"] for vote in together[4]["judgments"]] == [vote["seed"] for vote in alone[0]["judgments"]]


def test_a_reward_head_and_a_model_that_writes_judge_in_one_run(shell, head):
    lines = RESPONSES.read_bytes().splitlines(keepends=True)[:3]
    gated = json.dumps({"question": "1+1?", "response": "."}).encode() + b"\n"
    words = [
        "libra",
        "judge",
        "--model",
        head,
        "--judge-name",
        "head",
        "--model",
        "libra-mini/weak",
        "--judge-name",
        "w",
    ]
    ended = shell([*words, "--threshold", "0"], input=b"".join([*lines, gated]))
    rows = rows_of(ended.out)
    scalar, written = rows[:4], rows[4:]
    assert [row["judge_task"] for row in rows] == ["scalar"] * 4 + ["score"] * 4
    for row in scalar[:3]:
        (said,) = row["judgments"]
        assert row["score"] == said["outcome"]
        assert row["prediction"] == int(row["score"] > 0)
        assert {"text", "seed"}.isdisjoint(said)
        assert "sampling" not in row["judge_provenance"]
    assert (scalar[3]["score"], scalar[3]["prediction"], scalar[3]["gate"]) == (None, 0, "symbols_only")
    assert written[3]["score"] == 0


def test_a_tie_of_a_benchmark_is_one_whatever_the_batch(shell, head):
    """Without it the equal answers of a problem of RewardBench 2 get other last bits, and win or lose by chance."""
    draw = random.Random(8)
    rows = []
    for n in range(12):
        right, *wrong = ("".join(draw.choices("0123456789+=", k=size)) for size in draw.sample(range(3, 90), 4))
        tied = {"chosen": [right], "rejected": [right, wrong[0], right] if n % 2 else wrong, "num_correct": 1}
        rows.append({"id": f"{n}", "prompt": f"{n}?", "subset": "Precise IF", **tied})
        for name, texts in (("ref", [right]), ("tied", [right, wrong[2], wrong[2], right])):
            given = {"chosen": texts, "rejected": [wrong[0], wrong[1], wrong[0]], "num_correct": len(texts)}
            rows.append({"id": f"{name}:{n}", "prompt": f"{n}?", "subset": "Ties", **given})
    given = "".join(json.dumps(row) + "\n" for row in rows).encode()
    words = ["libra", "judge", "-q", "--model", head, "--dtype", "fp32", "--batch-size"]
    found = [shell([*words, size], input=given).out for size in ("1", "64")]
    for judged in map(rows_of, found):
        for row in judged:
            texts = [*row["chosen"], *row["rejected"]]
            assert len(set(row["scores"])) == len(set(texts))
    report = ["libra", "score", "-q", "--resamples", "0", "--json"]
    one, many = (json.loads(shell(report, input=judged).out) for judged in found)
    sections = [{name: section["value"] for name, section in each["sections"].items()} for each in (one, many)]
    assert sections[0]["Precise IF"] == sections[1]["Precise IF"]
    assert sections[0]["Ties"] == pytest.approx(sections[1]["Ties"], abs=1e-5)  # its margins are of real numbers


def test_a_reward_model_behind_a_server_is_asked_once_about_equal_responses(shell):
    """This server never gives the same number twice."""

    def script(call):
        return Reply(body={"model": "rm", "data": [{"probs": [call.number]}], "usage": {"prompt_tokens": 7}})

    row = {"question": "1+1?", "responses": ["It is 2.", "It is 3.", "It is 2."]}
    with ScriptedServer(script) as server:
        words = ["libra", "judge", "-q", "--scalar", "--model", "rm", "--base-url", server.url]
        (judged,) = rows_of(shell(words, input=json.dumps(row).encode() + b"\n").out)
        assert len(server.calls) == 2
    assert judged["scores"][0] == judged["scores"][2] != judged["scores"][1]
    assert len(judged["judgments"]) == 3


def test_a_reward_head_scores_pairs_and_lists_one_by_one(shell, head):
    pair = {"question": "1+1?", "response_a": "It is 2.", "response_b": "It is 3."}
    several = {"question": "1+1?", "responses": ["It is 2.", "It is 3.", "It is 4."]}
    probe = {"question": "1+1?", "response": "It is 2."}
    given = "".join(json.dumps(row) + "\n" for row in (pair, several, probe)).encode()
    first, second, third = rows_of(shell(["libra", "judge", "-q", "--model", head], input=given).out)
    assert first["scores"] == pytest.approx(second["scores"][:2], abs=1e-5)
    assert third["score"] == pytest.approx(first["scores"][0], abs=1e-5)
    assert first["prediction"] == ("A>B" if first["scores"][0] > first["scores"][1] else "B>A")
    assert second["prediction"] == second["scores"].index(max(second["scores"]))


def test_a_reward_head_has_no_threshold_of_its_own_for_the_probe(shell, head):
    row = json.dumps({"question": "1+1?", "response": "It is 2."}).encode()
    refused = shell(["libra", "judge", "--model", head, "--probe", "master-keys"], input=row)
    assert refused.status == 2
    assert b"say above which it accepts: --threshold T" in refused.err
