"""Pipes: rows leave as soon as they are done, slow readers are waited for, an early end is not taken for the end."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from fault_rows import STAGES, jsonl, parsed, problem_rows

ROWS = problem_rows(2000)


@pytest.mark.parametrize("stage", ["pass", "measure", "scramble"])
def test_each_row_comes_out_before_the_next_goes_in(start, stage):
    process = start(stage)
    for row in ROWS[:5]:
        process.stdin.write(jsonl([row]))
        process.stdin.flush()
        assert parsed(process.stdout.readline())[0]["id"] == row["id"]
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_a_finished_row_is_not_held_back_by_the_next_that_came_with_it(start, tmp_path):
    process = start("measure", "--until", "go")
    process.stdin.write(jsonl([ROWS[0], {**ROWS[1], "question": "wait"}, ROWS[2]]))
    process.stdin.flush()
    assert parsed(process.stdout.readline())[0]["id"] == "p0"  # while the second row is at work
    (tmp_path / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert [row["id"] for row in parsed(out)] == ["p1", "p2"]


@pytest.mark.parametrize("stage", [("pass",), ("scramble", "--hold", "16")])
def test_a_slow_reader_bounds_what_is_read(start, stage):
    process = start(*stage, stdin=(feeder := endless()).stdout)
    read = settled(lambda: counted(process.pid, "rchar"))
    assert read < 4 << 20  # the program itself, two pipes and a chunk
    assert counted(process.pid, "wchar") < 1 << 20
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    feeder.stdout.close()
    assert feeder.wait(timeout=60) == -signal.SIGPIPE


def endless() -> subprocess.Popen:
    return subprocess.Popen(["yes", jsonl(ROWS[:1]).decode().rstrip()], stdout=subprocess.PIPE)


def counted(pid: int, name: str) -> int:
    """Bytes that a process has read (rchar) or written (wchar)."""
    with open(f"/proc/{pid}/io") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{name}:"))


def settled(value) -> int:
    """What `value` gives once it has stopped growing for a second."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 1.0:
        time.sleep(0.05)
        if value() != last:
            last, since = value(), time.monotonic()
    return last


MEASURING = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("stage", ["pass", "scramble"])
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path, stage):
    def peak(n: int) -> int:
        """KiB; measured by a small process, because a child begins with the size of its parent."""
        (tmp_path / "in").write_bytes(jsonl(problem_rows(1000)) * (n // 1000))
        words = [sys.executable, "-c", MEASURING, sys.executable, str(STAGES), stage, "-q", "in"]
        return int(subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout)

    small, large = peak(20_000), peak(200_000)
    assert large < 1.05 * small
    assert large < 60 << 10  # mostly the interpreter


def test_a_reader_that_leaves_is_noticed_while_nothing_comes(start):
    process = start("measure")
    process.stdin.write(jsonl(ROWS[:1]))
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141  # though its input is still open
    assert process.stderr.read() == b""


def test_a_reader_that_leaves_is_noticed_while_an_engine_is_at_work(start):
    process = start("scramble", "--seconds", "0.05")
    process.stdin.write(jsonl(ROWS[:200]))
    process.stdin.close()
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""


def test_a_non_blocking_pipe_loses_nothing(start, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS) * 10)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # as some terminals and servers leave what they share
    process = start("pass", "in", stdout=writer)
    os.close(writer)
    time.sleep(0.5)
    with os.fdopen(reader, "rb") as file:
        assert len(parsed(file.read())) == 20_000
    assert process.wait(timeout=60) == 0


def test_two_files_of_one_run_follow_one_another(start, tmp_path):
    (tmp_path / "a").write_bytes(jsonl(ROWS[:2]))
    (tmp_path / "b").write_bytes(jsonl(ROWS[2:4]))
    process = start("pass", "b", "-", "a")
    out, _ = process.communicate(jsonl(ROWS[2:4]), timeout=60)
    assert [row["id"] for row in parsed(out)] == ["p2", "p3", "p2", "p3", "p0", "p1"]


def test_a_named_pipe_is_read_and_written(start, tmp_path):
    os.mkfifo(tmp_path / "in")
    os.mkfifo(tmp_path / "out")
    process = start("pass", "in", "-o", "out")
    with open(tmp_path / "out", "rb") as out:
        (tmp_path / "in").write_bytes(jsonl(ROWS[:3]))
        assert len(parsed(out.read())) == 3
    assert process.wait(timeout=60) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("expect", ["--expect-rows 2000", "--expect-manifest first.json"])
def test_a_killed_upstream_is_noticed_two_stages_down(shell, stages, tmp_path, expect):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    earlier = {
        "stage": "measure",
        "libra": "0.1.0",
        "config": {},
        "config_sha256": "0",
        "status": "complete",
        "rows": 1,
    }
    (tmp_path / "first.json").write_text(json.dumps(earlier))
    ended = shell(
        f"{{ {stages} measure --seconds 0.002 --manifest first.json in & echo $! > pid; wait $!; }} |"
        f" {stages} measure {'--manifest second.json ' + expect} > middle & "
        "until [ -s middle ]; do sleep 0.05; done; kill -KILL $(cat pid); wait %1; echo $?"
    )
    assert ended.out == b"7\n", ended.err
    rows = parsed((tmp_path / "middle").read_bytes())
    assert 0 < len(rows) < 2000
    assert [row["n"] for row in rows] == list(range(len(rows)))
    assert not (tmp_path / "second.json").exists() or b"complete" not in (tmp_path / "second.json").read_bytes()


def test_a_whole_pipe_is_complete(shell, stages, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    for _ in range(3):  # the manifest of the first must be there when the second meets the end
        ended = shell(
            f"set -o pipefail; {stages} pass --manifest 1.json in | {stages} measure --expect-manifest 1.json"
            f" --manifest 2.json | {stages} scramble --expect-manifest 2.json -o out --overwrite"
        )
        assert ended.status == 0, ended.err
    assert len(parsed((tmp_path / "out").read_bytes())) == 2000


def test_a_line_of_64_mib_takes_bounded_memory(start, tmp_path):
    with open(tmp_path / "in", "wb") as file:
        file.write(b'{"question":"' + b"x" * (300 << 20) + b'"}\n' + jsonl(ROWS[:1]))
    process = start("pass", "in", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20)))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, len(parsed(out))) == (3, 1), err
    assert b"in:1: the line has 314572815 bytes, the limit is 67108864 (--max-line-bytes)" in err


def test_a_limit_ends_the_run_though_more_may_come(start):
    process = start("pass", "--limit", "2")
    process.stdin.write(jsonl(ROWS[:2]))
    process.stdin.flush()
    assert len(parsed(process.stdout.read())) == 2
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("count", [1, 3])
def test_shards_are_disjoint_and_complete_and_a_bad_line_is_one_shards(start, tmp_path, count):
    (tmp_path / "in").write_bytes(jsonl(ROWS[:60]) + b"{bad\n")
    found, errors = [], 0
    for index in range(count):
        process = start("pass", "in", "--shard", f"{index}/{count}")
        out, err = process.communicate(timeout=60)
        assert b"61 in = " in err
        found += [row["id"] for row in parsed(out)]
        errors += process.returncode == 3
    assert sorted(found) == sorted(row["id"] for row in ROWS[:60])
    assert errors == 1
