"""One run of the demo, whose files the documents and the tests of examples share."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import warm
from documents import ROOT


@dataclass(frozen=True)
class Demo:
    """What a run of examples/demo left: its folder, and what it printed."""

    folder: Path
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that it said, what its steps did among it."""
        return self.out + self.err + "".join(log.read_text() for log in self.folder.glob("logs/*.log"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory, environment) -> Demo:
    """The demo, run once however many processes test; nobody may write into its folder."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    printed = shared / "demo.json"
    with open(shared / "demo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            env = environment | {"PATH": warm.path()}
            command = [str(ROOT / "examples/demo"), "demo"]
            ended = subprocess.run(command, cwd=shared, env=env, capture_output=True, text=True, timeout=280)
            assert ended.returncode == 0, ended.stderr
            printed.write_text(json.dumps([ended.stdout, ended.stderr]))
    return Demo(shared / "demo", *json.loads(printed.read_text()))
