"""Checkpoints that are complete or absent: written aside, marked last, and put in place by one rename."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import replace_file
from libra_cli.stream.sinks import failed_below, write_failed
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.saved_state import SavedState
from libra_cli.training.distributed.state_files import first_line, names_in, sha256_of
from libra_cli.training.distributed.world import World
from libra_cli.training.own_folder import discard, remove_partial_checkpoints

T = TypeVar("T")

MARKER = "libra.json"
"""Written last: a folder without it is no checkpoint."""
_PREFIX = "step-"
_CURE = "delete it to continue from the one before, or begin anew with --overwrite"
_ALIKE = "continue with these, or begin anew with --overwrite"
_TYPES = {"step": int, "run": dict, "layout": dict, "versions": dict, "files": dict, "evaluated": int, "scored": list}
"""Types of the values of a marker. `files`, which earlier versions did not write: the SHA-256 of each file by name."""

_LAYOUT = ("ranks", "zero", "sequence_parallel")


class Checkpoints:
    """The checkpoints of one run, below `folder`. All ranks call each method, and succeed or fail together."""

    def __init__(self, folder: str, keep: int, world: World):
        self._folder, self._keep, self._world = Path(folder), keep, world

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The last complete checkpoint and its marker, as rank 0 sees them; None if there is none."""

        def read() -> tuple[str, dict[str, Any]] | None:  # of the last one only: another may be damaged
            complete = self._complete()
            return (str(complete[-1]), _read_marker(complete[-1])) if complete else None

        last = self._world.on_rank0(read)
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
            remove_partial_checkpoints(self._folder)
            aside.mkdir()

        self._world.on_rank0(lambda: _attempt(place, make_folder))
        try:  # contains collectives: a rank that fails ends, and the others with it
            _attempt(place, lambda: engine.save(str(aside)))
        except Fatal:
            shutil.rmtree(aside, ignore_errors=True)  # or it would keep the disk full
            raise
        names = self._world.on_rank0(lambda: _attempt(place, lambda: names_in(aside)))
        files = self._on_shares(names, lambda share: _attempt(place, lambda: sha256_of(aside, share)))
        self._world.on_rank0(lambda: _attempt(place, lambda: self._put(aside, place, {**marker, "files": files})))
        return place

    def mark(self, marker: Mapping[str, Any]) -> None:
        """Replaces the marker of the checkpoint of `marker["step"]`, except what it says about the state's files."""
        place = self.path(marker["step"])

        def replace() -> None:
            before = _read_marker(place)
            of_files = {name: value for name, value in before.items() if name in ("files", "layout")}
            content = {**marker, **of_files}
            replace_file(str(place / MARKER), json.dumps(content, indent=1).encode() + b"\n")

        self._world.on_rank0(lambda: _attempt(place / MARKER, replace))

    def load(self, engine: TrainEngine, path: Path) -> None:
        """Loads the state at `path` into the engine, whatever the layout of the ranks that wrote it.

        Runs nothing that lies in it. Raises Fatal(2) if that fails.
        """
        marker = self._world.on_rank0(lambda: _read_marker(path))
        listed, layout = marker.get("files"), marker.get("layout")
        if listed is not None:
            self._world.on_rank0(lambda: _refuse_added(path, listed))
            self._on_shares(sorted(listed), lambda share: _refuse_changed(path, {name: listed[name] for name in share}))
        if not layout or is_same_layout(layout, engine.layout) or layout["zero"] == engine.stage == 0:
            try:
                engine.load(str(path))
            except Exception as error:  # noqa: BLE001 -- DeepSpeed takes the state for granted and trips over any other
                raise _cannot_continue(path, first_line(error)) from None
            return

        def open_saved() -> SavedState:
            if reason := engine.resharding_obstacle:
                what = f"{path} was saved {describe_layout(layout)}, and {reason} ties the state to them"
                raise Fatal(Exit.USAGE, f"{what}; {_ALIKE}")
            try:
                return engine.saved_state(str(path))
            except ValueError as error:
                raise _cannot_continue(path, first_line(error)) from None

        engine.load_saved(self._world.on_all_ranks(open_saved))

    def _on_shares(self, names: list[str], action: Callable[[list[str]], dict[str, str]]) -> dict[str, str]:
        """Has each rank take a share of the files; returns what `action` gives for all of them, in their order."""
        rank, size = self._world.rank, self._world.size
        parts = self._world.all_gather(self._world.on_all_ranks(lambda: action(names[rank::size])))
        found = {name: digest for part in parts for name, digest in part.items()}
        return {name: found[name] for name in sorted(found)}

    def _complete(self) -> list[Path]:
        """The checkpoints by their step; a folder without a marker is not a checkpoint, or half deleted."""
        found = (place for place in self._folder.glob(f"{_PREFIX}*") if os.path.lexists(place / MARKER))
        return sorted((place for place in found if _step_of(place) is not None), key=lambda place: _step_of(place) or 0)

    def _put(self, aside: Path, place: Path, marker: Mapping[str, Any]) -> None:
        """Turns the files that all ranks have written into a checkpoint."""
        for path in aside.rglob("*"):
            if path.is_file():
                _sync(path)
        (aside / MARKER).write_text(json.dumps(marker, indent=1) + "\n")
        _sync(aside / MARKER)
        if place.exists():  # left by a run that was resumed from an earlier step
            discard(place)
        os.rename(aside, place)
        _sync(self._folder)
        self._prune()

    def _prune(self) -> None:
        """Removes all but the last `keep` and the best."""
        complete = self._complete()
        best = _read_marker(complete[-1]).get("best") or {}
        for place in complete[: -self._keep]:
            if _step_of(place) != best.get("step"):
                discard(place)


