"""One progress line for all stages of a pipe: each hands its progress to the next, and the last draws all of it.

Several stages that drew on one terminal would overwrite each other. Each has a socket named for its process, and finds
the process that reads its output in /proc (Linux; elsewhere each draws its own). A step of `libra run` hands its own to
the inbox that INBOX_VARIABLE names.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import orjson

from libra_cli.stream.progress import StageProgress

_CREDENTIALS = struct.Struct("3i")
_MOST_BYTES = 1 << 16
_STALE_SECONDS = 1.5
"""A stage that has said nothing for so long has ended."""
_SEARCH_SECONDS = 1.0


class ProgressInbox:
    """A socket that takes the progress of stages from processes of the same user; it never waits."""

    def __init__(self, name: str):
        """`name` is the system's for it, unique among those of this user."""
        self.name = name
        self._socket: socket.socket | None = None
        self._last: list[StageProgress] = []
        self._received_at = 0.0
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._socket.bind(_address(name))
        except OSError:
            self._socket = None  # another system, or one that forbids it: nothing comes

    @property
    def works(self) -> bool:
        """Whether anything can come."""
        return self._socket is not None

    def received(self) -> list[StageProgress]:
        """What came last; of a pipe the first stage first."""
        while self._socket is not None:
            try:
                data, control, _flags, _sender = self._socket.recvmsg(_MOST_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
            except OSError:
                break  # there is no more
            if any(_CREDENTIALS.unpack(each[2][: _CREDENTIALS.size])[1] == os.getuid() for each in control):
                self._last, self._received_at = _parsed(data), time.monotonic()
        return self._last

    @property
    def is_stale(self) -> bool:
        """Whether who sent last has said nothing for so long that it must have ended."""
        return time.monotonic() - self._received_at > _STALE_SECONDS

    def close(self) -> None:
        """Takes nothing more."""
        if self._socket is not None:
            self._socket.close()


class ProgressSender:
    """Sends progress to inboxes; it never waits."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def send(self, name: str, several: list[StageProgress]) -> bool:
        """False if there is no such inbox."""
        try:
            self._socket.sendto(orjson.dumps([asdict(one) for one in several]), _address(name))
        except BlockingIOError:
            return True  # it is there, and has enough of ours
        except OSError:
            return False
        return True


class PipeNeighbours:
    """The stages before and after this one in a pipe of processes that share a terminal."""

    def __init__(self) -> None:
        self._output = _link("self", 1)  # now: a run takes standard output for itself later
        self._inbox, self._sender = ProgressInbox(str(os.getpid())), ProgressSender()
        self._next: int | None = None
        self._searched_at = self._looked_at = float("-inf")
        self._is_on_terminal = False

    def received(self) -> list[StageProgress]:
        """The progress of the stages before this one, the first of the pipe first."""
        several = self._inbox.received()
        return [] if self._inbox.is_stale else several

    def hand_on(self, several: list[StageProgress]) -> bool:
        """Gives progress to the next stage of the pipe; False if there is none that can show it."""
        if not self._inbox.works or not self._output.startswith("pipe:"):
            return False
        if self._next is not None and self._sender.send(str(self._next), several):
            return True
        self._next = None
        now = time.monotonic()
        if now - self._searched_at < _SEARCH_SECONDS:
            return False
        self._searched_at = now
        for pid, _fds in _followers(self._output):
            if self._sender.send(str(pid), several):
                self._next = pid
                return True
        return False

    def leads_to_terminal(self) -> bool:
        """Whether what this stage writes may appear on the terminal; looks once a second."""
        if not self._output.startswith("pipe:"):
            return self._output.startswith(("/dev/pts/", "/dev/tty", "/dev/console"))
        now = time.monotonic()
        if now - self._looked_at >= _SEARCH_SECONDS:
            self._looked_at, terminal = now, _link("self", 2)
            self._is_on_terminal = any(terminal in links for _pid, links in _followers(self._output))
        return self._is_on_terminal


def _address(name: str) -> str:
    return f"\0libra-progress-{os.getuid()}-{name}"  # abstract: no file that could be left behind


def _parsed(data: bytes) -> list[StageProgress]:
    try:
        given: Any = orjson.loads(data)
        return [StageProgress(**fields) for fields in given]
    except (ValueError, TypeError):
        return []  # another version of libra


def _followers(pipe: str) -> Iterator[tuple[int, list[str]]]:
    """The processes of our group that read `pipe`, then those that read their output; each with what it writes to."""
    pipes, seen = [pipe], {pipe}
    group, own = os.getpgrp(), os.getpid()
    members = [pid for name in os.listdir("/proc") if name.isdigit() and (pid := int(name)) != own and _in(group, pid)]
    while pipes:
        wanted = pipes.pop(0)
        for pid in members:
            if _link(pid, 0) != wanted:
                continue
            links = _written(pid)
            yield pid, links
            new = [link for link in links if link.startswith("pipe:") and link not in seen]
            seen.update(new)
            pipes += new


def _in(group: int, pid: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except OSError:
        return False  # it ended meanwhile, or is another user's


def _written(pid: int) -> list[str]:
    """What the descriptors of a process lead to, except its standard input and error."""
    try:
        return [_link(pid, int(fd)) for fd in os.listdir(f"/proc/{pid}/fd") if fd not in ("0", "2")]
    except OSError:
        return []


def _link(pid: int | str, fd: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return ""
