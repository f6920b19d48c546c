"""Checkpoints that are whole or not there: written aside, marked complete last, and put in place by one rename."""

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
from libra_cli.training.distributed.deepspeed_engine import Engine
from libra_cli.training.distributed.world import World

MARKER = "libra.json"
"""Written last: a checkpoint without it is none."""
_PREFIX = "step-"


class Checkpoints:
    """The checkpoints of one run, below `folder`; methods are called by all ranks, which do or refuse together."""

    def __init__(self, folder: str, keep: int, world: World):
        self._folder, self._keep, self._world = Path(folder), keep, world

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The last complete one and its marker, as rank 0 sees them."""
        found = None
        if self._world.is_first:
            found = max(self._complete(), key=lambda each: each[1]["step"], default=None)
        found = self._world.told(found)
        return found and (Path(found[0]), found[1])

    def place(self, step: int) -> Path:
        """Where that of `step` is, if there is one."""
        return self._folder / f"{_PREFIX}{step}"

    def save(self, engine: Engine, marker: Mapping[str, Any]) -> Path:
        """Writes one of `marker["step"]` and drops those that are not kept; raises Fatal(74) where the disk is full.

        A failure leaves the others as they were.
        """
        name = f"{_PREFIX}{marker['step']}"
        place, aside = self._folder / name, self._folder / f".{name}.partial"
        self._world.together(lambda: _attempt(place, lambda: _fresh(aside)), only_first=True)
        try:  # ranks meet in it: one that fails ends, and with it the others
            _attempt(place, lambda: engine.save(str(aside)))
        except Fatal:
            shutil.rmtree(aside, ignore_errors=True)  # a full disk stays full of it
            raise
        self._world.together(lambda: _attempt(place, lambda: self._put(aside, place, marker)), only_first=True)
        return place

    def mark(self, marker: Mapping[str, Any]) -> None:
        """Gives that of `marker["step"]` another marker."""
        path = self.place(marker["step"]) / MARKER
        content = json.dumps(marker, indent=1).encode() + b"\n"
        self._world.together(lambda: _attempt(path, lambda: replace_file(str(path), content)), only_first=True)

    def load(self, engine: Engine, place: Path) -> None:
        """Puts the state of `place` into the engine; raises Fatal(2) with the cure where it cannot."""
        try:
            engine.load(str(place))
        except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            cure = "delete it to go on from the one before, or begin anew with --overwrite"
            raise Fatal(Exit.USAGE, f"{place}: cannot be continued from ({reason}); {cure}") from None

    def _complete(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for place in self._folder.glob(f"{_PREFIX}*"):
            try:
                yield str(place), json.loads((place / MARKER).read_text())
            except (OSError, ValueError):
                continue  # not one of ours, or deleted halfway

    def _put(self, aside: Path, place: Path, marker: Mapping[str, Any]) -> None:
        """Makes what all ranks have written a checkpoint."""
        for path in aside.rglob("*"):
            if path.is_file():
                _sync(path)
        (aside / MARKER).write_text(json.dumps(marker, indent=1) + "\n")
        _sync(aside / MARKER)
        if place.exists():  # of an earlier run that went on from before it
            shutil.rmtree(place)
        os.rename(aside, place)
        _sync(self._folder)
        self._prune()

    def _prune(self) -> None:
        """Drops all but the last ones and the best."""
        complete = sorted(self._complete(), key=lambda each: each[1]["step"])
        best = complete[-1][1].get("best") or {}
        for place, marker in complete[: -self._keep]:
            if marker["step"] != best.get("step"):
                os.unlink(Path(place) / MARKER)  # first, so that what is left of it is no checkpoint
                shutil.rmtree(place, ignore_errors=True)


def _fresh(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(".*.partial"):
        shutil.rmtree(stale)
    folder.mkdir()


def _attempt(place: Path, action: Callable[[], object]) -> None:
    """Raises Fatal(74 or 2) where the action cannot write."""
    try:
        action()
    except OSError as error:
        raise write_failed(str(place), error) from None
    except RuntimeError as error:  # torch's writer of files
        if not any(word in str(error) for word in ("file write failed", "PytorchStreamWriter", "inline_container")):
            raise
        raise write_failed(str(place), OSError(errno.EIO, "not the whole file could be written")) from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
