"""Stages that ask a hostile server: their commands, their rows, and how a run must end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from servers.hostile import DONE, Attack, attacks_by_count, attacks_by_size, attacks_by_type, changed
from servers.scripted import Reply, ScriptedServer

MEMORY_MIB = 800
"""For a whole run: Python and its modules take a hundred, and 16 MiB of JSON up to 500 when they are decoded."""
RETRY_SECONDS = 8
"""How long a request is repeated: what an answer is at the end does not depend on it, only how long the test waits."""
MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""


def chat(text):
    choice = {"index": 0, "message": {"role": "assistant", "content": text, "reasoning": "so"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    return {"id": "c1", "object": "chat.completion", "model": "tiny", "choices": [choice], "usage": usage}


CHAT_READ = {
    ("choices",): "list", ("choices", 0): "object", ("choices", 0, "message"): "object",
    ("choices", 0, "message", "content"): "text", ("choices", 0, "message", "reasoning"): "text",
    ("choices", 0, "finish_reason"): "text", ("usage",): "object", ("model",): "text",
}  # fmt: skip
CHAT_UNREAD = [("id",), ("choices", 0, "logprobs"), ("choices", 0, "index"), ("prompt_logprobs",), ("usage", "details")]
CLASSIFIED = {"model": "tiny", "data": [{"index": 0, "probs": [1.5]}], "usage": {"prompt_tokens": 7}}
CLASSIFIED_READ = {
    ("data",): "list", ("data", 0): "object", ("data", 0, "probs"): "list", ("usage",): "object", ("model",): "text",
}  # fmt: skip
CLASSIFIED_UNREAD = [("id",), ("data", 0, "label"), ("object",)]


@dataclass(frozen=True)
class ServerStage:
    """A stage that asks servers."""

    words: list[str]
    honest: Mapping[str, Any]
    """The answer that it asks for."""
    read: Mapping[tuple, str]
    """The fields of an answer that it reads, and their types."""
    unread: list[tuple]
    tokens: str
    """The number of tokens that it reads."""
    nothing: str
    """The kind of error of an answer that lacks what was asked for."""

    def attacks(self) -> dict[str, Attack]:
        content = json.dumps(self.honest).encode()
        halves = {"half a pair": "\ud83d", "the other half": "\ude00", "no character": "\uffff\x00\x1b[2J"}
        place = ("choices", 0, "message", "reasoning") if "choices" in self.honest else ("model",)
        return {
            **{name: Attack(Reply(body=changed(self.honest, *place, to=text)), DONE) for name, text in halves.items()},
            **attacks_by_size(content, self.nothing), **attacks_by_type(self.honest, self.read, self.unread),
            **attacks_by_count(self.honest, self.tokens),
        }  # fmt: skip

    def rows(self, names) -> bytes:
        rows = [{"id": name, "question": f"What is @{name}@?", "reference": "4"} for name in names]
        if "judge" in self.words:
            rows = [{**row, "response": f"Two and two is 4 @{row['id']}@."} for row in rows]
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    def run(self, shell, attacks: Mapping[str, Attack], *options, routes=None, env=None, query=""):
        """Asks about each attack and, beside it, about something honest; errors go to errors.jsonl.

        The last word on stderr is the run's peak of memory in MiB.
        """

        def script(call):
            name = call.prompt.split("@")[1]
            return attacks[name].reply if name in attacks else Reply(body=self.honest)

        names = [name for attack in attacks for name in (attack, f"honest beside {attack}")]
        with ScriptedServer(script, routes) as server:
            words = [
                "libra",
                *self.words,
                "--base-url",
                server.url + query,
                "--model",
                "tiny",
                "--errors",
                "errors.jsonl",
                "--retry-budget",
                str(RETRY_SECONDS),
            ]
            given = self.rows(names or ["honest"])
            return shell([sys.executable, "-c", MEASURED, *words, *options], input=given, env=env or {}, timeout=300)


CHAT = (CHAT_READ, CHAT_UNREAD, "completion_tokens", "server_error")
ROLLOUT = ServerStage(["rollout", "--engine", "openai"], chat("It is \\boxed{4}."), *CHAT)
JUDGE = ServerStage(["judge", "--engine", "openai"], chat("[[score=4]]"), *CHAT)
REWARD = ServerStage(
    ["judge", "--engine", "openai", "--scalar"],
    CLASSIFIED, CLASSIFIED_READ, CLASSIFIED_UNREAD, "prompt_tokens", "no_score",
)  # fmt: skip
STAGES = pytest.mark.parametrize(
    "stage",
    [
        pytest.param(ROLLOUT, id="rollout"),
        pytest.param(JUDGE, id="judge", marks=pytest.mark.slow),
        pytest.param(REWARD, id="judge --scalar", marks=pytest.mark.slow),
    ],
)


def check(ended, tmp_path, attacks) -> int:
    """Each attack ended as it must, what stood beside it was done, and memory was bounded; returns the peak in MiB."""
    done = [json.loads(line)["id"] for line in ended.out.splitlines()]
    refused = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_bytes().splitlines()]
    assert {row["id"]: row["class"] for row in refused} == {name: one.kind for name, one in attacks.items() if one.kind}
    honest = {f"honest beside {name}" for name in attacks}
    assert sorted(done) == sorted(honest | {name for name, one in attacks.items() if not one.kind})
    assert ended.status == 3
    peak = peak_of(ended)
    assert peak < MEMORY_MIB
    return peak


def peak_of(ended) -> int:
    """The run's peak of memory in MiB."""
    return int(ended.err.split()[-1])
