"""Signs of life of the ranks that train: one that is killed, frozen or lost with its node ends the run on all of them.

A collective would wait for such a rank for days. So each rank counts on, in a thread of its own, at the store at which
the ranks met, which rank 0 (or torchrun) keeps. Rank 0 looks whether all count on, the others whether rank 0 does.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from typing import NamedTuple

import torch.distributed as dist

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import write_message
from libra_cli.stream.ending import ERROR, tell
from libra_cli.stream.signals import StopNow, leave
from libra_cli.training.distributed.meeting import MEETING_SECONDS
from libra_cli.training.distributed.store import is_refused, open_store
from libra_cli.training.distributed.world import ReportedByRank0

SILENCE = 60.0
"""Seconds without a sign of life after which a rank is given up."""
SILENCE_AFTER_BREAK = 5.0
"""The same, once a rank has lost a connection to another one: then one of them is gone."""
ALIVE_EVERY = 1.0
CAUSE_SECONDS = 15.0
"""For rank 0 to find whose connection broke."""
OWN_WORDS_SECONDS = 3.0
"""For a rank that fails as another one does to say so itself, and for all to hear that rank 0 has ended."""
_LEFT = 1 << 40
"""Added to the signs of life of a rank that has ended in order."""


class RankLoss(NamedTuple):
    """Why the run ends on all ranks."""

    message: str
    status: Exit


class RankWatch:
    """Ends this process if another rank is gone; `with` it, the ranks train. All of them have one, or none."""

    _entered = 0
    """Of this process: runs that follow each other at one store have keys of their own."""

    def __init__(self, rank: int, size: int, stage: str):
        self._rank, self._size, self._stage = rank, size, stage
        self._closed = threading.Event()
        self._hurry = False
        self._hosts: dict[int, str] = {}
        self._watched = [0] if rank else range(1, size)
        self._beats = [0] * size
        self._silent = [SILENCE - MEETING_SECONDS] * size
        """Seconds since the last sign of life of each rank, as far as this rank was awake; before `connected` the first
        may come late."""
        self._ended: Exit | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RankWatch:
        if self._size > 1:
            RankWatch._entered += 1
            self._store = open_store(f"ranks/{RankWatch._entered}")
            self._store.set(f"host/{self._rank}", socket.gethostname())
            self._store.add(f"alive/{self._rank}", 1)
            for run in (self._talk, self._look):
                thread = threading.Thread(target=run, name="libra-rank-watch", daemon=True)
                thread.start()
                self._threads.append(thread)
        return self

    def connected(self) -> None:
        """Says that all ranks have begun: from now on their silence counts, and rank 0 has said where it is."""
        if self._size > 1:
            self._silent = [max(0.0, seconds) for seconds in self._silent]
            self._name(0)  # its store may not say so any more when it is needed

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Says how this rank ends; rank 0 waits a moment, so that all hear of it."""
        if self._size == 1:
            return
        self._closed.set()
        self._threads[0].join(OWN_WORDS_SECONDS)  # it uses the store; rank 0 may not answer it
        if self._threads[0].is_alive():
            return
        failed = None if isinstance(error, (ReportedByRank0, StopNow)) else error
        status = Exit.DONE if failed is None else _status_of(failed)
        with suppress(OSError, RuntimeError):  # rank 0 is gone
            if self._rank == 0:
                self._store.set("ended", str(int(status)))
                deadline = time.monotonic() + (SILENCE if status == Exit.DONE else OWN_WORDS_SECONDS)
                while time.monotonic() < deadline and not self._all_left():
                    time.sleep(0.02)
                return
            if failed is not None and not self._store.check(["lost"]):
                words = str(failed) if isinstance(failed, Fatal) else f"failed ({type(failed).__name__}: {failed})"
                self._store.set("lost", json.dumps([f"{self._name(self._rank)}: {words}", int(status)]))
            self._store.add(f"alive/{self._rank}", _LEFT)

    def cause_of(self, error: RuntimeError) -> BaseException:
        """What to raise for an error that may be a lost connection to a rank that is gone.

        Does not return if there is such a rank: all ranks end, and rank 0 says which it was.
        """
        if not self._threads or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            return error
        self._hurry = True
        self._closed.wait(CAUSE_SECONDS)
        return error if self._ended in (None, Exit.DONE) else ReportedByRank0(self._ended, str(error))

    # -- threads ------------------------------------------------------------------------------------------------------

    def _talk(self) -> None:
        """Says that this rank is alive, and hears of the others."""
        while not self._closed.wait(ALIVE_EVERY):
            try:
                self._store.add(f"alive/{self._rank}", 1)
                if self._hurry:
                    self._store.add("hurry", 1)
                loss = self._heard()
            except (OSError, RuntimeError):
                if self._closed.is_set():
                    return
                loss = None
                if is_refused():
                    loss = self._gone([0])
                else:
                    with suppress(OSError, RuntimeError):
                        self._store = open_store(f"ranks/{RankWatch._entered}")
            if loss is not None and not self._closed.is_set():  # else this rank has ended, too
                self._end(loss)

    def _heard(self) -> RankLoss | None:
        """What the store says of the other ranks."""
        if self._rank and self._store.check(["ended"]):
            self._ended = Exit(int(self._store.get("ended")))
            if self._ended != Exit.DONE and not self._closed.wait(OWN_WORDS_SECONDS):
                leave(self._ended)  # rank 0 says why
            self._closed.set()
            return None
        if self._store.check(["lost"]):
            message, status = json.loads(self._store.get("lost"))
            return None if self._closed.wait(OWN_WORDS_SECONDS) else RankLoss(message, Exit(status))
        hurry = self._store.add("hurry", 0) > 0
        for rank in self._watched:
            beats = self._store.add(f"alive/{rank}", 0)
            self._silent[rank] = 0.0 if beats != self._beats[rank] or beats >= _LEFT else self._silent[rank]
            self._beats[rank] = beats
        bound = SILENCE_AFTER_BREAK if hurry else SILENCE
        if max(self._silent[rank] for rank in self._watched) < bound:
            return None
        loss = self._gone([rank for rank in self._watched if self._silent[rank] > bound - 2 * ALIVE_EVERY])
        self._store.set("lost", json.dumps([loss.message, int(loss.status)]))
        return loss

    def _look(self) -> None:
        """Counts the silence of the others, not the time for which this process was stopped itself."""
        before = time.monotonic()
        while not self._closed.wait(ALIVE_EVERY):
            now = time.monotonic()
            passed, before = min(now - before, 2 * ALIVE_EVERY), now
            for rank in self._watched:
                self._silent[rank] += passed
            if self._rank and self._silent[0] > SILENCE + 2 * ALIVE_EVERY:  # its store does not answer either
                self._end(self._gone([0]))

    # -- the end ------------------------------------------------------------------------------------------------------

    def _gone(self, ranks: list[int]) -> RankLoss:
        names = ", ".join(self._name(rank) for rank in ranks[:8]) + (f" and {len(ranks) - 8} more" * (len(ranks) > 8))
        what = f"{names} {'is' if len(ranks) == 1 else 'are'} gone (killed, frozen, or cut off)"
        return RankLoss(f"{what}; the same command continues", Exit.BACKEND)

    def _name(self, rank: int) -> str:
        with suppress(OSError, RuntimeError):  # the store is gone
            if rank not in self._hosts and self._store.check([f"host/{rank}"]):
                self._hosts[rank] = self._store.get(f"host/{rank}").decode()
        unknown = "an unknown host" if rank else os.environ["MASTER_ADDR"]
        return f"rank {rank} on {self._hosts.get(rank, unknown)}"

    def _all_left(self) -> bool:
        return all(self._store.add(f"alive/{rank}", 0) >= _LEFT for rank in range(1, self._size))

    def _end(self, loss: RankLoss) -> None:
        """Ends this process; rank 0 says why, or the first rank of each node, and rank 1, if that is what is gone."""
        of_rank_0 = loss.message.startswith("rank 0 ")
        if self._rank == 0 or (of_rank_0 and (self._rank == 1 or os.environ.get("LOCAL_RANK") == "0")):
            write_message(f"libra {self._stage}: {loss.message}\n")
            tell(ERROR, loss.message)
        if self._rank == 0:
            time.sleep(2 * ALIVE_EVERY)  # the others ask its store
        leave(loss.status)


def _status_of(error: BaseException) -> Exit:
    """The status with which all ranks end if one fails with this error."""
    if isinstance(error, Fatal):
        return error.status
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code in set(Exit) - {Exit.DONE}:
        return Exit(error.code)
    return Exit.INTERNAL
