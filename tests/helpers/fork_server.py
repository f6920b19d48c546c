"""Runs many commands of libra quickly: a process that has everything imported forks for each.

It reads one JSON line {"words", "folder", "seconds"} and answers with {"status", "said"}; a command that takes longer
is killed, and its status is null. A fork shares nothing that the command changes.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import libra_cli.stages
from libra_cli import main


class ForkServer:
    """The other side: starts the process, and ends it on `close`."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(
            [sys.executable, __file__], text=True, env=os.environ | {"TERM": "dumb"}, **pipes
        )

    def run(self, words: list[str], folder: Path, seconds: float = 30) -> tuple[int | None, str]:
        """Exit status and standard error of `libra WORDS` in `folder`, with an empty standard input."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"words": words, "folder": str(folder), "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        ended: dict[str, Any] = json.loads(self._process.stdout.readline())
        return ended["status"], ended["said"]

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def serve() -> None:
    """Imports what the stages import, and answers until standard input ends."""
    for stage in pkgutil.iter_modules(libra_cli.stages.__path__):
        for module in pkgutil.iter_modules([f"{libra_cli.stages.__path__[0]}/{stage.name}"]):
            name = f"libra_cli.stages.{stage.name}.{module.name}"
            if stage.name not in ("sft", "dpo", "train_rm", "grpo"):  # torch takes seconds, and threads
                importlib.import_module(name)
    for name in ("libra_cli.stream.run", "libra_cli.reports.plots", "libra_cli.reports.page", "matplotlib.pyplot"):
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(answer(asked["words"], asked["folder"], asked["seconds"])), flush=True)


def answer(words: list[str], folder: str, seconds: float) -> dict[str, Any]:
    """Forks for one command and waits for it."""
    said, teller = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(said)
        become(words, folder, teller)
    os.close(teller)
    end, text, status = time.monotonic() + seconds, b"", None
    os.set_blocking(said, False)
    while status is None and time.monotonic() < end:
        pid, how = os.waitpid(child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(how) if pid else None
        try:
            text += os.read(said, 1 << 16)
        except BlockingIOError:
            pass
        time.sleep(0.002)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    while piece := _rest(said):
        text += piece
    os.close(said)
    return {"status": status, "said": text.decode("utf-8", "replace")}


def _rest(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def become(words: list[str], folder: str, teller: int) -> None:
    """In the child: the command, in its folder; never returns."""
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor, target in ((null, 0), (null, 1), (teller, 2)):
            os.dup2(descriptor, target)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(folder)
        sys.argv = ["libra", *words]
        main.run()
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
