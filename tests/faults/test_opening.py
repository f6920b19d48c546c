"""What must be waited for before a byte flows: a run that waits hears signals and keeps its time limit."""

import os
import signal
import time

import pytest
from fault_rows import jsonl, parsed, problem_rows

ROWS = problem_rows(3)
SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75)]


def waiting(process) -> None:
    """Waits until the process handles SIGUSR1, and a moment longer: it may open its files then."""
    while not handled(process.pid) >> (signal.SIGUSR1 - 1) & 1:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.2)
    assert process.poll() is None


def handled(pid: int) -> int:
    """The signals that a process has handlers for, a bit each."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith("SigCgt:"))


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_an_input_without_a_writer_does_not_make_a_run_deaf(start, tmp_path, number, status):
    os.mkfifo(tmp_path / "pipe")
    process = start("pass", "pipe", "--grace", "600")
    waiting(process)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status


def test_an_input_without_a_writer_is_a_stall(start, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    process = start("pass", "pipe", "--stall-timeout", "0.5")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 6
    assert b"pipe: nothing has opened this pipe for writing for 0.5 s (--stall-timeout)" in err


def test_a_slow_writer_is_no_stall(start, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    process = start("pass", "pipe", "--stall-timeout", "0.5")
    with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
        for row in ROWS:
            time.sleep(1)
            pipe.write(jsonl([row]))
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(parsed(out)) == 3
