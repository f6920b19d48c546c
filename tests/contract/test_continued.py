"""An output that commit f41b008 left half done: the same command continues it.

Each folder of continued/ holds `cmd`, its input, `interrupted` and `undisturbed`; `make_fixtures` says how f41b008 made
them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pins
import pytest

STATUS = {"rollout": 3}
"""Exit statuses that are not 0: one row has no recorded answer."""
VERSION = re.compile(rb'"(libra|engine_version)": ?"[^"]*"')


@pytest.mark.parametrize("stage", ["rollout", "verify", "judge"])
def test_an_output_is_continued(stage: str, tmp_path: Path) -> None:
    """The rows of both commits are those of one undisturbed run, byte for byte, but for the version in provenance."""
    work = pins.begun(stage, "interrupted", tmp_path)
    ended = pins.run(["bash", "cmd"], work)
    assert ended.returncode == STATUS.get(stage, 0), ended.stderr.decode()
    for wanted in (pins.CONTINUED / stage / "undisturbed").glob("*.jsonl"):
        if wanted.name != "errors.jsonl":
            assert unversioned(work / wanted.name) == unversioned(wanted), wanted.name
    assert not [path.name for path in work.iterdir() if path.name.endswith((".part", ".lock")) or ".votes" in path.name]
    assert b" + 0 already done" not in ended.stderr


def test_votes_on_disk_are_not_asked_for_again(tmp_path: Path) -> None:
    """A vote that was changed in FILE.votes comes out changed, so that it was found there and not made again."""
    work = pins.begun("verify", "interrupted", tmp_path)
    base = sqlite3.connect(work / "out.jsonl.votes")
    votes = base.execute("SELECT key, vote FROM votes").fetchall()
    changed = [(vote.replace(b'"correct"', b'"wrong"'), key) for key, vote in votes if b'"correct"' in vote]
    base.execute("UPDATE votes SET vote = ? WHERE key = ?", changed[0])
    base.commit()
    base.close()
    assert pins.run(["bash", "cmd"], work).returncode == 0
    rows = [json.loads(line) for line in (work / "out.jsonl").read_text().splitlines()]
    of_panel = [vote for row in rows for vote in row["verification"].get("votes", []) if vote["annotator"] == "big"]
    assert sorted(vote["verdict"] for vote in of_panel) == ["correct", "wrong"]


@pytest.mark.parametrize("stage", ["rollout", "verify", "judge"])
def test_a_manifest_of_the_whole_output_is_the_same(stage: str, tmp_path: Path) -> None:
    """A finished output is known again, and left as it is; its configuration takes the names that options have now."""
    work = pins.begun(stage, "undisturbed", tmp_path)
    before, rows = manifest(work), (work / "out.jsonl").read_bytes()
    ended = pins.run(["bash", "cmd"], work)
    assert ended.returncode == STATUS.get(stage, 0), ended.stderr.decode()
    assert (work / "out.jsonl").read_bytes() == rows
    after = manifest(work)
    renamed = {RENAMED[stage].get(name, name): value for name, value in before["config"].items()}
    assert json.dumps(after["config"]) == json.dumps(renamed)
    kept = ("stage", "status", "config_sha256") if renamed == before["config"] else ("stage", "status")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


RENAMED = {"rollout": {"prompt_template": "template"}, "judge": {"thinking_markers": "judge_markers"}, "verify": {}}
"""Options of each stage that f41b008 called otherwise."""


def unversioned(path: Path) -> bytes:
    """The content without the versions of libra and of its engines."""
    return VERSION.sub(rb'"\1":""', path.read_bytes())


def manifest(work: Path) -> dict[str, Any]:
    """What stands beside the output."""
    return json.loads((work / "out.jsonl.libra.json").read_text())
