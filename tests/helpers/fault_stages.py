"""Stages for tests only: the kernel with nothing on it, and a worker that scrambles, stalls or breaks on request.

Run as `python tests/helpers/fault_stages.py STAGE ...`: real processes of the real command line.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from libra_cli import main
from libra_cli.cli.command import stage
from libra_cli.cli.stage_options import option
from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows, signals
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.run import Run


@stage("pass")
def passing(run: Run) -> None:
    """Write every row as it came."""
    run.map_rows(lambda row: rows.extend(row, None))


@stage("measure", reads={"question": str}, writes=["length"])
@option("--seconds", type=float, default=0.0, shapes_rows=False, help="Time for each row.")
@option("--noise", is_flag=True, shapes_rows=False, help="Print to standard output as libraries do.")
@option("--poison", help="Raise ValueError for a question that holds this.")
@option("--until", metavar="FILE", shapes_rows=False, help="Work on the question `wait` until FILE is there.")
def measure(run: Run, seconds: float, noise: bool, poison: str | None, until: str | None) -> None:
    """Add the length of the question, slowly or noisily where asked to."""

    def with_length(row: Row) -> bytes:
        time.sleep(seconds)
        while until and row.fields["question"] == "wait" and not os.path.exists(until):
            time.sleep(0.01)
        if noise:
            print("a library prints")
            os.write(1, b"compiled code prints\n")
            subprocess.run(["echo", "a child prints"], check=True)
        if poison and poison in row.fields["question"]:
            raise ValueError("poisoned")
        return rows.extend(row, {"length": len(row.fields["question"])})

    run.map_rows(with_length)


@stage("freeze")
def freeze(run: Run) -> None:
    """Spend minutes in compiled code on the first row, where no Python signal handler can run."""
    run.map_rows(lambda row: rows.extend(row, {"x": hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1 << 30).hex()}))


@stage("load", reads={"question": str}, writes=["answer"])
@option("--stubborn", is_flag=True, shapes_rows=False, help="Spend the time in compiled code.")
def load(run: Run, stubborn: bool) -> None:
    """Load a model for minutes before the first answer."""

    def work(feed: Feed) -> Iterator[tuple[Job, Any] | None]:
        assert feed.has_job()
        with feed.preparing() as doing:
            doing("loading a model")
            os.write(2, b"loads\n")
            hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1 << 30) if stubborn else time.sleep(600)
        yield from ()

    run.map_jobs(work, lambda row: [Job(row, None)], lambda job, answer: {"answer": answer})


@stage("scramble", reads={"question": str}, writes=["answer"], names=["sample"])
@option("--hold", type=int, default=8, shapes_rows=False, help="Jobs at work at most.")
@option("--samples", type=int, default=1, help="Jobs for each row.")
@option("--seed", type=int, default=0, shapes_rows=False, help="Of the order in which jobs end.")
@option("--seconds", type=float, default=0.0, shapes_rows=False, help="Time between two answers.")
@option("--fault", default="", shapes_rows=False, help="What goes wrong: see `broken`.")
@option("--at", "fault_at", type=int, default=5, shapes_rows=False, help="The answer at which it does.")
def scramble(run: Run, **how: Any) -> None:
    """Answer jobs in random order, as an engine does."""
    samples = how.pop("samples")
    run.map_jobs(
        Scrambler(**how).work,
        lambda row: (Job(row, row.fields["question"], {"sample": sample}) for sample in range(samples)),
        lambda job, answer: {"answer": answer},
    )


class Scrambler:
    """Holds jobs and answers them in random order; `largest` is how many it ever held."""

    def __init__(self, hold: int, seed: int, seconds: float, fault: str, fault_at: int):
        self.hold, self.seconds, self.fault, self.fault_at = hold, seconds, fault, fault_at
        self._random = random.Random(seed)
        self._answered = 0

    def work(self, feed: Feed) -> Iterator[tuple[Job, Any] | None]:
        jobs: list[Job] = []
        while not feed.ended or jobs:
            while len(jobs) < self.hold and (job := feed.take(0 if jobs else 0.5)) is not None:
                jobs.append(job)
            if not jobs:
                yield None
                continue
            if self.seconds:
                time.sleep(self.seconds)
            job = jobs.pop(self._random.randrange(len(jobs)))
            self._answered += 1
            if self.fault and self._answered == self.fault_at:
                yield from self.broken(job)
            else:
                yield job, job.work.upper()

    def broken(self, job: Job) -> Iterator[tuple[Job, Any] | None]:
        if self.fault == "raise":
            yield job, ValueError("the engine refused it")
        elif self.fault == "poison":
            yield job, RowError("poison", "the engine died of it twice", attempts=2)
        elif self.fault == "pipe":
            yield job, BrokenPipeError("the connection to the server broke")
        elif self.fault == "twice":
            yield job, "once"
            yield job, "twice"
        elif self.fault == "unknown":
            yield Job(job.row, "never given out", number=10**6), "answer"
        elif self.fault == "drop":
            yield None
        elif self.fault == "crash":
            raise Fatal(Exit.BACKEND, "the engine is gone; start it again")
        elif self.fault == "hang":
            with subprocess.Popen(["sleep", "600"]) as child:
                print(f"child {child.pid}", flush=True)


def register() -> None:
    """Makes the group know the stages above, where it looks for real ones; lets a test say what an echo is."""
    signals.ECHO_SECONDS = float(os.environ.get("ECHO_SECONDS", signals.ECHO_SECONDS))
    for command in (passing, measure, freeze, load, scramble):
        main.STAGES[str(command.name)] = command.short_help or ""
        sys.modules[f"libra_cli.stages.{command.name}.command"] = SimpleNamespace(command=command)  # type: ignore[assignment]


if __name__ == "__main__":
    register()
    main.run()
