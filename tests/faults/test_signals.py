"""Requests to stop: noted at once wherever the run is, obeyed within the grace period, never needed for correctness."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections import Counter

import psutil
import pytest
from fault_rows import STAGES, jsonl, parsed, problem_rows

from libra_cli.stream.signals import ECHO_SECONDS

ROWS = problem_rows(300)
OUTCOMES = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75), (signal.SIGUSR2, 75)]


def wait_for(condition, what: str):
    """What `condition` gives, once it gives something."""
    for _ in range(3000):
        if found := condition():
            return found
        time.sleep(0.01)
    pytest.fail(f"never happened: {what}")


def waiting_bytes(pipe) -> int:
    """What has been written to a pipe and not been read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def has_rows(path, n: int = 3):
    """A condition: the file at `path` holds `n` rows."""
    return lambda: path.exists() and path.read_bytes().count(b"\n") >= n


@pytest.mark.parametrize(("number", "status"), OUTCOMES)
@pytest.mark.parametrize("stage", [("measure",), ("scramble", "--hold", "64"), ("scramble", "--unordered")])
def test_a_stopped_run_keeps_what_is_finished_and_the_same_command_continues(start, tmp_path, stage, number, status):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    words = (*stage, "--seconds", "0.002", "in", "-o", "out")
    process = start(*words)
    wait_for(has_rows(tmp_path / "out.part"), "the first rows")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"stopping, up to" in err
    assert b"; stopped, the same command continues" in err
    assert b"not finished" not in err  # all that was begun was drained in time
    begun = parsed((tmp_path / "out.part").read_bytes())
    process = start(*words)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, f"+ {len(begun)} already done".encode() in err) == (0, True)
    assert Counter(row["id"] for row in parsed((tmp_path / "out").read_bytes())) == {row["id"]: 1 for row in ROWS}


@pytest.mark.parametrize(("number", "status"), OUTCOMES)
def test_a_run_that_waits_for_input_stops_and_hands_on_what_it_has(start, number, status):
    process = start("measure")
    process.stdin.write(jsonl(ROWS[:2]))
    process.stdin.flush()
    first = process.stdout.readline()
    process.send_signal(number)
    assert process.wait(timeout=60) == status
    assert [row["id"] for row in parsed(first + process.stdout.read())] == ["p0", "p1"]


@pytest.mark.parametrize(("number", "status"), OUTCOMES)
def test_grace_ends_a_run_that_is_deep_in_compiled_code(start, number, status):
    process = start("freeze", "--grace", "0.3")
    process.stdin.write(jsonl(ROWS[:1]))
    process.stdin.close()
    wait_for(lambda: psutil.Process(process.pid).cpu_times().user > 0.5, "the row is at work")
    process.send_signal(number)
    assert process.wait(timeout=60) == status
    assert b"stopping, up to 0.3 s" in process.stderr.read()


def test_grace_ends_a_run_whose_reader_does_not_read(start, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(problem_rows(20_000)))
    process = start("pass", "--grace", "0.3", "in")
    wait_for(lambda: waiting_bytes(process.stdout) >= 1 << 16, "the pipe is full")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143


