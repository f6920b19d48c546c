"""Ranks that are frozen, killed or slow, on one machine and without a launcher: who notices, and what it says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import thinned
import torch.distributed as dist
from launched_ranks import start_ranks, until

from libra_cli.exits import Exit
from libra_cli.stream.signals import StopNow
from libra_cli.training.distributed import rank_watch
from libra_cli.training.distributed.launch import LOOPBACK

LAUNCHED = str(Path(__file__).parents[1] / "helpers" / "launched.py")
SILENCE = 6.0
HERE = socket.gethostname()
Ranks = list[subprocess.Popen[bytes]]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ranks]]:
    """`begin(seconds, *how, ranks)` starts ranks that reduce, and waits until all are at it."""
    started: Ranks = []
    monkeypatch.chdir(tmp_path)

    def start(seconds: float, *how: str, ranks: int = 2) -> Ranks:
        words = [sys.executable, LAUNCHED, "watched", "1", "20", str(SILENCE), str(seconds), *how]
        started.extend(start_ranks(words, ranks, tmp_path))
        assert until(lambda: len([path for path in tmp_path.glob("ready.*") if path.stat().st_size]) == ranks, 90)
        return started

    yield start
    for rank in started:
        rank.kill()
        rank.wait()


def said(folder: Path, rank: int) -> str:
    return (folder / f"rank.{rank}").read_text()


def lines(folder: Path, rank: int) -> list[str]:
    return [line for line in said(folder, rank).splitlines() if line.startswith("libra ")]


@pytest.mark.parametrize("frozen", [1, thinned.slow(0), thinned.slow(2)])
def test_a_rank_that_is_frozen_ends_all_of_them(begin, tmp_path: Path, frozen: int) -> None:
    ranks = begin(600, ranks=3 if frozen == 2 else 2)
    ranks[frozen].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    alive = [rank for number, rank in enumerate(ranks) if number != frozen]
    assert [rank.wait(SILENCE + 30) for rank in alive] == [Exit.BACKEND] * len(alive)
    assert time.monotonic() - began > SILENCE - 2
    speaker = 0 if frozen else 1
    message = f"libra sft: rank {frozen} on {HERE} is gone (killed, frozen, or cut off); the same command continues"
    assert lines(tmp_path, speaker) == [message]
    if len(ranks) == 3:
        assert lines(tmp_path, 1) == []


def test_a_rank_that_is_lost_before_the_ranks_connect_ends_all_of_them(begin, tmp_path: Path) -> None:
    ranks = begin(600, "early")
    assert ranks[0].wait(SILENCE + 30) == Exit.BACKEND
    assert lines(tmp_path, 0)[0].startswith(f"libra sft: rank 1 on {HERE} is gone")


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_rank_that_is_killed_is_named(begin, tmp_path: Path, killed: int) -> None:
    """It takes some seconds, not the whole silence: the connection to it is lost."""
    ranks = begin(600, ranks=2)
    ranks[killed].kill()
    other = 1 - killed
    assert ranks[other].wait(30) == Exit.BACKEND
    assert lines(tmp_path, other)[0].startswith(f"libra sft: rank {killed} on {HERE} is gone")
    assert "Traceback" not in said(tmp_path, other)


@pytest.mark.slow
def test_a_rank_that_fails_is_heard_with_its_words(begin, tmp_path: Path) -> None:
    ranks = begin(600, "fails")
    assert [rank.wait(30) for rank in ranks] == [Exit.INTERNAL, 1]
    assert lines(tmp_path, 0) == [f"libra sft: rank 1 on {HERE}: failed (ValueError: no such weight)"]


@pytest.mark.slow
def test_a_long_step_and_a_pause_of_all_ranks_are_no_silence(begin) -> None:
    ranks = begin(2 * SILENCE, "slow")
    for kind, seconds in ((signal.SIGSTOP, 1.5 * SILENCE), (signal.SIGCONT, 0)):
        for rank in ranks:  # as Ctrl-Z and fg
            rank.send_signal(kind)
        time.sleep(seconds)
    assert [rank.wait(60) for rank in ranks] == [0, 0]


@pytest.mark.slow
def test_ranks_that_end_in_order_leave_at_once(begin) -> None:
    began = time.monotonic()
    ranks = begin(0.5)
    assert [rank.wait(60) for rank in ranks] == [0, 0]
    assert time.monotonic() - began < 60


def test_one_rank_watches_nobody() -> None:
    with rank_watch.RankWatch(0, 1, "sft") as watch:
        error = RuntimeError("gloo: Connection reset by peer")
        assert watch.cause_of(error) is error
    assert os.getpid()


def test_a_watch_that_has_not_begun_knows_no_cause() -> None:
    error, began = RuntimeError("gloo: Connection reset by peer"), time.monotonic()
    assert rank_watch.RankWatch(0, 2, "sft").cause_of(error) is error
    assert time.monotonic() - began < SILENCE


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the next watch of this process finds at a store that no rank keeps, as under torchrun."""
    keeper = dist.TCPStore(LOOPBACK, 0, None, True, timedelta(seconds=9), False)
    for name, value in {"MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(keeper.port)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rank_watch, "ALIVE_EVERY", 0.1)
    return dist.PrefixStore(f"libra/ranks/{rank_watch.RankWatch._entered + 1}/0", keeper)


@pytest.mark.usefixtures("kept")
def test_a_rank_0_that_is_silent_is_noticed_although_its_store_answers(kept: Any, monkeypatch, capfd) -> None:
    left: list[int] = []
    monkeypatch.setattr(rank_watch, "SILENCE", 1.0)
    monkeypatch.setattr(rank_watch, "leave", left.append)
    kept.set("host/0", "node07")
    with rank_watch.RankWatch(1, 2, "sft"):
        for _ in range(20):
            kept.add("alive/0", 1)
            time.sleep(0.1)
        assert left == []
        assert until(lambda: left, 10)
    assert left[0] == Exit.BACKEND
    assert "libra sft: rank 0 on node07 is gone (killed, frozen, or cut off)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"),
    [(SystemExit(74), Exit.WRITE_FAILED), (SystemExit("no"), Exit.INTERNAL), (KeyboardInterrupt(), Exit.INTERRUPTED)],
)
def test_a_rank_that_is_made_to_exit_has_failed(kept: Any, error: BaseException, status: Exit) -> None:
    with pytest.raises(type(error)), rank_watch.RankWatch(1, 2, "sft"):
        raise error
    assert json.loads(kept.get("lost"))[1] == status


