"""Ranks that are frozen, killed or slow, on one machine and without a launcher: who notices, and what it says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import thinned
from launched_ranks import start_ranks, until

from libra_cli.exits import Exit
from libra_cli.training.distributed import rank_watch

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
