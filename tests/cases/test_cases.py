"""Golden cases: each folder STAGE/NAME here is a command line, its input, and what must come of it.

A folder holds `cmd` (bash; it runs in a copy of the folder, with `libra` on PATH) and its input files, and what is
expected: `out`, exactly what it writes to standard output (no file: nothing); `err`, what it writes to standard error
with durations taken out (no file: not looked at); `status`, its exit status (no file: 0).

LIBRA_UPDATE_CASES=1 rewrites the expectations with what comes of the commands now: read the difference before you keep
it. It writes `err` only where there is one: `touch err` first for a new case.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CASES = sorted(path.parent for path in HERE.glob("*/*/cmd"))
EXPECTED = ("out", "err", "status")
UPDATE = bool(os.environ.get("LIBRA_UPDATE_CASES"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.relative_to(HERE).as_posix())
def test_case(case, shell, tmp_path):
    work = tmp_path / "case"
    shutil.copytree(case, work, ignore=shutil.ignore_patterns(*EXPECTED))
    ended = shell(["bash", "cmd"], cwd=work)
    found = {"out": ended.out, "err": normalised(ended.err), "status": b"%d\n" % ended.status}
    if UPDATE:
        rewrite(case, found)
    differences = "".join(difference(name, wanted, found[name]) for name, wanted in expected(case).items())
    assert not differences, f"{case.relative_to(HERE)}\n{differences}\nstderr:\n{shown(ended.err)}"


def test_there_are_cases():
    assert CASES


def normalised(err: bytes) -> bytes:
    """Standard error without what differs from run to run: durations."""
    err = re.sub(rb"\((\d+\.\d) s\)", b"(T s)", err)
    return re.sub(rb'"((cpu_)?seconds)":\d+(\.\d+)?', rb'"\1":T', err)


def expected(case: Path) -> dict[str, bytes]:
    """What the files of `case` ask for, by name."""
    wanted = {"out": b"", "status": b"0\n"}
    return wanted | {name: (case / name).read_bytes() for name in EXPECTED if (case / name).exists()}


def rewrite(case: Path, found: dict[str, bytes]) -> None:
    """Makes `found` the expectation; a file that says no more than its absence is removed."""
    kept = {"out": bool(found["out"]), "err": (case / "err").exists(), "status": found["status"] != b"0\n"}
    for name, keep in kept.items():
        if keep:
            (case / name).write_bytes(found[name])
        else:
            (case / name).unlink(missing_ok=True)


def difference(name: str, wanted: bytes, found: bytes) -> str:
    """A unified diff, empty where both are equal, byte for byte."""
    if wanted == found:
        return ""
    lines = (shown(text).splitlines(keepends=True) for text in (wanted, found))
    return "".join(difflib.unified_diff(*lines, f"{name} (expected)", f"{name} (found)"))


def shown(text: bytes) -> str:
    """Bytes as a person can read them: what is not UTF-8 as an escape, and a missing last newline seen."""
    decoded = text.decode("utf-8", "backslashreplace")
    return decoded if not decoded or decoded.endswith("\n") else decoded + "\n(no newline at the end)\n"