def test_a_rank_that_is_asked_to_stop_has_not_failed(kept: Any) -> None:
    with pytest.raises(StopNow), rank_watch.RankWatch(1, 2, "sft"):
        raise StopNow
    assert not kept.check(["lost"])


def test_rank_0_waits_for_ranks_that_take_their_time_to_end(kept: Any, monkeypatch) -> None:
    monkeypatch.setattr(rank_watch, "OWN_WORDS_SECONDS", 0.2)
    threading.Timer(1.5, lambda: kept.add("alive/1", rank_watch._LEFT)).start()
    with rank_watch.RankWatch(0, 2, "sft"):
        began = time.monotonic()
    assert 1.0 < time.monotonic() - began < 20
    assert kept.get("ended") == b"0"


def test_a_store_that_closes_as_a_rank_ends_is_the_end(kept: Any, monkeypatch) -> None:
    left: list[int] = []
    asked, ending = threading.Event(), threading.Event()
    monkeypatch.setattr(rank_watch, "leave", left.append)
    monkeypatch.setattr(rank_watch, "is_refused", lambda: (asked.set(), ending.wait(9))[1])
    with rank_watch.RankWatch(1, 2, "sft") as watch:
        monkeypatch.setattr(watch, "_heard", lambda: (_ for _ in ()).throw(RuntimeError("refused")))
        assert asked.wait(9)
        threading.Timer(0.5, ending.set).start()
    assert left == []
