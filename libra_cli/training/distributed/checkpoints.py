"""Checkpoints that are complete or absent: written aside, marked last, and put in place by one rename."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import replace_file
from libra_cli.stream.sinks import write_failed
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World

MARKER = "libra.json"
"""Written last: a folder without it is no checkpoint."""
_PREFIX = "step-"


class Checkpoints:
    """The checkpoints of one run, below `folder`. All ranks call each method, and succeed or fail together."""

    def __init__(self, folder: str, keep: int, world: World):
        self._folder, self._keep, self._world = Path(folder), keep, world

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The last complete checkpoint and its marker, as rank 0 sees them; None if there is none."""
        last = self._world.on_rank0(lambda: max(self._complete(), key=lambda each: each[1]["step"], default=None))
        return last and (Path(last[0]), last[1])

    def path(self, step: int) -> Path:
        """The folder of the checkpoint of `step`."""
        return self._folder / f"{_PREFIX}{step}"

    def save(self, engine: TrainEngine, marker: Mapping[str, Any]) -> Path:
        """Writes the checkpoint of `marker["step"]` and removes those that are not kept.

        Raises Fatal(74) if the disk is full; that leaves the other checkpoints as they were.
        """
        name = f"{_PREFIX}{marker['step']}"
        place, aside = self._folder / name, self._folder / f".{name}.partial"

        def make_folder() -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for stale in self._folder.glob(".*.partial"):
                shutil.rmtree(stale)
            aside.mkdir()

        self._world.on_rank0(lambda: _attempt(place, make_folder))
        try:  # contains collectives: a rank that fails ends, and the others with it
            _attempt(place, lambda: engine.save(str(aside)))
        except Fatal:
            shutil.rmtree(aside, ignore_errors=True)  # or it would keep the disk full
            raise
        self._world.on_rank0(lambda: _attempt(place, lambda: self._put(aside, place, marker)))
        return place

    def mark(self, marker: Mapping[str, Any]) -> None:
        """Replaces the marker of the checkpoint of `marker["step"]`."""
        path = self.path(marker["step"]) / MARKER
        content = json.dumps(marker, indent=1).encode() + b"\n"
        self._world.on_rank0(lambda: _attempt(path, lambda: replace_file(str(path), content)))

    def load(self, engine: TrainEngine, path: Path) -> None:
        """Loads the state at `path` into the engine. Raises Fatal(2) if that fails."""
        try:
            engine.load(str(path))
        except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            cure = "delete it to continue from the one before, or begin anew with --overwrite"
            raise Fatal(Exit.USAGE, f"{path}: cannot be continued from ({reason}); {cure}") from None

    def _complete(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for place in self._folder.glob(f"{_PREFIX}*"):
            try:
                yield str(place), json.loads((place / MARKER).read_text())
            except (OSError, ValueError):
                continue  # not a checkpoint of ours, or half deleted

    def _put(self, aside: Path, place: Path, marker: Mapping[str, Any]) -> None:
        """Turns the files that all ranks have written into a checkpoint."""
        for path in aside.rglob("*"):
            if path.is_file():
                _sync(path)
        (aside / MARKER).write_text(json.dumps(marker, indent=1) + "\n")
        _sync(aside / MARKER)
        if place.exists():  # left by a run that was resumed from an earlier step
            shutil.rmtree(place)
        os.rename(aside, place)
        _sync(self._folder)
        self._prune()

    def _prune(self) -> None:
        """Removes all but the last `keep` and the best."""
        complete = sorted(self._complete(), key=lambda each: each[1]["step"])
        best = complete[-1][1].get("best") or {}
        for place, marker in complete[: -self._keep]:
            if marker["step"] != best.get("step"):
                os.unlink(Path(place) / MARKER)  # first, so that a half-deleted folder is no checkpoint
                shutil.rmtree(place, ignore_errors=True)


def _attempt(place: Path, action: Callable[[], object]) -> None:
    """Raises Fatal(74 or 2) if the action cannot write."""
    try:
        action()
    except OSError as error:
        raise write_failed(str(place), error) from None
    except RuntimeError as error:  # from torch's file writer
        if not any(word in str(error) for word in ("file write failed", "PytorchStreamWriter", "inline_container")):
            raise
        raise write_failed(str(place), OSError(errno.EIO, "not the whole file could be written")) from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
