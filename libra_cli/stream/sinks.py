"""Sinks for rows: standard output, or a file that is either complete or visibly unfinished (`FILE.part`)."""

from __future__ import annotations

import errno
import hashlib
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from libra_cli.exits import Exit, Fatal, ReaderGone

FSYNC_ROWS = 100
FSYNC_SECONDS = 1.0
BUFFER = 1 << 16
FULL = (errno.ENOSPC, errno.EDQUOT)
DEVICE_FAILED = (*FULL, errno.EIO, errno.EFBIG, errno.EAGAIN)
NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_all(fd: int, data: bytes | bytearray | memoryview, name: str) -> None:
    """Writes all of `data`; raises ReaderGone if the reader has left, Fatal(74) if the device fails."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:  # another process made our standard output non-blocking
            poller = select.poll()  # select takes no descriptor above 1,023
            poller.register(fd, select.POLLOUT)
            poller.poll()
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise write_failed(name, error, begun=True) from None


def write_failed(name: str, error: OSError, begun: bool = False) -> Fatal:
    """The Fatal for a failed write: names the file, reason and remedy.

    The status is 2 if no run could write there, and 74 if the device failed. Once the run has `begun` to write the
    file, it is 74 in any case, since the command itself was right.
    """
    if error.errno in NO_PLACE + NO_PERMISSION and not begun:
        return Fatal(Exit.USAGE, f"{name}: cannot be written ({error.strerror}); check the name and the folder")
    remedy = "free some space and run again" if error.errno in FULL else "check the device and run again"
    return Fatal(Exit.WRITE_FAILED, f"{name}: cannot be written ({error.strerror}); {remedy}")


def failed_below(folder: str, error: OSError) -> Fatal:
    """The Fatal(74) for a file below `folder`: names it, or the folder where the system does not say which."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    return write_failed(name if os.path.dirname(name) else folder, error, begun=True)


class Sink:
    """Takes lines (without newline); `sha256` covers their bytes, including those of earlier runs.

    The run's own thread uses it, and its monitor, which calls `poll` only.
    """

    def __init__(self, name: str, sha256: Any = None):
        self.name, self.sha256 = name, sha256
        self.failure: Fatal | None = None
        """The failure that `poll` ran into; the next write or flush raises it."""
        self.blocked = False
        """A write is in progress and may wait for a slow reader."""
        self._at_work = 0
        """Rows of the write in progress, or of one that has failed."""
        self.begun = False
        """Something has been written, or will be in any case: until then a refused run leaves no trace."""
        self.on_begin: Callable[[], None] = lambda: None
        """Called once before that."""
        self.on_rows: Callable[[], None] = lambda: None
        """Called before rows are handed to whoever reads them."""
        self._lock = threading.Lock()
        self._fd = -1

    def write(self, line: bytes) -> None:
        """Takes one row."""
        raise NotImplementedError

    def flush(self) -> None:
        """Hands on every row taken so far."""
        raise NotImplementedError

    def finish(self, complete: bool, seal: Callable[[], None]) -> None:
        """Hands on what is left and ends the output; calls `seal`, which writes the manifests, once they are true."""
        raise NotImplementedError

    def withdraw(self) -> bool:
        """Takes back what this run wrote where nothing of value is lost; False if its rows stay."""
        return not self.begun

    def begin(self) -> None:
        """Calls `on_begin` before the first row is written, once."""
        if not self.begun:
            self.begun = True
            self.on_begin()

    @property
    def unwritten(self) -> int:
        """Rows taken whose last byte is not written yet."""
        return self._at_work

    def poll(self) -> bool:
        """Does what is due without ever waiting; False once the output has failed."""
        if self.failure is None and self._lock.acquire(blocking=False):
            try:
                if self._fd >= 0:
                    self._poll()
            except Fatal as error:
                self.failure = error
            finally:
                self._lock.release()
        return self.failure is None

    def _poll(self) -> None:
        raise NotImplementedError


