"""One writer: exactly one of many starters gets the lock, and the dead cannot keep it."""

import errno
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import lock
from libra_cli.stream.lock import Lock


def holder(**changes) -> bytes:
    """A lock file as this very process would write it, with changes."""
    pid = os.getpid()
    mine = {"host": socket.gethostname(), "pid": pid, "boot": lock._boot_id(), "started": lock._started(pid)}
    return json.dumps({**mine, **changes}).encode()


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def taken(path) -> bool:
    """Whether the lock can be had."""
    try:
        Lock(str(path)).release()
    except Fatal as error:
        return error.status != Exit.LOCKED
    return True


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def left(out, content: bytes, age: float = 0.0) -> None:
    """Leaves a lock file behind."""
    path = out.with_name("out.lock")
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))


def test_a_held_lock_is_refused_and_names_its_holder(out):
    held = Lock(str(out))
    with pytest.raises(Fatal, match=f"process {os.getpid()} on {socket.gethostname()} is writing this output"):
        Lock(str(out))
    held.release()
    assert taken(out)
    assert not out.with_name("out.lock").exists()


def test_the_lock_of_a_dead_process_is_taken(out):
    left(out, holder(pid=dead_pid()))
    assert taken(out)


def test_the_lock_of_a_reused_pid_is_taken(out):
    left(out, holder(started="12"))
    assert taken(out)


def test_the_lock_from_before_a_reboot_is_taken(out):
    left(out, holder(boot="another"))
    assert taken(out)


def test_the_lock_of_a_zombie_is_taken(out):
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    left(out, holder(pid=process.pid, started=_ticks(process.pid)))
    assert taken(out)
    process.wait()


def _ticks(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]


def test_the_lock_of_another_host_is_respected(out):
    left(out, holder(host="elsewhere", pid=dead_pid()))
    assert not taken(out)


@pytest.mark.parametrize("content", [b"", b'{"host":"he', b"[]", b"{}"])
def test_a_lock_that_names_nobody_is_taken_once_it_is_old(out, monkeypatch, content):
    left(out, content, age=60)
    assert taken(out)
    monkeypatch.setattr(lock, "STARTING_SECONDS", 0.3)
    left(out, content, age=-60)  # a clock that is wrong must not make it a lock for ever
    begun = time.monotonic()
    assert taken(out)
    assert time.monotonic() - begun > 0.25


@pytest.mark.parametrize("pid", ["12", -1, 0, 1.5, True, None, 10**12, 10**30, [], "x"])
def test_a_lock_with_a_damaged_process_number_names_nobody(out, pid):
    left(out, holder(pid=pid), age=60)
    assert taken(out)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        os.mkdir,
        lambda path: os.symlink("nowhere", path),
        lambda path: os.symlink("/dev/null", path),
    ],
    ids=["pipe", "folder", "dangling link", "link"],
)
def test_what_is_no_lock_is_refused_and_stays(out, make):
    path = out.with_name("out.lock")
    make(path)
    before = os.lstat(path)
    with pytest.raises(Fatal, match="is not a lock of libra; move it away") as caught:
        Lock(str(out))
    assert caught.value.status == Exit.USAGE
    assert os.path.samestat(os.lstat(path), before)


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES, errno.EROFS])
def test_a_lock_that_cannot_be_removed_is_a_failed_write(out, monkeypatch, error):
    def fail(path):
        raise OSError(error, os.strerror(error), path)

    held = Lock(str(out))
    monkeypatch.setattr(os, "unlink", fail)
    with pytest.raises(Fatal, match=r"out\.lock: cannot be written") as caught:
        held.release()
    assert caught.value.status == Exit.WRITE_FAILED


def test_a_lock_that_another_run_took_meanwhile_is_not_released(out):
    mine = Lock(str(out))
    theirs = holder(pid=1)
    left(out, theirs)
    mine.release()
    assert out.with_name("out.lock").read_bytes() == theirs


@pytest.mark.parametrize(("folder", "status"), [("missing", Exit.USAGE), ("/dev/full", Exit.USAGE)])
def test_a_lock_that_cannot_be_created_says_why(folder, status):
    with pytest.raises(Fatal, match="cannot be written") as caught:
        Lock(f"{folder}/out")
    assert caught.value.status == status


STARTER = """
import sys
from libra_cli.exits import Fatal
from libra_cli.stream.lock import Lock
print("ready", flush=True)
sys.stdin.readline()
try:
    lock = Lock(sys.argv[1])
except Fatal:
    print("refused", flush=True)
else:
    print("taken", flush=True)
    sys.stdin.readline()
    lock.release()
"""


@pytest.mark.parametrize("dead", [False, True])
def test_of_many_starters_exactly_one_wins(out, dead):
    if dead:
        left(out, holder(pid=dead_pid()))
    words, pipes = [sys.executable, "-c", STARTER, str(out)], dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    with ExitStack() as stack:
        starters = [stack.enter_context(subprocess.Popen(words, text=True, **pipes)) for _ in range(8)]
        for line, wanted in (("", ["ready"] * 8), ("go\n", ["refused"] * 7 + ["taken"])):
            for starter in starters:  # at the same moment, whatever their imports took; the winner waits for all
                starter.stdin.write(line)
                starter.stdin.flush()
            assert sorted(starter.stdout.readline().strip() for starter in starters) == wanted
        for starter in starters:
            starter.communicate("released\n")
    assert [starter.returncode for starter in starters] == [0] * 8
    assert list(out.parent.iterdir()) == []
