"""`libra verify` on real responses, and when it is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

DATA = Path(__file__).resolve().parents[1] / "data" / "verify"


@pytest.mark.parametrize(("name", "truth", "rows"), [("gsm8k", "gold_label", 89), ("math100", "right", 41)])
def test_labels_of_real_responses(shell, name, truth, rows):
    ended = shell(["libra", "verify", "-q", str(DATA / f"{name}.jsonl")])
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.status, ended.err, len(found)) == (0, b"", rows)
    assert [row for row in found if row["label"] != row[truth]] == []
    assert {row[truth] for row in found} == {0, 1}


def test_thinking_is_never_read(shell):
    """The same responses behind a long thought with another answer in a box."""
    rows = [json.loads(line) for line in (DATA / "math100.jsonl").read_text().splitlines()]
    thought = "<think>" + "Hm, let me see. " * 4000 + r"\boxed{123456789}</think>"
    lines = "".join(json.dumps({**row, "response": thought + row["response"]}) + "\n" for row in rows)
    ended = shell(["libra", "verify", "-q"], input=lines.encode())
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["label"] for row in found] == [row["right"] for row in rows]


ENDLESS = r"\sum_{{i=1}}^{{999}}\sum_{{j=1}}^{{999}}\sum_{{k=1}}^{{999}} i^j k+{0}"


def test_interrupted_it_leaves_its_queue_and_no_process(environment, tmp_path):
    rows = [{"index": n, "reference": "x+1", "response": rf"\boxed{{{ENDLESS.format(n)}}}"} for n in range(200)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["libra", "verify", "-j", "1", "-o", "out.jsonl", "rows.jsonl"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        part = tmp_path / "out.jsonl.part"
        while not (part.exists() and part.stat().st_size):
            assert process.poll() is None
        workers = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped, the same command continues" in err
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    labels = [json.loads(line)["label"] for line in part.read_text().splitlines()]
    assert 0 < len(labels) < 200
    assert set(labels) == {None}
