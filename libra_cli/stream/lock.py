"""One writer per output: a lock file that names its holder; a dead holder loses it."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sinks import write_all, write_failed

STARTING_SECONDS = 2.0
"""A lock file that stays empty for longer belongs to a run that died as it began."""


class Lock:
    """Holds `PATH.lock`; raises Fatal(11) if another live run holds it, Fatal(2 or 74) if it cannot be written or read.

    The file is created with O_EXCL, because flock is unreliable on NFS and Lustre. A holder on this host that no longer
    runs, or that ran before the last boot, has lost the lock; a holder on another host is taken to be alive. Only runs
    on the holder's own host ever remove its lock, so a local flock on the file makes them do so one at a time.
    """

    def __init__(self, path: str):
        self.path = path + ".lock"
        pid = os.getpid()
        holder = {"host": os.uname().nodename, "pid": pid, "boot": _boot_id(), "started": _started(pid)}
        self._content = orjson.dumps(holder)
        self._unreadable: tuple[int, int] | None = None
        self._unreadable_since = 0.0
        patience = time.monotonic() + 2 * STARTING_SECONDS
        while not self._create():
            if not self._clear_if_dead():
                if time.monotonic() > patience:
                    raise Fatal(Exit.LOCKED, f"{self.path}: another run is starting on this output; wait for it")
                time.sleep(0.05)

    def release(self) -> None:
        """Removes the lock file, unless it was removed by hand and another run has it now."""
        try:
            with _guarded(self.path) as fd:
                if fd is not None and os.pread(fd, 4096, 0) == self._content:
                    os.unlink(self.path)
        except OSError as error:
            raise write_failed(self.path, error, begun=True) from None

    def _create(self) -> bool:
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return False
        except OSError as error:
            raise write_failed(self.path, error) from None
        try:
            _flock(fd)
            write_all(fd, self._content, self.path)
            return _is_same_file(fd, self.path)  # False if it was removed while this process was halted
        except Fatal:
            with suppress(OSError):
                os.unlink(self.path)
            raise
        finally:
            with suppress(OSError):  # the file counts by being there
                os.close(fd)

    def _clear_if_dead(self) -> bool:
        """Removes the lock of a dead holder; False if the file is empty because its holder is just starting."""
        try:
            if not stat.S_ISREG(os.lstat(self.path).st_mode):
                raise Fatal(Exit.USAGE, f"{self.path}: is not a lock of libra; move it away, or use another -o")
            with _guarded(self.path) as fd:
                if fd is None:
                    return True
                holder = _read_holder(os.pread(fd, 4096, 0))
                if holder is None and self._may_be_starting(os.fstat(fd)):
                    return False
                if holder is not None and _alive(holder):
                    who = f"process {holder['pid']} on {holder['host']}"
                    hint = "wait for it, or delete the lock if it is gone"
                    raise Fatal(Exit.LOCKED, f"{self.path}: {who} is writing this output; {hint}")
                os.unlink(self.path)
        except FileNotFoundError:
            pass  # its holder has removed it
        except OSError as error:
            raise write_failed(self.path, error) from None
        return True

    def _may_be_starting(self, status: os.stat_result) -> bool:
        """Whether the holder of an unreadable lock may be about to write it.

        Its time says so for STARTING_SECONDS. A clock may be wrong, so it is also watched for no longer than that.
        """
        this = status.st_ino, status.st_mtime_ns
        if self._unreadable != this:
            self._unreadable, self._unreadable_since = this, time.monotonic()
        watched = time.monotonic() - self._unreadable_since
        return time.time() - status.st_mtime < STARTING_SECONDS and watched < STARTING_SECONDS


@contextmanager
def _guarded(path: str) -> Iterator[int | None]:
    """Opens a lock file and keeps other processes on this host from changing it; yields None if it is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        _flock(fd)
        yield fd if _is_same_file(fd, path) else None
    finally:
        os.close(fd)


def _flock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        pass  # a filesystem without flock: the file is still the lock, only removing a dead one is less safe


def _is_same_file(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _read_holder(text: bytes) -> dict[str, Any] | None:
    try:
        holder = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(holder, dict) or type(pid := holder.get("pid")) is not int or not 0 < pid < 1 << 31:
        return None
    return holder if all(isinstance(holder.get(name), str) for name in ("host", "boot", "started")) else None


def _alive(holder: dict[str, Any]) -> bool:
    if holder["host"] != os.uname().nodename:
        return True
    return holder["boot"] == _boot_id() and holder["started"] == _started(holder["pid"])


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> str:
    """When a process began, in clock ticks after boot: a later one may have its pid. '' if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return "" if words[0] in "ZX" else words[19]  # a zombie has ended, though its parent has not asked how
    except OSError:
        pass  # gone, or a system that hides it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass  # it exists, and belongs to somebody else
    return "unknown"
