"""Runs a command of libra once for every failure of the file system that it can meet, each in a process of its own.

It reads {NAME: {"words": [...], "files": {NAME: TEXT}, "before": {NAME: TEXT}, "part": N}} and prints a JSON line for
each run: the call that failed and how, the exit status, what was said, and the files that were left. The first run of a
command meets no failure; the others meet one each of that part, at the first or the last call of a kind on a file of
the command's folder. An undisturbed run on the files `before`, if they are given, comes before each.
"""

from __future__ import annotations

import builtins
import errno
import importlib
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from thinned import part_of

from libra_cli import main
from libra_cli.exits import Fatal

ERRNOS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "EAGAIN", "ENOENT")
BY_PATH = ("open", "rename", "replace", "unlink", "mkdir", "truncate")
BY_DESCRIPTOR = ("write", "fsync", "close", "ftruncate")
Site = tuple[str, str, int]
"""A call, the file, and which of such calls."""


class Disk:
    """The calls on files below the current folder; the one at `failing`, if any, fails with `code`."""

    def __init__(self, failing: Site | None, code: int):
        self.failing, self.code = failing, code
        self.calls: Counter[tuple[str, str]] = Counter()
        self._folder = os.path.realpath(".")
        self._names: dict[int, str] = {}
        self._open = os.open

    def install(self) -> None:
        for call in BY_PATH:
            setattr(os, call, self._by_path(call, getattr(os, call)))
        for call in BY_DESCRIPTOR:
            setattr(os, call, self._by_descriptor(call, getattr(os, call)))
        builtins.open = self._by_path("open", builtins.open)

    def name_of(self, path: Any) -> str | None:
        """Name of a file below the folder, without what is random in it."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        full = os.path.realpath(os.path.dirname(os.fsdecode(path)) or ".")
        full = os.path.join(full, os.path.basename(os.fsdecode(path)))
        inside = os.path.relpath(full, self._folder)
        return None if inside.startswith("..") else re.sub(r"\.libra-[0-9a-f]{16}\.", ".libra-*.", inside)

    def meet(self, call: str, name: str | None, path: object = None) -> None:
        """Counts a call; raises OSError if it is the one to fail."""
        if name is None:
            return
        self.calls[call, name] += 1
        if self.failing == (call, name, self.calls[call, name]):
            raise OSError(self.code, os.strerror(self.code), path)

    def _by_path(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, *args: Any, **kwargs: Any) -> Any:
            name = self.name_of(path)
            self.meet(call, name, path)
            done = real(path, *args, **kwargs)
            if name is not None and isinstance(done, int) and call == "open":
                self._names[done] = name
            return done

        return called

    def _by_descriptor(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(descriptor: int, *args: Any) -> Any:
            name = self._names.get(descriptor)
            if call == "close":  # the descriptor is gone, whatever close says
                self._names.pop(descriptor, None)
                real(descriptor)
                self.meet(call, name)
                return None
            self.meet(call, name)
            return real(descriptor, *args)

        return called


def run(words: list[str], files: Mapping[str, str], failing: Site | None = None, code: str = "EIO") -> dict[str, Any]:
    """One run in a folder of its own."""
    with tempfile.TemporaryDirectory() as outer:
        folder, said, seen = Path(outer) / "work", Path(outer) / "err", Path(outer) / "seen"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_bytes(text.encode("latin-1"))
        process = os.fork()
        if process == 0:
            _become(words, folder, said, seen, failing, getattr(errno, code))
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        left = {path.name: path.read_bytes().decode("latin-1") for path in sorted(folder.iterdir()) if path.is_file()}
        calls, modules = json.loads(seen.read_text()) if seen.exists() else ([], [])
        err = said.read_text().replace(outer, "")
    return {"failing": failing, "errno": code, "status": status, "err": err, "left": left, "calls": calls,
            "modules": modules, "given": files}  # fmt: skip


def _become(words: list[str], folder: Path, said: Path, seen: Path, failing: Site | None, code: int) -> None:
    """Is libra, to its end."""
    status = 99
    try:
        os.chdir(folder)
        for descriptor, path in ((0, os.devnull), (1, os.devnull), (2, said)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), descriptor)
        sys.argv = ["libra", *words]
        disk, write = Disk(failing, code), seen.write_text
        disk.install()
        try:
            main.run()
        except SystemExit as ended:
            status = int(ended.code or 0)
        disk.failing = None
        write(json.dumps([[[*site, number] for site, number in disk.calls.items()], sorted(sys.modules)]))
    finally:
        os._exit(status)


def outcome(action: Callable[[], object], failing: Site | None = None, code: str = "EIO") -> dict[str, Any]:
    """How `action` ends in a process of its own: `status` and `said` of a Fatal, other errors as `raised`, `calls`."""
    reads, writes = os.pipe()
    process = os.fork()
    if process == 0:
        disk, found = Disk(failing, getattr(errno, code)), {"status": 0, "said": "", "raised": ""}
        disk.install()
        try:
            action()
        except Fatal as error:
            found |= {"status": int(error.status), "said": str(error)}
        except BaseException as error:  # noqa: BLE001 -- the test says what it was
            found |= {"raised": repr(error)}
        disk.failing = None
        os.write(writes, json.dumps({**found, "calls": [[*site, n] for site, n in disk.calls.items()]}).encode())
        os._exit(0)
    os.close(writes)
    with open(reads, "rb") as pipe:
        found = json.load(pipe)
    os.waitpid(process, 0)
    return found


PARTS = 12
"""Parts of the failures that a test meets; `make test` takes the first of them."""


def failures(calls: list[tuple[str, str, int]], part: int) -> Iterator[tuple[Site, str]]:
    """A part of the failures that a run with these calls can meet, each with the name of its error."""
    sites = [(call, name, at) for call, name, number in calls for at in sorted({1, number})]
    return part_of(((site, code) for site in sites for code in ERRNOS), part, PARTS)


def outcomes(
    prepare: Callable[[], object], action: Callable[[], object], part: int
) -> Iterator[tuple[Site, str, dict[str, Any]]]:
    """How `action` ends for every failure of a part; `prepare` restores the current folder before each."""
    prepare()
    whole = outcome(action)
    assert (whole["status"], whole["raised"]) == (0, ""), whole
    for site, code in failures(whole["calls"], part):
        prepare()
        yield site, code, outcome(action, site, code)


def runs(words: list[str], files: Mapping[str, str], part: int) -> Iterator[dict[str, Any]]:
    """The run without a failure, then those of a part."""
    for name in run(words, files)["modules"]:  # imported here, once for all runs
        with suppress(Exception):
            importlib.import_module(name)
    whole = run(words, files)
    yield whole
    for site, code in failures(whole["calls"], part):
        yield run(words, files, site, code)


if __name__ == "__main__":
    for command_name, command in json.load(sys.stdin).items():
        files = command["files"]
        if "before" in command:
            files = {**run(command["words"], {**files, **command["before"]})["left"], **files}
        for result in runs(command["words"], files, command["part"]):
            kept = {name: value for name, value in result.items() if name not in ("calls", "modules")}
            print(json.dumps({"name": command_name, **kept}), flush=True)
