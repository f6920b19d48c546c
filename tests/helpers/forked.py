"""`libra` in a child of the test's own process: a hundred runs in the time that one start of Python takes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest


class ForkedRun(NamedTuple):
    """How a run ended: its exit status, and what it wrote."""

    status: int
    out: bytes
    err: bytes


def libra(
    words: Sequence[str],
    folder: Path,
    env: Mapping[str, str] = MappingProxyType({}),
    input: bytes = b"",
    seconds: float = 120,
) -> ForkedRun:
    """Runs `libra WORDS` in `folder`; a run that takes more than `seconds` fails the test."""
    streams = [folder / f".std{name}" for name in ("in", "out", "err")]
    streams[0].write_bytes(input)
    child = os.fork()
    if not child:
        _run(words, folder, env, streams)
    until = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail(f"libra {' '.join(words)} has not ended after {seconds:g} s: {streams[2].read_bytes()!r}")
        time.sleep(0.002)
    return ForkedRun(os.waitstatus_to_exitcode(status), streams[1].read_bytes(), streams[2].read_bytes())


def _run(words: Sequence[str], folder: Path, env: Mapping[str, str], streams: Sequence[Path]) -> None:
    """What the child does: it never returns."""
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIBRA_", "COLUMNS"))}
        os.environ.clear()
        os.environ.update(kept, **env)
        for number, path in enumerate(streams):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path, flags, 0o600), number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in enumerate("rww"))
        sys.argv = ["libra", *words]
        from libra_cli import main

        main.run()
    except SystemExit as ending:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(ending.code if isinstance(ending.code, int) else int(bool(ending.code)))
    finally:
        os._exit(99)
