"""Pool of worker processes for pairs that need computer algebra; the parent enforces a deadline for each pair.

The deadline counts processor time, so that a machine under load changes no label; by the clock it is PATIENCE times as
long. The pool uses neither SIGALRM nor threads, so it works in any thread and under any signal mask. A pair stays
undecided if its worker misses the deadline or if two workers die on it. Either way the pool replaces the worker. Use
one pool from one thread at a time.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

from libra_cli.answers.comparison.equal import Decision, decide_quickly
from libra_cli.answers.process import canary
from libra_cli.answers.process.worker import START_SECONDS
from libra_cli.answers.time_limit import HARD_SECONDS, TIMEOUT
from libra_cli.exits import Exit, Fatal

SOFT_SECONDS = 0.5
PATIENCE = 30
"""How many times its limit of processor time a pair may take by the clock: its worker may be stopped, or starved."""
MAX_FAILED_STARTS = 3
MAX_ATTEMPTS = 2
"""Number of workers that may die on a pair; the pair may not be to blame for the death of the first."""
MEMO = 1 << 16
"""Number of decisions by computer algebra that a pool keeps."""

_BOOT = (
    r"import sys; sys.path[:] = sys.argv.pop().split('\n'); import libra_cli.answers.process.worker as it; it.main()"
)

Pair = tuple[str, str]
_lock = threading.Lock()


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """One process: `starting` until it reports ready, then idle, or busy with `pair`."""

    def __init__(self) -> None:
        roots = [str(Path(__file__).resolve().parents[2]), *(path for path in sys.path if os.path.isabs(path))]
        # The hash seed is fixed, because it may change sympy's order of terms and so what sympy decides in time.
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-c", _BOOT, str(os.getpid()), "\n".join(roots)],
            env={"PYTHONHASHSEED": "0"},
            cwd="/",
            bufsize=0,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.pair: Pair | None = None
        self.starting = True
        self.deadline = time.monotonic() + START_SECONDS
        self._end = self.deadline
        """When it is ended, however little it has worked."""
        self._worked = 0.0
        """Seconds of processor time before its pair."""
        self._buffer = b""

    @property
    def out(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def give(self, pair: Pair, soft: float, hard: float) -> bool:
        """Send a pair with its limits in seconds; False if the process has died."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps([*pair, soft]).encode() + b"\n")
        except BrokenPipeError:
            return False
        now = time.monotonic()
        self.pair, self._worked, self.deadline, self._end = pair, self._seconds(), now + hard, now + PATIENCE * hard
        return True

    def is_late(self, hard: float) -> bool:
        """Whether it has used up its time; else its deadline moves to when it may have, on a machine under load."""
        now = time.monotonic()
        if now < self.deadline:
            return False
        if self.pair is not None and now < self._end:
            left = hard - (self._seconds() - self._worked)
            if left > 0:
                self.deadline = min(now + left, self._end)
                return False
        return True

    def _seconds(self) -> float:
        """Processor time of the process so far; the clock where a system does not tell that of other processes."""
        if sys.platform != "linux":
            return time.monotonic()
        try:
            return time.clock_gettime((~self.process.pid << 3) | 2)  # CPUCLOCK_SCHED of linux/posix-timers.h
        except OSError:
            return time.monotonic()  # it has died

    def line(self) -> Any:
        """Next line, parsed as JSON; None if it is not complete yet. Raises EOFError if the process has ended."""
        read = os.read(self.out, 1 << 16)
        if not read:
            raise EOFError
        self._buffer += read
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        self._buffer = rest
        return json.loads(line)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Pool:
    """Up to `jobs` workers, started on demand; a pair may take `soft` or, where that ends nothing, `hard` CPU seconds.

    As a context manager it ends its processes. Raises Fatal(6) if no worker starts or if one gets a canary pair wrong.
    """

    def __init__(self, jobs: int = 1, soft: float = SOFT_SECONDS, hard: float = HARD_SECONDS):
        self._jobs, self._soft, self.hard = jobs, soft, hard
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._queue: deque[Pair] = deque()
        self._asked: dict[Pair, list[Hashable]] = {}
        self._attempts: dict[Pair, int] = {}
        self._decisions: dict[Pair, Decision] = {}
        self._done: list[tuple[Any, Decision]] = []
        self._failed_starts = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes; safe to call twice."""
        for worker in list(self._workers.values()):
            self._drop(worker)
        self._selector.close()

    @property
    def pending(self) -> bool:
        """Whether `collect` has decisions to return, now or later."""
        return bool(self._asked or self._done)

    @property
    def at_work(self) -> list[int]:
        """Ids of the processes that are busy with a pair."""
        return [worker.process.pid for worker in self._workers.values() if worker.pair is not None]

    def decide_many(self, pairs: Iterable[Pair]) -> list[Decision]:
        """Decide each (reference, answer), in order; only pairs that need computer algebra go to a worker."""
        decisions: dict[int, Decision] = {}
        for number, (reference, answer) in enumerate(pairs):
            quick = decide_quickly(reference, answer)
            if quick is None:
                self.submit((reference, answer), number)
            else:
                decisions[number] = quick
        while self.pending:
            decisions.update(self.collect(self.hard))
        return [decisions[number] for number in range(len(decisions))]

    def submit(self, pair: Pair, token: Any) -> None:
        """Queue a pair, whose decision `collect` returns with `token`; equal pairs are decided once."""
        decision = self._decisions.get(pair)
        if decision is not None:
            self._done.append((token, decision))
        elif pair in self._asked:
            self._asked[pair].append(token)
        else:
            self._asked[pair] = [token]
            self._queue.append(pair)

    def forget_queue(self) -> None:
        """Drop the pairs that no worker has begun; `collect` never returns their tokens."""
        for pair in self._queue:
            del self._asked[pair]
        self._queue.clear()

    def collect(self, wait: float) -> list[tuple[Any, Decision]]:
        """Return new decisions as (token, decision); waits up to `wait` seconds for the first."""
        until = time.monotonic() + wait
        while True:
            self._hand_out()
            self._listen(0 if self._done else self._patience(until))
            self._enforce_deadlines()
            if self._done or time.monotonic() >= until or not self._asked:
                done, self._done = self._done, []
                return done

    def _patience(self, until: float) -> float:
        """Seconds until the next deadline, at most until `until`."""
        deadlines = [worker.deadline for worker in self._workers.values() if worker.pair or worker.starting]
        return max(0.0, min([until, *deadlines]) - time.monotonic())

    # -- processes ----------------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Give queued pairs to idle workers, and start another worker if all are busy."""
        for worker in [worker for worker in self._workers.values() if worker.pair is None and not worker.starting]:
            if not self._queue:
                return
            if worker.give(self._queue[0], self._soft, self.hard):
                self._queue.popleft()
            else:
                self._drop(worker)  # it died while idle, so no pair is lost
        starting = sum(worker.starting for worker in self._workers.values())
        if len(self._queue) > starting and len(self._workers) < self._jobs:
            try:
                worker = _Worker()
            except OSError as error:
                raise _broken(f"no process could be started ({error.strerror})") from None
            self._workers[worker.out] = worker
            self._selector.register(worker.out, selectors.EVENT_READ)

    def _drop(self, worker: _Worker) -> None:
        self._selector.unregister(worker.out)
        del self._workers[worker.out]
        worker.kill()

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            worker = self._workers[key.fd]
            try:
                line = worker.line()
            except EOFError:
                self._bury(worker, "verify_crashed")
                continue
            if line is not None and worker.starting:
                broken = line if isinstance(line, str) else canary.failure(line)
                if broken:
                    raise _broken(broken)
                worker.starting, self._failed_starts = False, 0
            elif line is not None and worker.pair is not None:
                pair, worker.pair = worker.pair, None
                self._settle(pair, Decision(line[0], "symbolic", line[1]))

    def _enforce_deadlines(self) -> None:
        for worker in list(self._workers.values()):
            if (worker.pair or worker.starting) and worker.is_late(self.hard):
                self._bury(worker, TIMEOUT)

    def _bury(self, worker: _Worker, reason: str) -> None:
        """End a worker; its pair stays undecided, or gets another try if the worker died by itself."""
        self._drop(worker)
        if worker.pair is not None:
            self._attempts[worker.pair] = attempts = self._attempts.get(worker.pair, 0) + 1
            if reason == "verify_crashed" and attempts < MAX_ATTEMPTS:
                self._queue.appendleft(worker.pair)
            else:
                self._settle(worker.pair, Decision(None, "symbolic", reason))
        elif worker.starting:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise _broken_by_status(worker.process.returncode)

    def _settle(self, pair: Pair, decision: Decision) -> None:
        if len(self._decisions) >= MEMO:
            del self._decisions[next(iter(self._decisions))]
        self._decisions[pair] = decision
        self._attempts.pop(pair, None)
        self._done += [(token, decision) for token in self._asked.pop(pair, ())]


def _broken_by_status(status: int | None) -> Fatal:
    """Says how the workers ended, which did not even begin."""
    if status != -signal.SIGKILL:
        return _broken(f"its worker process ended with status {status}")
    cure = "give it more memory, or fewer workers (-j 1)"
    return Fatal(Exit.BACKEND, f"the answer verifier's worker process was killed (out of memory?); {cure}")


def _broken(problem: str) -> Fatal:
    remedy = "run libra doctor, and reinstall math-verify and sympy"
    return Fatal(Exit.BACKEND, f"the answer verifier does not work here: {problem}; {remedy}")


# -- a shared pool for callers without one ----------------------------------------------------------------------------

_shared: tuple[int, Pool] | None = None


def decide(reference: str, answer: str) -> Decision:
    """Decide whether `answer` equals `reference`, from any thread; hard pairs go to one worker of this process."""
    quick = decide_quickly(reference, answer)
    if quick is not None:
        return quick
    global _shared
    with _lock:
        if _shared is None or _shared[0] != os.getpid():  # a forked child must not use its parent's workers
            pool = Pool()
            atexit.register(pool.close)
            _shared = (os.getpid(), pool)
        return _shared[1].decide_many([(reference, answer)])[0]