def test_no_process_outlives_the_grace_period(start):
    process = start("scramble", "--fault", "hang", "--at", "1", "--grace", "0.3")
    process.stdin.write(jsonl(ROWS))
    process.stdin.close()
    child = wait_for(process.stderr.readline, "the child").split()[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    wait_for(lambda: not psutil.pid_exists(int(child)), "the child is gone")


IGNORING = """
import os, signal, sys
signal.signal(int(sys.argv[1]), signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@pytest.mark.parametrize("number", [number for number, _ in OUTCOMES])
def test_an_ignored_signal_stays_ignored(environment, number):
    process = subprocess.Popen(
        [sys.executable, "-c", IGNORING, str(int(number)), str(STAGES), "measure"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    process.stdin.write(jsonl(ROWS[:1]))
    process.stdin.flush()
    first = process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(jsonl(ROWS[1:2]), timeout=60)
    assert process.returncode == 0, err
    assert [row["id"] for row in parsed(first + out)] == ["p0", "p1"]


def test_a_ctrl_c_that_is_passed_on_as_well_is_no_second_one(start, tmp_path):
    (tmp_path / "in").write_bytes(jsonl([ROWS[0], {**ROWS[1], "question": "wait"}, *ROWS[2:]]))
    process = start("measure", "--until", "go", "--grace", "600", "in", "-o", "out", env={"ECHO_SECONDS": "600"})
    wait_for(has_rows(tmp_path / "out.part", 1), "the first row")
    process.send_signal(signal.SIGINT)
    assert b"stopping" in process.stderr.readline()
    process.send_signal(signal.SIGINT)  # as timeout does, which has had the terminal's, too
    (tmp_path / "go").touch()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, b"; stopped, the same command continues" in err) == (130, True)


@pytest.mark.parametrize("where", [[], ["--stubborn"]])
def test_a_model_that_loads_keeps_nobody_waiting(start, tmp_path, where):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    process = start("load", *where, "--grace", "600", "in", "-o", "out")
    assert process.stderr.readline() == b"loads\n"
    asked_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, time.monotonic() - asked_at < 10) == (130, True)  # a second, on a machine that is free
    assert err.startswith(
        b"libra load: 1 in = 0 out + 0 errors + 0 filtered + 0 already done + 1 not finished; stopped"
    )


def test_the_second_ctrl_c_ends_at_once(environment, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(STAGES), "freeze", "--grace", "600", "in"], environment)
    wait_for(lambda: psutil.Process(pid).cpu_times().user > 0.5, "the row is at work")
    os.write(terminal, b"\x03")
    shown = b""
    while b"Ctrl-C again stops at once" not in shown:
        shown += os.read(terminal, 4096)
    time.sleep(2 * ECHO_SECONDS)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    os.close(terminal)


def test_a_terminal_shows_one_progress_line_and_takes_it_away(environment, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS[:60]))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        words = [sys.executable, str(STAGES), "measure", "--seconds", "0.02", "-o", "out", "in"]
        os.execve(sys.executable, words, environment)
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # the other end of a terminal that is gone
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    *progress, last = shown.split(b"\r\x1b[K")
    assert any(b" of 60 (" in line and b" rows/s" in line for line in progress)
    assert last.startswith(b"libra measure: 60 in = 60 out")
    os.close(terminal)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR1, 75), (signal.SIGTERM, 143)])
def test_a_run_that_is_requeued_again_and_again_makes_one_complete_output(start, tmp_path, number, status):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    statuses = [requeued(start, tmp_path / "out.part", number)]
    while statuses[-1] in (status, -number):  # by the signal itself only once the run has ended
        statuses.append(requeued(start, tmp_path / "out.part", number))
    assert statuses[-1] == 0
    assert statuses.count(status) >= 2
    assert Counter(row["id"] for row in parsed((tmp_path / "out").read_bytes())) == {row["id"]: 1 for row in ROWS}


def requeued(start, part, number) -> int:
    """Continues the run until it has done 40 rows more, then sends the signal; how it ended."""
    n_before = part.read_bytes().count(b"\n") if part.exists() else 0
    process = start("scramble", "--seconds", "0.005", "in", "-o", "out")
    more = has_rows(part, n_before + 40)
    wait_for(lambda: process.poll() is not None or more(), "more rows")
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def test_a_request_before_the_run_begins_or_once_it_has_ended_says_that_the_command_continues(tmp_path):
    stop = "lambda *_, **__: os.kill(os.getpid(), signal.SIGUSR1)"
    for when in ("main.cli.make_context", "main.cli.invoke"):
        code = f"import os, signal, sys; from libra_cli import main; sys.argv[1:] = ['doctor']; {when} = {stop}"
        ended = subprocess.run([sys.executable, "-c", f"{code}; main.run()"], capture_output=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (75, b"")
