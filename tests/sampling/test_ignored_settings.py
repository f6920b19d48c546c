"""Servers that ignore the limit of tokens, or answer each sample alike: one note at the end, with counts."""

from __future__ import annotations

import json

import pytest
from servers.scripted import Reply, ScriptedServer, wrote

LONG = "The sum of the two numbers that are given is {}, as I have seen."


def noted(shell, script, *more, stage="rollout", rows=2):
    lines = "".join(json.dumps({"question": f"{n}+1?", "response": "2"}) + "\n" for n in range(rows))
    with ScriptedServer(script) as server:
        ended = shell(["libra", stage, "--model", "m", "--base-url", server.url, *more], input=lines.encode())
    return ended.err.decode()


@pytest.mark.parametrize("stage", ["rollout", "judge"])
def test_samples_that_are_all_the_same_are_counted(stage, shell):
    flag = "-n" if stage == "rollout" else "-k"
    err = noted(shell, lambda _call: wrote(LONG.format(2)), flag, "3", "--temperature", "0.8", stage=stage)
    assert (
        err.count("all 3 samples are the same text for 2 of 2 prompts at temperature 0.8: the model is that sure, or")
        == 1
    )


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (lambda call: LONG.format(call.body["seed"]), ["-n", "3", "--temperature", "0.8"]),
        (lambda _call: "4", ["-n", "3", "--temperature", "0.8"]),  # a short answer may be the same by chance
        # One prompt of which two texts came shows that the server samples.
        (
            lambda call: LONG.format(call.body["seed"] if "0+1" in call.prompt else 2),
            ["-n", "3", "--temperature", "0.8"],
        ),
        (lambda _call: LONG, ["-n", "3", "--temperature", "0"]),
        (lambda _call: LONG, ["--temperature", "0.8"]),
        (lambda _call: LONG, ["-n", "3", "--temperature", "0.8", "--engine-arg", "temperature=null"]),
    ],
)
def test_samples_that_may_be_the_same_are_not(text, more, shell):
    assert "the same text" not in noted(shell, lambda call: wrote(text(call)), *more, rows=3)


def test_answers_beyond_the_limit_are_counted(shell):
    def script(call):
        reply = wrote("It is 2.")
        n_tokens = 700 if "0+1" in call.prompt else 90
        return Reply(body={**reply.body, "usage": {"prompt_tokens": 5, "completion_tokens": n_tokens}})

    err = noted(shell, script, "--max-tokens", "100")
    assert err.count("1 answer of more than --max-tokens 100 tokens (up to 700)") == 1
    assert "of more than" not in noted(shell, script, "--max-tokens", "700")
