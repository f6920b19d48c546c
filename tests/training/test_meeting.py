"""Where the ranks of a launch meet, with real processes: ports that other programs have, and ranks that do not come."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.training.distributed import meeting
from libra_cli.training.distributed.launch import LOOPBACK, free_port
from libra_cli.training.distributed.meeting import MEETING, MeetingPlace

LAUNCHED = str(Path(__file__).parents[1] / "helpers" / "launched.py")
QUICK = {"BUSY_SECONDS": "2", "MEETING_SECONDS": "90", "TORCH_CPP_LOG_LEVEL": "ERROR"}
STORE = """
import sys, time, torch.distributed as dist
from datetime import timedelta
store = dist.TCPStore("127.0.0.1", int(sys.argv[1]), None, True, timedelta(seconds=9), False)
print("ready", flush=True)
time.sleep(600)
"""
HTTP = """
import http.server, sys
server = http.server.HTTPServer(("", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
print("ready", flush=True)
server.serve_forever()
"""
PROGRAMS = {"another store of torch": STORE, "a server of HTTP": HTTP}


@pytest.fixture
def busy():
    """`busy(kind)`: a port that another program has, which is `silent` or one of PROGRAMS."""
    with ExitStack() as stack:

        def begin(kind: str) -> int:
            if kind == "silent":
                listener = stack.enter_context(socket.create_server(("", 0)))
                return listener.getsockname()[1]
            port = free_port()
            command = [sys.executable, "-c", PROGRAMS[kind], str(port)]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            return port

        yield begin


@pytest.fixture
def ranks(environment, tmp_path):
    """`ranks(size, port, numbers, **env)`: ranks that were started by hand, as processes by their number."""
    started = []

    def begin(size, port, numbers, **env):
        place = {"WORLD_SIZE": str(size), "MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(port)}
        for rank in numbers:
            started.append(subprocess.Popen(
                [sys.executable, LAUNCHED, "reduce", "1", "20"], cwd=tmp_path, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, env={**environment, **QUICK, **place, "RANK": str(rank), **env},
            ))  # fmt: skip
        return started[-len(numbers) :]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def ended(processes):
    """(status, standard output, standard error) of each."""
    said = [process.communicate(timeout=100) for process in processes]
    return [(process.returncode, *each) for process, each in zip(processes, said, strict=True)]


def test_ranks_that_were_started_by_hand_meet(ranks):
    port = free_port()
    assert ended(ranks(2, port, [1, 0])) == [(0, "", ""), (0, "2 ranks: 1\n", "")]


@pytest.mark.parametrize("kind", ["silent", *PROGRAMS])
def test_every_rank_says_that_the_users_port_is_busy(ranks, busy, kind):
    port = busy(kind)
    for status, out, err in ended(ranks(2, port, [0, 1])):
        assert (status, out) == (Exit.BACKEND, "")
        assert f"port {port} of " in err
        assert err.endswith(" is in use by another program; set MASTER_PORT to another\n")
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("kind", ["silent", *PROGRAMS])
def test_ranks_agree_on_the_first_free_one_of_their_ports(ranks, busy, kind):
    taken, free = busy(kind), free_port()
    found = ended(ranks(2, taken, [0, 1], **{MEETING: f"ours:{taken},{free}"}))
    assert [each[:2] for each in found] == [(0, "2 ranks: 1\n"), (0, "")]


def test_two_launches_that_begin_at_one_port_do_not_mix(ranks):
    port, other = free_port(), free_port()
    both = [ranks(2, port, numbers, **{MEETING: f"{name}:{port},{other}"})
            for name, numbers in (("one", [0, 1]), ("two", [1, 0]))]  # fmt: skip
    for launch in both:
        assert sorted(each[:2] for each in ended(launch)) == [(0, ""), (0, "2 ranks: 1\n")]


def test_ports_that_are_all_busy_are_named(ranks, busy):
    first, second = busy("silent"), busy("silent")
    for status, _, err in ended(ranks(2, first, [0, 1], **{MEETING: f"ours:{first},{second}"})):
        assert status == Exit.BACKEND
        assert f"the ports {first}, {second} of " in err
        assert "are in use by other programs; set MASTER_PORT to a free one" in err


def test_every_rank_says_which_did_not_come(ranks):
    port = free_port()
    for status, _, err in ended(ranks(4, port, [0, 2], MEETING_SECONDS="20")):
        assert status == Exit.BACKEND
        assert "2 ranks (1, 3) did not come to " in err
        assert f", port {port}, within 20 s; see why they did not start, or cannot reach it" in err


def test_a_rank_says_that_it_has_not_met_rank_0(ranks):
    port = free_port()
    [(status, _, err)] = ended(ranks(2, port, [1], MEETING_SECONDS="3"))
    assert status == Exit.BACKEND
    assert f"has not met rank 0 at 127.0.0.1, port {port}, within 3 s (Connection refused); see why rank 0" in err


def test_ranks_end_when_rank_0_ends_before_all_have_come(ranks):
    zero, one = ranks(3, free_port(), [0, 1])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _is_connected(one.pid):
        time.sleep(0.1)
    time.sleep(1)
    zero.send_signal(signal.SIGKILL)
    [(status, _, err)] = ended([one])
    assert status == Exit.BACKEND
    assert "rank 0 on 127.0.0.1 ended before all ranks had met; see its message" in err


def _is_connected(pid: int) -> bool:
    return any(one.status == "ESTABLISHED" for one in psutil.Process(pid).net_connections())


def test_one_rank_needs_no_port_of_the_user(ranks, busy):
    assert ended(ranks(1, busy("silent"), [0])) == [(0, "1 ranks: 0\n", "")]


def test_programs_that_connect_and_are_silent_keep_no_rank_waiting(ranks):
    port, silent = free_port(), []
    zero = ranks(2, port, [0], BUSY_SECONDS="60")
    deadline = time.monotonic() + 60
    with ExitStack() as stack:
        while len(silent) < 4 and time.monotonic() < deadline:
            with suppress(ConnectionRefusedError):
                silent.append(stack.enter_context(socket.create_connection((LOOPBACK, port))))
            time.sleep(0.1)
        assert [each[:2] for each in ended(ranks(2, port, [1]) + zero)] == [(0, ""), (0, "2 ranks: 1\n")]


def test_a_rank_that_has_left_again_has_not_come(monkeypatch):
    """It greets, and gives up before it hears the answer; it comes again."""
    monkeypatch.setattr(meeting, "MEETING_SECONDS", 2.0)
    place = MeetingPlace(0, 2, LOOPBACK, (free_port(),), "ours")
    with ThreadPoolExecutor() as pool:
        host = pool.submit(meeting._host, place)
        time.sleep(0.3)
        with socket.create_connection((LOOPBACK, place.ports[0])) as early:
            early.sendall(f"{place.greeting} 1\n".encode())
        error = host.exception(30)
    assert isinstance(error, Fatal)
    assert "1 rank (1) did not come to " in str(error)


def test_a_thousand_ranks_that_do_not_come_are_counted(monkeypatch):
    monkeypatch.setattr(meeting, "MEETING_SECONDS", 2.0)
    port = free_port()
    with ThreadPoolExecutor() as pool:
        host = pool.submit(meeting._host, MeetingPlace(0, 2000, LOOPBACK, (port,), "ours"))
        find = pool.submit(meeting._find, MeetingPlace(1, 2000, LOOPBACK, (port,), "ours"))
        said = [str(each.exception(30)) for each in (host, find)]
    named = ", ".join(map(str, range(2, 22)))
    assert [each.partition(" did not come to ")[0] for each in said] == [f"1,998 ranks ({named}, ...)"] * 2


@pytest.mark.parametrize(("address", "alone"), [(LOOPBACK, True), ("node07", False), ("10.0.0.7", False)])
def test_the_port_is_open_to_other_machines_only_if_ranks_are_there(address, alone):
    with meeting._listen(MeetingPlace(0, 2, address, (0,), "ours")) as listener:
        assert listener.getsockname()[0] == LOOPBACK if alone else listener.getsockname()[0] in ("::", "0.0.0.0")
