"""Checkpoints that are whole or not there: written aside, marked complete last, and put in place by one rename."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.output import DEVICE_FAILED, write_failed
from libra_cli.training.engine import Engine
from libra_cli.training.world import World

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

    def save(self, engine: Engine, marker: Mapping[str, Any]) -> Path:
        """Writes one of `marker["step"]` and drops those that are not kept; raises Fatal(74) where the disk is full.

        A failure leaves the others as they were.
        """
        place, aside = self._folder / f"{_PREFIX}{marker['step']}", self._folder / f".{_PREFIX}{marker['step']}.partial"
        problem = None
        if self._world.is_first:
            problem = _attempt(lambda: _fresh(aside))
        if self._world.told(problem) is None:
            problem = _attempt(lambda: engine.save(str(aside)))
        problems = [each for each in self._world.gathered(problem) if each is not None]
        if not problems and self._world.is_first:
            problems = [each for each in [_attempt(lambda: self._put(aside, place, marker))] if each is not None]
        problems = self._world.told(problems)
        if problems:
            if self._world.is_first:
                shutil.rmtree(aside, ignore_errors=True)
            number, text = problems[0]
            raise write_failed(str(place), OSError(number, text))
        return place

    def load(self, engine: Engine, place: Path) -> None:
        """Puts the state of `place` into the engine; raises Fatal(2) with the cure where it cannot."""
        problem = None
        try:
            engine.load(str(place))
        except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
            problem = str(error).strip().split("\n")[0] or type(error).__name__
        problems = [each for each in self._world.gathered(problem) if each is not None]
        if problems:
            cure = "delete it to go on from the one before, or begin anew with --overwrite"
            raise Fatal(Exit.USAGE, f"{place}: cannot be continued from ({problems[0]}); {cure}")

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
        for place, marker in complete[: -self._keep] if self._keep else []:
            if marker["step"] != best.get("step"):
                os.unlink(Path(place) / MARKER)  # first, so that what is left of it is no checkpoint
                shutil.rmtree(place, ignore_errors=True)


def _fresh(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(".*.partial"):
        shutil.rmtree(stale)
    folder.mkdir()


def _attempt(action: Any) -> tuple[int, str] | None:
    """What came in the way, as (errno, text), for all ranks to know; None where it was done."""
    try:
        action()
    except OSError as error:
        return error.errno or 5, error.strerror or str(error)
    except RuntimeError as error:  # torch's writer of files
        if "file write failed" in str(error) or "PytorchStreamWriter" in str(error):
            return DEVICE_FAILED[0], "the file could not be written whole"
        raise
    return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
