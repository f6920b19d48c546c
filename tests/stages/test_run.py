"""`libra run`: what only a process at work can show; tests/cases/run holds the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pseudo_terminal import PseudoTerminal

PIPE = """
output: made
steps:
  labelled: {stage: verify, inputs: responses}
  responses: {stage: rollout, inputs: in.fifo, model: m, replay: recorded}
"""
ROWS = [{"id": str(i), "question": f"{i}+1?", "reference": str(i + 1)} for i in range(6)]


def lines(rows: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_signal_reaches_the_step_and_the_same_command_goes_on(tmp_path: Path, environment, number, status):
    answers = [{"id": row["id"], "model": "m", "sample": 0, "response": row["reference"], "finish_reason": "stop"}
               for row in ROWS]  # fmt: skip
    (tmp_path / "recorded").write_bytes(lines(answers))
    (tmp_path / "pipe.yaml").write_text(PIPE)
    os.mkfifo(tmp_path / "in.fifo")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "libra_cli", "run", "pipe.yaml"]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)

    run = start()
    with open(tmp_path / "in.fifo", "wb", buffering=0) as writer:  # open to the end: more rows seem to be coming
        writer.write(lines(ROWS[:3]))
        part, deadline = tmp_path / "made/responses.jsonl.part", time.monotonic() + 60
        while not (part.exists() and part.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run.send_signal(number)
        assert run.wait(60) == status
    assert b"stopped; the same command continues" in run.communicate()[1]
    assert not (tmp_path / "made/labelled.jsonl").exists()

    again = start()
    (tmp_path / "in.fifo").write_bytes(lines(ROWS))
    err = again.communicate(timeout=60)[1].decode()
    assert again.returncode == 0, err
    assert "+ 3 already done" in err
    labels = [json.loads(line)["label"] for line in (tmp_path / "made/labelled.jsonl").read_bytes().splitlines()]
    assert labels == [1] * len(ROWS)


def test_the_line_on_a_terminal_says_what_the_step_is_doing(tmp_path: Path, environment):
    """A step that writes into a log tells it all the same, at once and not once a minute."""
    (tmp_path / "recorded").write_bytes(b"")
    (tmp_path / "pipe.yaml").write_text(PIPE.replace("recorded}", "recorded, errors: refused.jsonl}"))
    os.mkfifo(tmp_path / "in.fifo")
    with PseudoTerminal([sys.executable, "-m", "libra_cli", "run", "pipe.yaml"], tmp_path, environment) as terminal:
        with open(tmp_path / "in.fifo", "wb", buffering=0) as writer:
            terminal.wait_for("responses", "s  waiting for rows")
            writer.write(lines(ROWS[:3]))
            terminal.wait_for("s  3 rows", "3 errors")
        assert terminal.end() == 3
        assert "3 in = 0 out + 3 errors" in terminal.text
        assert "waiting for rows" not in terminal.text


@pytest.mark.parametrize(
    ("columns", "jobs", "shown"),
    [(40, "1", "libra run: responses  "), (50, "3", " s  waiting | 2 more"), (34, "3", "libra run: 3 steps at work")],
)
def test_ctrl_c_leaves_nothing_of_a_line_that_fills_the_terminal(tmp_path: Path, environment, columns, jobs, shown):
    """There is room for the terminal's ^C, which else would begin a line; steps for which there is none are counted."""
    (tmp_path / "recorded").write_bytes(b"")
    more = [f"  {name}: {{stage: verify, inputs: in.fifo, output: {name}.jsonl}}\n" for name in ("second", "third")]
    (tmp_path / "pipe.yaml").write_text(PIPE + "".join(more))
    os.mkfifo(tmp_path / "in.fifo")
    words = [sys.executable, "-m", "libra_cli", "run", "-j", jobs, "pipe.yaml"]
    with PseudoTerminal(words, tmp_path, environment, size=(columns, 24)) as terminal:
        with open(tmp_path / "in.fifo", "wb"):
            terminal.wait_for(shown, "waiting" if columns > 34 else "")
            terminal.press("\x03")
            assert terminal.end() == 130
        assert "".join(terminal.screen.display).rstrip() == "libra run: stopped; the same command continues"