def _step_of(place: Path) -> int | None:
    """The step of a checkpoint by its name; None for another folder."""
    step = place.name.removeprefix(_PREFIX)
    return int(step) if step.isdecimal() else None


def is_same_layout(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a state can be loaded as it is; earlier versions did not say where the optimizer was."""
    return all(before.get(name, value) == value for name, value in now.items())


def describe_layout(layout: Mapping[str, Any]) -> str:
    """How many ranks hold the state of a run, at which ZeRO stage."""
    ranks, sp_size = layout["ranks"], layout["sequence_parallel"]
    shared = f", --sequence-parallel {sp_size}" if sp_size > 1 else ""
    offloaded = ", --offload optimizer" if layout.get("optimizer_on", "none") != "none" else ""
    return f"by {ranks} {'process' if ranks == 1 else 'processes'}, --zero {layout['zero']}{shared}{offloaded}"


def _read_marker(place: Path) -> dict[str, Any]:
    """The marker of the checkpoint at `place`; raises Fatal(2) if it is not one."""
    try:
        marker = json.loads((place / MARKER).read_bytes())
    except OSError as error:
        raise _cannot_continue(place, f"{MARKER} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _cannot_continue(place, f"{MARKER} is damaged") from None
    if not isinstance(marker, dict) or not _is_marker(marker) or place.name != f"{_PREFIX}{marker['step']}":
        raise _cannot_continue(place, f"{MARKER} is not the marker of this checkpoint")
    return marker


def _is_marker(marker: Mapping[str, Any]) -> bool:
    best = marker.get("best")
    is_best = isinstance(best, dict) and type(best.get("step")) is int
    typed = all(type(marker[name]) is kind for name, kind in _TYPES.items() if name in marker)
    files_typed = all(isinstance(digest, str) for digest in marker.get("files", {}).values()) if typed else False
    layout = marker.get("layout") or dict.fromkeys(_LAYOUT, 1)
    layout_typed = typed and all(type(layout.get(name)) is int for name in _LAYOUT)
    return "step" in marker and files_typed and layout_typed and (best is None or is_best)


def _refuse_added(path: Path, listed: Mapping[str, str]) -> None:
    """Raises Fatal(2) for a state file that the run did not write: DeepSpeed finds its files by their names."""
    for name in names_in(path):
        if name.endswith(".pt") and name not in listed:
            raise _cannot_continue(path, f"{name} was not written by this run")


def _refuse_changed(path: Path, digests: Mapping[str, str]) -> dict[str, str]:
    """Raises Fatal(2) if a file is not as it was written; returns the digests."""
    for name, digest in digests.items():
        try:
            is_same = sha256_of(path, [name])[name] == digest
        except OSError as error:
            raise _cannot_continue(path, f"{name} cannot be read: {error.strerror}") from None
        if not is_same:
            raise _cannot_continue(path, f"{name} has changed since it was written")
    return dict(digests)


def _cannot_continue(path: Path, reason: str) -> Fatal:
    return Fatal(Exit.USAGE, f"{path}: cannot be continued from ({reason}); {_CURE}")


def _attempt(place: Path, action: Callable[[], T]) -> T:
    """What the action returns; raises Fatal(74) if it cannot write."""
    try:
        return action()
    except OSError as error:
        raise failed_below(str(place), error) from None
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
