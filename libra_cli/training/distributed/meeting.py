"""Where the ranks of a launch meet: rank 0 opens a port, the others find it, and all hear who has not come.

Another program may have the port, and torch would wait for an answer of that program without end. So the first words on
the port are our own; then torch's store takes it over.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted

MEETING = "LIBRA_MEETING"
"""Environment variable with what only the ranks of this launch know, and the ports that rank 0 may open."""
MEETING_SECONDS = 600.0
"""For all ranks to come: some nodes load their programs much later than others."""
BUSY_SECONDS = 15.0
"""For rank 0 to wait for a port, which the run before may be about to leave; the others wait twice as long."""
_GREETING, _HERE, _MET, _MISSING = "libra-meeting", "here", "met", "missing"
_CONNECT_SECONDS = _WORD_SECONDS = 3.0
_LOOK_SECONDS, _ACCEPT_SECONDS = 0.5, 0.1
_LONGEST_LINE = 4096
_NAMED = 20
"""Ranks that a message names; of the others it says how many they are."""
_STORES: list[Any] = []
"""The store that this process keeps, for as long as it lives."""


class _Foreign(Exception):
    """What answers at a port is not rank 0 of this launch."""


@dataclass(frozen=True)
class MeetingPlace:
    """What a rank knows of its launch before it has met the others."""

    rank: int
    size: int
    address: str
    ports: tuple[int, ...]
    """Rank 0 opens the first that is free."""
    token: str
    """Nothing where another launcher has started the ranks."""

    @property
    def greeting(self) -> str:
        return f"{_GREETING} {self.token} {self.size}"

    def is_busy(self, host: str) -> Fatal:
        """The error of all ranks if other programs have the ports."""
        if len(self.ports) == 1:
            what = f"port {self.ports[0]} of {host} is in use by another program; set MASTER_PORT to another"
        else:
            listed = ", ".join(map(str, self.ports))
            what = f"the ports {listed} of {host} are in use by other programs; set MASTER_PORT to a free one"
        return Fatal(Exit.BACKEND, what)


def meet() -> None:
    """Waits until all ranks have met, and sets MASTER_PORT to where they did; torch must be imported.

    Raises Fatal on every rank if no port can be had, or if ranks do not come. Under torchrun, which has a store of its
    own, and where the ranks of this process have a process group already, nothing is done.
    """
    import torch.distributed as dist

    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True" or dist.is_initialized():
        return
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    token, _, ports = os.environ.get(MEETING, "").partition(":")
    known = tuple(map(int, (ports or os.environ["MASTER_PORT"]).split(",")))
    place = MeetingPlace(rank, size, os.environ["MASTER_ADDR"], known if size > 1 else (0,), token)
    os.environ["MASTER_PORT"] = str(_host(place) if rank == 0 else _find(place))


# -- rank 0 -----------------------------------------------------------------------------------------------------------


def _host(place: MeetingPlace) -> int:
    listener = _listen(place)
    port = int(listener.getsockname()[1])
    deadline = time.monotonic() + MEETING_SECONDS
    came: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        stack.callback(listener.close)
        listener.settimeout(_ACCEPT_SECONDS)
        while len(came) < place.size - 1 and time.monotonic() < deadline:
            with suppress(TimeoutError):
                connection = listener.accept()[0]
                threading.Thread(target=_welcome, args=(connection, place, came), daemon=True).start()
        met = dict(came)
        missing = [rank for rank in range(1, place.size) if rank not in met]
        if not missing:
            _open_store(listener, place.address, port)
        named = ",".join(map(str, missing[:_NAMED]))
        word = f"{_MISSING} {len(missing)} {named}" if missing else _MET
        for connection in met.values():
            with suppress(OSError), connection:
                _say(connection, word)
        if missing:
            raise _absent(len(missing), missing[:_NAMED], socket.gethostname(), port)
    return port


def _listen(place: MeetingPlace) -> socket.socket:
    """Opens the first port that is free, to this machine alone if all ranks are on it.

    Raises Fatal if none is free for BUSY_SECONDS.
    """
    host, form = "", {"family": socket.AF_INET6, "dualstack_ipv6": True} if socket.has_dualstack_ipv6() else {}
    with suppress(ValueError):  # a name may be another address on other nodes
        if (address := ipaddress.ip_address(place.address)).is_loopback:
            host, form = place.address, {"family": socket.AF_INET if address.version == 4 else socket.AF_INET6}
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        for port in place.ports:
            try:
                return socket.create_server((host, port), backlog=place.size + 64, **form)  # type: ignore[arg-type]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    what = f"port {port} of {socket.gethostname()} cannot be opened ({error.strerror})"
                    raise Fatal(Exit.BACKEND, f"{what}; set MASTER_PORT to another") from None
        if time.monotonic() > deadline:
            raise place.is_busy(socket.gethostname())
        time.sleep(_LOOK_SECONDS)


def _welcome(connection: socket.socket, place: MeetingPlace, came: dict[int, socket.socket]) -> None:
    """Adds a rank of this launch to those that `came`, once it says that it has heard us.

    Runs in a thread of its own: a program that connects and is silent keeps no rank waiting.
    """
    with suppress(OSError):
        connection.settimeout(BUSY_SECONDS)
        greeting, _, rank = _hear(connection).rpartition(" ")
        if greeting == place.greeting and rank.isdecimal() and 0 < int(rank) < place.size:
            _say(connection, place.greeting)
            if _hear(connection) == _HERE:
                came[int(rank)] = connection  # a rank that was started anew takes its own place
                return
        else:
            _say(connection, "another launch")
    connection.close()


def _open_store(listener: socket.socket, address: str, port: int) -> None:
    """Has torch's store take the port over: those that are made at this port later, in this process, are the same."""
    from datetime import timedelta

    import torch.distributed as dist

    taken = listener.detach()
    within = timedelta(seconds=MEETING_SECONDS)
    _STORES.append(dist.TCPStore(address, port, None, True, within, False, multi_tenant=True, master_listen_fd=taken))


