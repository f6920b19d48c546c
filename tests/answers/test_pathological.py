"""`libra verify` on answers that are made to break it: every row has its label, the one behind it too."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from answers.pathological import MEGABYTE, Trap, traps

JOBS = 2
SECONDS = 1.0
"""CPU time for a pair, of which the slowest that must have a verdict takes a quarter: the machine may be a slow one."""
PEAK_BYTES = 256 * MEGABYTE
"""What the process that reads and writes the rows may take: 35 MiB of rows wait in order behind the slow ones."""

# `libra`; at its end it says how much memory it took, its workers left aside, and how many of them it started. (Linux
# keeps ru_maxrss across exec, so that it would tell how large pytest is; VmHWM begins anew.)
MEASURED = """
import atexit, json, pathlib, re, sys
started = []
sys.addaudithook(lambda event, details: started.append(1) if event == "subprocess.Popen" else None)
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) << 10
atexit.register(lambda: pathlib.Path("measured").write_text(json.dumps([peak(), len(started)])))
from libra_cli.main import run
run()
"""


class Verified(NamedTuple):
    """What came of a run over all traps."""

    traps: list[Trap]
    rows: list[dict[str, Any]]
    """The row of each trap."""
    behind: list[dict[str, Any]]
    """The row behind each."""
    folder: Path
    peak: int
    started: int

    @property
    def too_slow(self) -> list[str]:
        return [row["name"] for row in self.rows if row["verification"].get("reason") == "verify_timeout"]


@pytest.fixture
def verified(tmp_path, shell):
    made = traps(str(tmp_path / "canary"))
    write(made, tmp_path / "rows.jsonl")
    verify = f"verify -q -j {JOBS} --timeout {SECONDS} rows.jsonl"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(MEASURED)} {verify}"
    ended = shell(command, timeout=280)
    assert (ended.status, ended.err) == (0, b"")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    peak, started = json.loads((tmp_path / "measured").read_text())
    return Verified(made, rows[::2], rows[1::2], tmp_path, peak, started)


def write(made: Sequence[Trap], file: Path) -> None:
    """Every trap, and behind it a sum, which only computer algebra decides; every second one is wrong."""
    with file.open("w", encoding="utf-8") as rows:
        for number, trap in enumerate(made, 1):
            total = number * (number + 1) // 2 + number % 2
            response = rf"\boxed{{\sum_{{k=1}}^{{{number}}} k}}"
            rows.write(json.dumps({"name": trap.name, "reference": trap.reference, "response": trap.response}) + "\n")
            rows.write(json.dumps({"reference": str(total), "response": response, "right": 1 - number % 2}) + "\n")


@pytest.mark.timeout(300)
def test_no_trap_breaks_it(verified):
    """One run, for it takes a while; what is asked of it, in order."""
    assert len(verified.traps) >= 60
    assert [row["name"] for row in verified.rows] == [trap.name for trap in verified.traps]
    assert wrong_labels(verified) == []

    assert [row for row in verified.behind if row["label"] != row["right"]] == []
    assert {row["verification"]["by"] for row in verified.behind} == {"symbolic"}

    # What can be seen without computing is never computed, and no worker is lost but to a limit on time.
    assert [name for name in verified.too_slow if not name.startswith("algebra")] == []
    assert verified.started <= JOBS + len(verified.too_slow)

    assert not (verified.folder / "canary").exists()
    assert verified.peak < PEAK_BYTES


def wrong_labels(verified: Verified) -> list[tuple[str, int | None]]:
    return [
        (trap.name, row["label"])
        for trap, row in zip(verified.traps, verified.rows, strict=True)
        if row["label"] not in trap.labels
    ]
