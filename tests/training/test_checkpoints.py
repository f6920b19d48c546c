"""Checkpoints are whole or not there: killed at any moment, on a full disk, and when old ones are dropped."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import time
from pathlib import Path

import failing_disk
import pytest
import thinned

from libra_cli.exits import Exit, Fatal
from libra_cli.training.distributed.checkpoints import Checkpoints
from libra_cli.training.distributed.world import World

PARTS, PART_BYTES = 6, 200_000


class State:
    """An engine as far as checkpoints know it: several files, each with the hash of its content in its name."""

    def __init__(self, step: int = 0):
        self.step = step

    def save(self, folder: str) -> None:
        for part in range(PARTS):
            content = random.Random(f"{self.step}/{part}").randbytes(PART_BYTES)
            (Path(folder) / f"{part}-{hashlib.sha256(content).hexdigest()}").write_bytes(content)

    def load(self, folder: str) -> None:
        files = [path for path in Path(folder).iterdir() if path.name != "libra.json"]
        if len(files) != PARTS:
            raise ValueError(f"{len(files)} files")
        for path in files:
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.name.partition("-")[2]:
                raise ValueError(f"{path.name} is torn")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    return World()


def save(checkpoints: Checkpoints, step: int, best: int | None = None) -> None:
    checkpoints.save(State(step), {"step": step, "best": best and {"step": best, "loss": 1.0}})  # type: ignore[arg-type]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_last_ones_and_the_best_are_kept(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    for step, best in ((2, 2), (4, 4), (6, 4), (8, 4)):
        save(checkpoints, step, best)
    assert names(tmp_path) == {"step-4", "step-6", "step-8"}
    save(checkpoints, 10, 10)
    assert names(tmp_path) == {"step-8", "step-10"}
    found = checkpoints.latest()
    assert found is not None
    assert (found[0].name, found[1]["step"]) == ("step-10", 10)


def test_what_is_not_complete_is_none(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    assert checkpoints.latest() is None
    save(checkpoints, 3)
    (tmp_path / "step-5").mkdir()
    (tmp_path / ".step-7.partial").mkdir()
    (tmp_path / ".mine.partial").mkdir()
    found = checkpoints.latest()
    assert found is not None
    assert found[0].name == "step-3"
    save(checkpoints, 4)
    assert ".step-7.partial" not in names(tmp_path)
    assert ".mine.partial" in names(tmp_path)


MARKERS = ['{"st', "", "[]", "null", "3", '"step"', "{}", '{"step": "3"}', '{"step": true}', '{"step": 4}', "\udcff",
           '{"step": 3, "run": []}', '{"step": 3, "files": ["a"]}', '{"step": 3, "files": {"a": 1}}', '{"step": 3.0}',
           '{"step": 3, "layout": {"ranks": 1}}',
           '{"step": 3, "layout": {"ranks": "x", "zero": 0, "sequence_parallel": 1}}',
           '{"step": 3, "best": 3}', '{"step": 3, "best": {"step": "x"}}', '{"step": 3, "scored": 1}',
           "[" * 100_000]  # fmt: skip


@pytest.mark.parametrize("text", MARKERS, ids=lambda text: text[:40] or "empty")
def test_a_marker_of_another_kind_is_refused_by_name(tmp_path: Path, world: World, text: str) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    save(checkpoints, 3)
    (tmp_path / "step-3" / "libra.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    for refused in (checkpoints.latest, lambda: checkpoints.load(State(), tmp_path / "step-3")):  # type: ignore[arg-type]
        with pytest.raises(Fatal, match=r"step-3: .*libra\.json .*; delete it to continue from") as caught:
            refused()
        assert caught.value.status == Exit.USAGE


def test_a_damaged_one_before_the_last_is_in_nobodys_way(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    for step in (3, 4):
        save(checkpoints, step)
    (tmp_path / "step-3" / "libra.json").write_bytes(b"")
    last = checkpoints.latest()
    assert last is not None
    assert (last[0].name, last[1]["step"]) == ("step-4", 4)
    save(checkpoints, 5)
    assert names(tmp_path) == {"step-4", "step-5"}


def change(folder: Path) -> None:
    path = next(folder.glob("4-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")


DAMAGES = {
    "has changed since it was written": change,
    "cannot be read: No such file": lambda folder: next(folder.glob("0-*")).unlink(),
    "more.pt was not written by this run": lambda folder: (folder / "more.pt").write_bytes(b"x"),
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_files_that_are_not_as_they_were_written_are_refused(tmp_path: Path, world: World, reason: str) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    save(checkpoints, 3)
    checkpoints.load(State(), tmp_path / "step-3")  # type: ignore[arg-type]
    DAMAGES[reason](tmp_path / "step-3")
    with pytest.raises(Fatal, match=rf"step-3: cannot be continued from \(.*{reason}.*\); delete it to") as refused:
        checkpoints.load(State(), tmp_path / "step-3")  # type: ignore[arg-type]
    assert refused.value.status == Exit.USAGE


def test_a_checkpoint_without_hashes_continues_unless_it_is_damaged(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    save(checkpoints, 3)
    marker = tmp_path / "step-3" / "libra.json"
    marker.write_text('{"step": 3}')  # as earlier versions wrote it
    checkpoints.load(State(), tmp_path / "step-3")  # type: ignore[arg-type]
    checkpoints.mark({"step": 3, "evaluated": 3})
    assert json.loads(marker.read_text()) == {"step": 3, "evaluated": 3}
    next((tmp_path / "step-3").glob("0-*")).write_bytes(b"")
    with pytest.raises(Fatal, match=r"step-3: cannot be continued from .* is torn\); delete it to continue") as refused:
        checkpoints.load(State(), tmp_path / "step-3")  # type: ignore[arg-type]
    assert refused.value.status == Exit.USAGE


def test_a_new_marker_keeps_the_hashes(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    save(checkpoints, 3)
    checkpoints.mark({"step": 3, "evaluated": 3})
    marker = json.loads((tmp_path / "step-3" / "libra.json").read_text())
    assert marker["evaluated"] == 3
    assert {name.partition("-")[2] for name in marker["files"]} == set(marker["files"].values())
    assert len(marker["files"]) == PARTS


def test_a_new_marker_keeps_the_layout_of_the_files(tmp_path: Path, world: World) -> None:
    """A run that goes on with other ranks may evaluate before it takes a step."""
    layout = {"ranks": 2, "zero": 3, "sequence_parallel": 1}
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    checkpoints.save(State(3), {"step": 3, "layout": layout})  # type: ignore[arg-type]
    checkpoints.mark({"step": 3, "evaluated": 3, "layout": {**layout, "ranks": 1}})
    marker = json.loads((tmp_path / "step-3" / "libra.json").read_text())
    assert (marker["evaluated"], marker["layout"]) == (3, layout)


def test_a_full_disk_costs_the_new_checkpoint_only(tmp_path: Path, world: World) -> None:
    checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
    save(checkpoints, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PART_BYTES // 2, before[1]))
    try:
        with pytest.raises(Fatal) as refused:
            save(checkpoints, 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refused.value.status == Exit.WRITE_FAILED
    found = checkpoints.latest()
    assert found is not None
    assert found[0].name == "step-3"


@pytest.mark.parametrize("part", thinned.parts(failing_disk.PARTS))
def test_every_error_of_the_disk_costs_the_new_checkpoint_only(
    tmp_path: Path, world: World, monkeypatch, part: int
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoints = Checkpoints("c", keep=1, world=world)
    met = 0

    def prepare() -> None:
        shutil.rmtree("c", ignore_errors=True)
        save(checkpoints, 3)

    for site, code, ended in failing_disk.outcomes(prepare, lambda: save(checkpoints, 4), part):
        assert (ended["raised"], ended["status"] in (0, Exit.WRITE_FAILED)) == ("", True), (site, code, ended)
        assert ended["status"] == 0 or ended["said"].startswith("c"), (site, code, ended)
        found = checkpoints.latest()
        assert found is not None, (site, code)
        assert ended["status"] or found[1]["step"] == 4, (site, code)
        State().load(str(found[0]))
        met += 1
    assert met >= 100 // failing_disk.PARTS


def test_fifty_kills_while_saving(tmp_path: Path, world: World) -> None:
    """Each child saves as fast as it can, from where the last one was, until it is killed; nothing is ever torn."""
    draw = random.Random(5)
    last = 0
    for _round in range(50):
        begun, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                checkpoints = Checkpoints(str(tmp_path), keep=2, world=world)
                while True:
                    last += 1
                    os.write(says, b".")
                    save(checkpoints, last)
            finally:
                os._exit(1)
        for _ in range(draw.choice([1, 2])):  # a slow machine gets as far as a fast one
            os.read(begun, 1)
        time.sleep(draw.uniform(0.0, 0.04))
        os.close(begun)
        os.close(says)
        os.kill(pid, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        found = Checkpoints(str(tmp_path), keep=2, world=world).latest()
        if found is not None:
            place, marker = found
            State().load(str(place))
            assert marker["step"] >= last
            last = marker["step"]
    assert last > 10
