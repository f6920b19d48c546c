"""Disks that are full, limited or refuse: status 74, what is there stays valid, and the same command continues."""

import os
import resource
import subprocess

import pytest
from fault_rows import jsonl, parsed, problem_rows

ROWS = problem_rows(3000)
IDS = {row["id"] for row in ROWS}


@pytest.fixture
def disk(tmp_path):
    """A folder on a filesystem of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small filesystem cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def finish(start, *words, status=0):
    process = start(*words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, err.decode()
    return out, err.decode()


@pytest.mark.parametrize("stage", ["measure", "scramble"])
def test_a_full_disk_keeps_whole_rows_and_the_run_continues_once_there_is_space(start, tmp_path, disk, stage):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    (disk / "ballast").write_bytes(bytes(180 << 10))
    words = (stage, "in", "-o", "disk/out")
    _, err = finish(start, *words, status=74)
    assert "disk/out.part: cannot be written (No space left on device); free some space and run again" in err
    kept = parsed((disk / "out.part").read_bytes())
    assert 100 < len(kept) < 3000
    assert not (disk / "out").exists()
    finish(start, *words, status=74)  # nothing is lost by trying again too early
    assert parsed((disk / "out.part").read_bytes())[: len(kept)] == kept
    (disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
    finish(start, *words)
    done = parsed((disk / "out").read_bytes())
    assert (len(done), {row["id"] for row in done}) == (3000, IDS)


def test_a_disk_without_room_for_a_lock_says_so_and_leaves_none(start, tmp_path, disk):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    (disk / "ballast").write_bytes(bytes(256 << 10))
    _, err = finish(start, "pass", "in", "-o", "disk/out", status=74)
    assert "disk/out.lock: cannot be written (No space left on device)" in err
    assert os.listdir(disk) == ["ballast"]


@pytest.mark.parametrize("stage", ["measure", "scramble"])
def test_a_file_that_may_not_grow_keeps_whole_rows(start, tmp_path, stage):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, 100_001))}
    process = start(stage, "in", "-o", "out", **limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 74, err
    assert b"out.part: cannot be written (File too large); check the device and run again" in err
    part = (tmp_path / "out.part").read_bytes()
    assert 99_000 < len(part) < 100_001
    kept = parsed(part)
    _, err = finish(start, stage, "in", "-o", "out")
    assert f"{3000 - len(kept)} out + 0 errors + 0 filtered + {len(kept)} already done" in err
    assert {row["id"] for row in parsed((tmp_path / "out").read_bytes())} == IDS


@pytest.mark.parametrize("words", [("-o", "/dev/full"), (), ("--errors", "/dev/full", "--poison", "1")])
def test_a_write_that_fails_is_never_a_success(start, tmp_path, words):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    with open("/dev/full", "wb") as full:
        process = start("measure", "in", *words, stdout=full if words == () else subprocess.DEVNULL)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 74, err
    assert b"(No space left on device); free some space and run again" in err


def test_a_full_stderr_does_not_stop_a_run(start, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    with open("/dev/full", "wb") as full:
        process = start("measure", "in", "-o", "out", stderr=full)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(parsed((tmp_path / "out").read_bytes())) == 3000


@pytest.mark.parametrize(
    ("name", "reason"), [("no/out", "No such file"), (".", "Is a directory"), ("x" * 300, "name too long")]
)
@pytest.mark.parametrize("option", ["-o", "--errors"])
def test_a_name_that_cannot_be_written_is_a_usage_error(start, tmp_path, option, name, reason):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    out, err = finish(start, "pass", "in", option, name, status=2)
    assert (out, reason in err) == (b"", True), err


def test_an_output_that_another_run_writes_is_locked(start, tmp_path):
    process = start("measure", "-o", "out")
    process.stdin.write(jsonl(ROWS[:1]))
    process.stdin.flush()
    while not (tmp_path / "out.part").exists() or not (tmp_path / "out.part").read_bytes():
        assert process.poll() is None
    _, err = finish(start, "measure", "-o", "out", status=11)
    assert f"out.lock: process {process.pid} on " in err
    process.communicate(jsonl(ROWS[1:2]), timeout=60)
    assert process.returncode == 0
    assert len(parsed((tmp_path / "out").read_bytes())) == 2


@pytest.mark.parametrize("name", ["in", "./in", "link"])
@pytest.mark.parametrize("option", ["-o", "--errors", "--manifest"])
def test_a_run_never_writes_over_its_own_input(start, tmp_path, option, name):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    (tmp_path / "link").symlink_to("in")
    with open(tmp_path / "in", "rb") as file:
        process = start("pass", option, name, stdin=file)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"the same run uses this file already" in err
    assert (tmp_path / "in").read_bytes() == jsonl(ROWS)


def test_dev_stdout_is_standard_output(start, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    out, _ = finish(start, "pass", "in", "-o", "/dev/stdout")
    assert len(parsed(out)) == 3000
