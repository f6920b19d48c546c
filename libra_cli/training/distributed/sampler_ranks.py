"""Ranks of a run that only sample (`--sampler-ranks`): which they are, and what they and rank 0 tell each other.

The last ranks of a launch sample, and the others train, as a world of their own. The store at which those that train
meet is there first: a sampling rank writes there the address of its server, and that it is alive.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.stream.console import write_message
from libra_cli.stream.ending import ERROR, tell
from libra_cli.stream.signals import leave
from libra_cli.training.distributed.store import open_store

SILENCE = 45.0
"""Seconds without a sign of life after which a sampling rank is given up."""
ALIVE_EVERY, LOOK_EVERY = 1.0, 2.0
JOIN_SECONDS = 600.0
"""For a sampling rank to find the store, and for rank 0 to hear of all sampling ranks."""
LEAVE_SECONDS, LEAVE_SECONDS_AFTER_FAILURE = 30.0, 2.0
"""For the sampling ranks to hear that the run has ended; one may still be at its start, or be what has failed."""
CAUSE_SECONDS = 2.0
"""For a sampling rank to find that its server has ended, which rank 0 may find first."""
PURPOSE = "sampler-ranks"


class SamplerPlace(NamedTuple):
    """A rank that samples: number `number` of those, the `first_device`-th device of its node."""

    rank: int
    number: int
    first_device: int
    devices: int
    """Of the server that this rank starts; 0: an earlier rank's server has this rank's device."""

    @property
    def name(self) -> str:
        return f"rank {self.rank} on {socket.gethostname()}"


def refuse_unfit_ranks(count: int, world: int, tensor_parallel: int) -> None:
    """Raises InvalidOptions if `count` of `world` ranks cannot be the ones that sample."""
    if count >= world:
        ranks = "1 process" if world == 1 else f"{world} processes"
        cure = "start more (--nproc says how many there are on a node)"
        raise InvalidOptions(f"--sampler-ranks {count}: of {ranks} none would train; {cure}")
    if count % tensor_parallel:
        what = f"--sampler-arg tensor_parallel_size={tensor_parallel} does not divide --sampler-ranks {count}"
        raise InvalidOptions(f"{what}; so many of these ranks share a server")


def take_role(count: int, tensor_parallel: int) -> SamplerPlace | None:
    """The place of this rank if it is one of the last `count`, which sample.

    None: it trains, and from now on its environment is that of a rank among those that train. Raises Fatal(2) if the
    ranks of a server are not on one node.
    """
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    local, on_node = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    training = world - count
    if rank < training:
        os.environ["WORLD_SIZE"] = str(training)
        os.environ["LOCAL_WORLD_SIZE"] = str(max(1, min(on_node, training - rank + local)))
        return None
    index = rank - training
    if index % tensor_parallel:
        return SamplerPlace(rank, index, local, 0)
    if tensor_parallel > 1 and local + tensor_parallel > on_node:
        what = f"--sampler-arg tensor_parallel_size={tensor_parallel}: these ranks are not all on one node"
        raise Fatal(Exit.USAGE, f"rank {rank}: {what}; choose --sampler-ranks so that each server's are")
    return SamplerPlace(rank, index, local, tensor_parallel)


def on_one_node() -> bool:
    """Whether all ranks of this launch are on this node; to be asked before `take_role`."""
    return os.environ["WORLD_SIZE"] == os.environ.get("LOCAL_WORLD_SIZE", "1")


# -- the store --------------------------------------------------------------------------------------------------------


def hosting(count: int, train: Callable[[], Exit]) -> Exit:
    """The result of `train` on rank 0, which keeps the store; then `count` sampling ranks are told how it ended.

    Raises what `train` raises or, where a server is what it misses, the reason that a sampling rank gives.
    """
    store = open_store(PURPOSE, host=True)
    ended, patience = Exit.DONE, LEAVE_SECONDS_AFTER_FAILURE
    try:
        ended = train()
        patience = LEAVE_SECONDS
        return ended
    except Fatal as failure:
        deadline = time.monotonic() + CAUSE_SECONDS
        while failure.status == Exit.BACKEND and time.monotonic() < deadline:
            _raise_failure(store)
            time.sleep(0.1)
        raise
    finally:
        store.set("ended", str(int(ended)))
        deadline = time.monotonic() + patience
        while store.add("left", 0) < count and time.monotonic() < deadline:
            time.sleep(0.1)


def _raise_failure(store: Any) -> None:
    """Raises the Fatal with which a sampling rank has ended, if one has."""
    if store.check(["failed"]):
        status, message = json.loads(store.get("failed"))
        raise Fatal(Exit(status), message)


class SamplerMember:
    """What a sampling rank tells rank 0, and hears from it."""

    def __init__(self, place: SamplerPlace):
        self._place = place
        self._store: Any = None
        self._begun = time.monotonic()
        self._told = 0.0

    @property
    def has_joined(self) -> bool:
        """Whether this rank has found the store."""
        return self._store is not None

    def ended(self) -> Exit | None:
        """How the ranks that train have ended, if they have; says that this one has not.

        A rank 0 that has failed says why itself: then this is DONE. Raises Fatal(6) if there is none.
        """
        try:
            if self._store is None:
                self._store = open_store(PURPOSE)
            if time.monotonic() - self._told >= ALIVE_EVERY:
                self._store.add(f"alive/{self._place.number}", 1)
                self._told = time.monotonic()
            if not self._store.check(["ended"]):
                return None
            status = Exit(int(self._store.get("ended")))
            self._store.add("left", 1)
            return status
        except (OSError, RuntimeError) as error:
            if self._store is not None:
                return Exit.DONE
            if time.monotonic() - self._begun > JOIN_SECONDS:
                raise Fatal(Exit.BACKEND, f"{self._place.name} does not find rank 0 ({error})") from None
            return None

    def serves(self, url: str) -> None:
        """Says where the server of this rank is."""
        with suppress(OSError, RuntimeError):  # `ended` finds that there is no rank 0 to tell
            self._store.set(f"url/{self._place.number}", url)

    def failed(self, failure: Fatal) -> None:
        """Says why this rank ends."""
        with suppress(OSError, RuntimeError):
            self._store = self._store or open_store(PURPOSE)
            self._store.set(
                "failed", json.dumps([int(failure.status), f"{self._place.name}, which samples: {failure}"])
            )
            self._store.add("left", 1)


class SamplerRanks:
    """Rank 0's view of the ranks that sample."""

    def __init__(self, count: int, tensor_parallel: int):
        self._count, self._servers = count, range(0, count, tensor_parallel)
        self._store = open_store(PURPOSE)
        self._beats: list[tuple[int, float]] = [(0, time.monotonic() + JOIN_SECONDS - SILENCE)] * count
        """Signs of life of each, and when the last came; the first one may take long."""
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def addresses(self) -> tuple[str, ...]:
        """Waits until all servers answer, and gives their URLs. Raises Fatal if a sampling rank fails or is silent."""
        keys = [f"url/{index}" for index in self._servers]
        while not self._store.check(keys):
            self.look()
            time.sleep(0.2)
        return tuple(self._store.get(key).decode() for key in keys)

    def look(self) -> None:
        """Raises Fatal if a sampling rank has failed, or has been silent for too long."""
        _raise_failure(self._store)
        now = time.monotonic()
        for index in range(self._count):
            beats = self._store.add(f"alive/{index}", 0)
            if beats != self._beats[index][0]:
                self._beats[index] = beats, now
            elif now - self._beats[index][1] > SILENCE:
                rank = int(os.environ["WORLD_SIZE"]) + index
                what = f"rank {rank}, which samples, is gone (no sign of life for {SILENCE:g} s)"
                raise Fatal(Exit.BACKEND, f"{what}; the same command continues")

    def watch(self, stage: str) -> None:
        """From now on a thread ends this process where `look` raises, whatever it is doing."""
        self._thread = threading.Thread(target=self._watch, args=(stage,), name="libra-sampler-ranks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, stage: str) -> None:
        while not self._closed.wait(LOOK_EVERY):
            try:
                self.look()
            except Fatal as failure:
                write_message(f"libra {stage}: {failure}\n")
                tell(ERROR, str(failure))
                leave(failure.status)
