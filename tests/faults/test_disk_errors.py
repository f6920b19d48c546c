"""Every error of the file system, at every call of every stage: status 74, the file's name, and nothing wrong left."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import failing_disk
import pytest
import thinned
from fault_rows import good_rows, jsonl

from libra_cli.main import STAGES

DRIVER = Path(__file__).parents[1] / "helpers" / "failing_disk.py"
ROWS = good_rows(3)
BAD = b'{"id": 1, "id": 2}\n'
VOTES = [{"id": f"{row['id']}/m/0", "model": "m", "sample": 0, "response": "[[score=3]]"} for row in ROWS]
JUDGE = {"judge": "j", "task": "score", "score": 3, "prediction": 1, "judgments": [{"text": "[[score=3]]", "score": 3}]}
JUDGED = [{**row, **JUDGE} for row in ROWS]
RESULTS = [{"judge": f"j{n}", "accuracy": n / 9, "policy": n * n / 99} for n in range(5)]
FILES = {
    "in": jsonl(ROWS) + BAD,
    "recorded": jsonl([*ROWS, *VOTES]),
    "judged": jsonl(JUDGED),
    "results": jsonl(RESULTS),
    "events": jsonl([{"event": "step", "step": 1, "loss": 1.0}]),
}
FEWER = {"in": jsonl(ROWS[:2])}
EVERY = "in -o out --errors err --manifest man"
ROLLOUT = f"rollout --engine replay --replay recorded --model m {EVERY}"
VERIFY = f"verify {EVERY} --report rep --review side"
COMMANDS = {
    "collect": f"collect {EVERY} --report rep",
    "rollout": ROLLOUT,
    "rollout continued": ROLLOUT,
    "verify": VERIFY,
    "verify continued": VERIFY,
    "verify --annotator": f"verify --annotator m --engine replay --replay recorded {EVERY}",
    "balance": f"balance {EVERY} --report rep",
    "balance replaced": f"balance {EVERY} --report rep --overwrite",
    "judge": f"judge --engine replay --replay recorded --model m {EVERY} --report rep",
    "judge replaced": f"judge --engine replay --replay recorded --model m {EVERY} --report rep --overwrite",
    "score": "score judged -o out --html page.html",
    "score correlate": "score correlate results -o out --html page.html --y policy",
    "report": "report events -o out --html page.html",
    "rs-filter": f"rs-filter --task general {EVERY} --report rep",
    "dpo-pairs": f"dpo-pairs --by label --unpaired {EVERY} --report rep",
    "mix": f"mix {EVERY}",
    "merge": f"merge --no-check {EVERY}",
    "review": "review in --html page.html",
}
WITHOUT_FILES = {"schema", "doctor", "models", "show", "trace", "sft", "grpo", "dpo", "train-rm", "run"}
"""Stages that write nothing; those that train, and the one that runs others, have tests of their own."""
WRITTEN = ("out", "err", "man", "rep", "side", "page.html")
READ = ("in", "recorded", "judged", "results", "events")
BEFORE_THE_FIRST_ROW = ("open", "close", "unlink", "rename")
OF_THE_NAME = {"EROFS", "EACCES", "ENOENT"}
"""Errors for which another name may be the cure: before anything is done they are usage errors."""


def test_every_stage_is_here():
    assert {name.split(" ")[0] for name in COMMANDS} | WITHOUT_FILES >= {stage.split(" ")[0] for stage in STAGES}


@pytest.mark.parametrize("part", thinned.parts(failing_disk.PARTS))
@pytest.mark.parametrize("name", COMMANDS)
def test_every_error_of_every_call_is_status_74_with_the_name(name, part):
    files = {name: content.decode() for name, content in FILES.items()}
    command = {"words": COMMANDS[name].split(), "files": files, "part": part}
    if name.endswith((" continued", " replaced")):
        command["before"] = {name: content.decode() for name, content in FEWER.items()}
    ended = subprocess.run(
        [sys.executable, DRIVER], input=json.dumps({name: command}), stdout=subprocess.PIPE, text=True
    )
    assert ended.returncode == 0
    whole, *broken = map(json.loads, ended.stdout.splitlines())
    assert whole["status"] == (3 if "in" in command["words"] else 0), whole["err"]
    assert len(broken) >= 40 // failing_disk.PARTS
    for run in broken:
        where = run["failing"], run["errno"], run["status"], run["err"]
        assert "internal error" not in run["err"], where
        assert "Traceback" not in run["err"], where
        assert_right(run, whole, where)


def assert_right(run: dict[str, Any], whole: dict[str, Any], where: tuple) -> None:
    """The status is right, the file is named, and what has its final name is complete."""
    (call, path, _), status = run["failing"], run["status"]
    names = WRITTEN if path.startswith(".") else [path.split(".")[0]]
    if status == whole["status"]:  # nothing was lost by it
        assert all(same(run["left"].get(name), whole["left"].get(name)) for name in WRITTEN), where
        return
    assert any(re.search(rf"\b{name}\b", run["err"]) for name in names), where
    if path in READ:
        assert status in (2, 7), where
        return
    assert status == 74 or (status == 2 and run["errno"] in OF_THE_NAME and call in BEFORE_THE_FIRST_ROW), where
    if status == 2:
        assert all(run["left"].get(name) == whole["given"].get(name) for name in ("out", "man", "rep", "side")), where
    for name in WRITTEN:
        left, wanted, before = (files.get(name) for files in (run["left"], whole["left"], whole["given"]))
        if name == "err":  # it grows as the run does
            assert (wanted or "").startswith(left or "") or left == before, where
        elif name != "man":
            assert left is None or same(left, wanted) or left == before, where
    if "man" in run["left"] and json.loads(run["left"]["man"])["status"] == "complete":
        as_before = all(run["left"].get(name) == whole["given"].get(name) for name in ("man", "out"))
        assert as_before or same(run["left"].get("out"), whole["left"]["out"]), where


def same(one: str | None, other: str | None) -> bool:
    """Alike but for the time that a run took, and the minute in which a page was made."""
    strip = lambda text: text and re.sub(r'"seconds": ?[0-9.e-]+|on [0-9-]+ [0-9:]+ UTC', "", text)  # noqa: E731
    return strip(one) == strip(other)