class StreamSink(Sink):
    """Standard output, a device or a named pipe: buffers rows while many come, and passes single ones on soon."""

    def __init__(self, fd: int, name: str, hashing: bool = False):
        super().__init__(name, hashlib.sha256() if hashing else None)
        self._fd = fd
        self._lines: deque[bytes] = (
            deque()
        )  # the run's thread appends without the lock; only a holder of the lock removes
        self._rest = b""
        self._size = 0

    @property
    def unwritten(self) -> int:
        return self._at_work + len(self._lines)

    def write(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        if self._size >= BUFFER or self.failure is not None:
            self.flush()

    def flush(self) -> None:
        if self.failure is not None:
            raise self.failure
        with self._lock:
            if self._lines:
                self.begin()
                self.on_rows()
            data = b"\n".join([*self._lines, b""])
            self._at_work += len(self._lines)
            self._lines.clear()
            self._size = 0
            self._write(self._rest + self._hashed(data))
            self._rest, self._at_work = b"", 0

    def finish(self, complete: bool, seal: Callable[[], None]) -> None:
        """Writes the manifests before the end of file: a reader that sees it looks for them at once."""
        self.flush()
        self.begin()
        seal()
        with self._lock:
            fd, self._fd = self._fd, -1
            try:
                os.close(fd)
            except OSError as error:  # some network filesystems report a full disk only now
                raise write_failed(self.name, error, begun=True) from None

    def _write(self, data: bytes) -> None:
        self.blocked = True
        try:
            write_all(self._fd, data, self.name)
        except Fatal as error:
            self.failure = error  # nothing may follow a row that was torn
            raise
        self.blocked = False

    def _hashed(self, data: bytes) -> bytes:
        if self.sha256 is not None:
            self.sha256.update(data)
        return data

    def _poll(self) -> None:
        """Writes a page at a time while that cannot block; notices that the reader has left even without rows."""
        while (self._rest or self._lines) and _events(self._fd) & select.POLLOUT:
            self.begin()
            self.on_rows()
            data = self._rest or self._hashed(self._lines.popleft() + b"\n")
            self._at_work = 1
            write_all(self._fd, data[: select.PIPE_BUF], self.name)
            self._rest = data[select.PIPE_BUF :]
            self._at_work = 1 if self._rest else 0
        if is_abandoned(self._fd):
            raise ReaderGone


def is_abandoned(fd: int) -> bool:
    """Whether the reader of a pipe has gone."""
    return bool(_events(fd) & select.POLLERR)


def _events(fd: int) -> int:
    poller = select.poll()
    poller.register(fd, select.POLLOUT)
    return dict(poller.poll(0)).get(fd, 0)


class FileSink(Sink):
    """`PATH.part` during the run, `PATH` once it is complete.

    Each row is one write. The file is synced every 100 rows, every second and before the rename, the folder after it:
    no row is lost once written, and a file called PATH is complete. With `append`, the first new row turns a complete
    PATH back into PATH.part; without new rows it is left alone. With `replaces`, a complete PATH that is there stays
    until the run ends. With neither, each run begins anew. No file is touched before the first row or the end.
    """

    def __init__(self, path: str, append: bool, sha256: Any = None, replaces: bool = False):
        super().__init__(path + ".part", sha256 or hashlib.sha256())
        self.path, self._append, self._replaces = path, append, replaces
        self._before: tuple[int, Any] | None = None
        """Size and hash of a complete PATH that this run has reopened."""
        self._unsynced, self._synced_at = 0, time.monotonic()

    def write(self, line: bytes) -> None:
        self._at_work = 1
        if self.failure is not None:
            raise self.failure
        data = line + b"\n"
        with self._lock:
            if self._fd < 0:
                self._open()
            append_row(self._fd, data, self.name)
            self._unsynced += 1
            if self._unsynced >= FSYNC_ROWS:
                self._sync()
        self.sha256.update(data)
        self._at_work = 0

    def flush(self) -> None:
        """Nothing is buffered: rows go to the system one by one."""
        if self.failure is not None:
            raise self.failure

    def finish(self, complete: bool, seal: Callable[[], None]) -> None:
        """Syncs, and renames to PATH if the run is complete; the manifests come last, as they describe the file."""
        self.flush()
        with self._lock:
            if not self.begun and not (self._append and os.path.exists(self.path)):
                self._open()
            if self._fd >= 0:
                self._sync()
                fd, self._fd = self._fd, -1
                try:
                    os.close(fd)
                    if complete:
                        os.replace(self.name, self.path)
                    elif self._replaces:
                        with suppress(FileNotFoundError):
                            os.unlink(self.path)
                except OSError as error:
                    raise write_failed(self.path, error, begun=True) from None
                if complete:
                    sync_folder(self.path)
        seal()

    def withdraw(self) -> bool:
        with self._lock:
            if not self.begun:
                return True
            is_anew = not (self._append or self._replaces)  # as each run does: nobody could go on with it
            if self._fd < 0 or (self._before is None and not is_anew):
                return False
            fd, self._fd = self._fd, -1
            try:
                if self._before is None:
                    os.close(fd)
                    os.unlink(self.name)
                    return True
                size, self.sha256 = self._before
                os.ftruncate(fd, size)
                os.close(fd)
                os.rename(self.name, self.path)
            except OSError as error:
                raise write_failed(self.path, error, begun=True) from None
        return True

    def _poll(self) -> None:
        if self._unsynced and time.monotonic() - self._synced_at >= FSYNC_SECONDS:
            self._sync()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        flags |= 0 if self._append else os.O_TRUNC
        try:
            if self._append and os.path.exists(self.path):
                os.rename(self.path, self.name)
                self._before = os.path.getsize(self.name), self.sha256.copy()
            self._fd = os.open(self.name, flags, 0o666)
        except OSError as error:
            if self._before is not None:  # nothing was added to it
                with suppress(OSError):
                    os.rename(self.name, self.path)
            raise write_failed(self.name, error, begun=True) from None  # a name that cannot be is found by check_files
        self.begin()  # only now: of a run that is killed in between, FILE and FILE.part show that it began anew

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise write_failed(self.name, error, begun=True) from None
        self._unsynced, self._synced_at = 0, time.monotonic()


def append_row(fd: int, data: bytes, path: str) -> None:
    """Writes one row in one call; if the disk is full, takes back what was written of it: the file ends with a row."""
    try:
        written = os.write(fd, data)
    except OSError as error:
        raise write_failed(path, error, begun=True) from None
    if written < len(data):
        try:
            write_all(fd, data[written:], path)
        except Fatal:
            with suppress(OSError):  # the next run cuts off a torn line, too
                os.ftruncate(fd, _end_of_last_line(path, os.fstat(fd).st_size))
            raise


def _end_of_last_line(path: str, size: int) -> int:
    """Offset just after the last newline in the first `size` bytes."""
    with open(path, "rb") as file:
        end = size
        while end > 0:
            start = max(0, end - BUFFER)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                return start + at + 1
            end = start
    return 0


def cut_torn_line(path: str) -> int:
    """Cuts off a last line without newline; returns the number of bytes cut."""
    try:
        size = os.path.getsize(path)
        end = _end_of_last_line(path, size)
        if end < size:
            os.truncate(path, end)
    except OSError as error:
        raise write_failed(path, error) from None
    return size - end


def sync_folder(path: str) -> None:
    """Makes a rename in the folder of `path` survive a power cut."""
    try:
        fd = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network filesystems cannot sync folders
            raise write_failed(path, error, begun=True) from None


def is_plain_file(path: str) -> bool:
    """True for a regular file or a free name; devices and named pipes are written to as streams."""
    if path.startswith(("/dev/fd/", "/proc/")) or path in ("/dev/stdout", "/dev/stderr"):
        return False  # already open, and without a name next to which FILE.part could be written
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # not there yet, or a name that cannot be opened
        return True
