"""A training run that commit f41b008 left after step 3: the same command goes on from there, with the same losses.

Its checkpoint, its samples and its settings are read as they were written, and the rest of the run gives the figures of
a run that nothing disturbed. The keys of its events and of what it leaves are pinned, too.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pins
import pytest

STEP = 3
FIGURES = ("loss", "grad_norm", "lr", "learned", "tokens", "samples", "epoch")
TOLERANCE = 1e-6


@cache
def continued() -> tuple[list[dict[str, Any]], str, dict[str, Any]]:
    """The events of the continued run, what it said, and the files that it left, as far as they are JSON."""
    with tempfile.TemporaryDirectory() as folder:
        work = pins.begun("sft", "interrupted", Path(folder))
        ended = pins.run(["bash", "cmd"], work)
        assert ended.returncode == 0, ended.stderr.decode()
        files = {path.relative_to(work / "run").as_posix(): path for path in sorted((work / "run").rglob("*"))}
        left = {name: content(path) for name, path in files.items() if path.is_file()}
    return [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr.decode(), left


def content(path: Path) -> Any:
    """What a file of libra's own holds; of others nothing is looked at."""
    return json.loads(path.read_text()) if path.name == "libra.json" else None


def undisturbed() -> list[dict[str, Any]]:
    """The events of f41b008's undisturbed run after the step of the checkpoint."""
    lines = (pins.CONTINUED / "sft" / "undisturbed" / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["step"] > STEP]


def found() -> dict[str, Any]:
    """Keys of events by their kind, and the files of the run's folder with their keys."""
    events, _, left = continued()
    kinds = dict.fromkeys(event["event"] for event in events)
    of_events = {kind: pins.shapes([event for event in events if event["event"] == kind]) for kind in kinds}
    return {"events": of_events, "files": {name: pins.shape(value) for name, value in left.items()}}


PINNED = {"training": found}


def test_the_run_goes_on_as_if_nothing_had_happened() -> None:
    """One test, since each of pytest's processes would make a run of its own.

    Rows are read anew where the folder of samples or what it says of its origin (origin.json) is not understood.
    """
    (events, said, _), wanted = continued(), undisturbed()
    assert [(event["event"], event["step"]) for event in events] == [(each["event"], each["step"]) for each in wanted]
    for event, before in zip(events, wanted, strict=True):
        assert figures(event) == pytest.approx(figures(before), rel=TOLERANCE), (event["event"], event["step"])

    assert f"continues after step {STEP}" in said
    assert "rows.jsonl: 12 in" not in said
    assert not (differs := pins.difference("training", found())), differs


def figures(event: Mapping[str, Any]) -> dict[str, float]:
    """What does not depend on the machine."""
    return {name: event[name] for name in FIGURES if name in event}