# -- the others -------------------------------------------------------------------------------------------------------


def _find(place: MeetingPlace) -> int:
    begun, busy_since, reason = time.monotonic(), time.monotonic(), ""
    while time.monotonic() < begun + MEETING_SECONDS:
        is_busy = True
        for port in place.ports:
            try:
                with socket.create_connection((place.address, port), _CONNECT_SECONDS) as connection:
                    return _wait(connection, place, port)
            except _Foreign:
                reason = f"another program answers at port {port}"
            except OSError as error:
                is_busy, reason = False, error.strerror or str(error)
        busy_since = busy_since if is_busy else time.monotonic()
        if time.monotonic() > busy_since + 2 * BUSY_SECONDS:
            raise place.is_busy(place.address)
        time.sleep(_LOOK_SECONDS)
    where = f"{place.address}, port {' or '.join(map(str, place.ports))}"
    what = f"rank {place.rank} on {socket.gethostname()} has not met rank 0 at {where}, within {MEETING_SECONDS:g} s"
    raise Fatal(Exit.BACKEND, f"{what} ({reason}); see why rank 0 did not start, or cannot be reached")


def _wait(connection: socket.socket, place: MeetingPlace, port: int) -> int:
    """The port, once all have met. Raises _Foreign if it is not rank 0 that answers, OSError if nobody does."""
    connection.settimeout(_WORD_SECONDS)
    try:
        _say(connection, f"{place.greeting} {place.rank}")
        is_ours = _hear(connection) == place.greeting
        if is_ours:
            _say(connection, _HERE)
    except OSError:
        is_ours = False
    if not is_ours:
        raise _Foreign
    connection.settimeout(MEETING_SECONDS + BUSY_SECONDS)
    try:
        word, *absent = _hear(connection).split(" ")
    except OSError:
        word, absent = "", []
    if word == _MET:
        return port
    if word == _MISSING:
        count, ranks = absent
        raise _absent(int(count), [int(rank) for rank in ranks.split(",")], place.address, port)
    raise Fatal(Exit.BACKEND, f"rank 0 on {place.address} ended before all ranks had met; see its message")


def _absent(count: int, ranks: list[int], host: str, port: int) -> Fatal:
    """The error of all ranks if `count` have not come, the first of which are `ranks`."""
    named = f"{counted(count, 'rank')} ({', '.join(map(str, ranks))}{', ...' if count > len(ranks) else ''})"
    what = f"{named} did not come to {host}, port {port}, within {MEETING_SECONDS:g} s"
    return Fatal(Exit.BACKEND, f"{what}; see why they did not start, or cannot reach it")


def _say(connection: socket.socket, line: str) -> None:
    connection.sendall(f"{line}\n".encode())


def _hear(connection: socket.socket) -> str:
    """The next line; raises OSError if none comes in time."""
    heard = b""
    while not heard.endswith(b"\n") and len(heard) < _LONGEST_LINE:
        piece = connection.recv(1)  # what follows the line is another
        if not piece:
            break
        heard += piece
    return heard.decode("utf-8", "replace").rstrip("\n")
