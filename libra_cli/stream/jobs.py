"""Jobs: the work that a stage makes from its rows for an engine, a server or a pool of processes.

A worker takes jobs from a Feed and answers them in any order. RowFeed makes the jobs from rows, and turns the answers
into lines in the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from libra_cli.exits import Fatal
from libra_cli.stream.ledger import Ledger
from libra_cli.stream.monitor import Progress
from libra_cli.stream.reorder import OrderWindow
from libra_cli.stream.rows import NewFields, Row
from libra_cli.stream.signals import StopRequest


@dataclass
class Job:
    """One piece of work made from a row."""

    row: Row
    work: Any
    """What the worker understands."""
    names: dict[str, Any] = field(default_factory=dict)
    """Fields that tell it from the row's other jobs (model, sample)."""
    number: int = -1
    answer: Any = None
    """An answer that is known already: no worker sees the job."""


Answer = Any
"""What a worker gives back for a job: anything that the stage's `finish` understands, or an exception."""

Worker = Callable[["Feed"], Iterator["tuple[Job, Answer] | None"]]
"""Takes jobs from a Feed and yields (job, answer) as they finish, in any order; None at least each second when idle."""

NextRow = Callable[["float | None"], "Row | None"]
"""The next row; None if none came within so many seconds, or at the end."""

FastPath = Callable[[Row], "NewFields | None"]
"""The new fields of a row that needs no worker; None for a row that does."""

MakeLine = Callable[[Row, Mapping[str, Any]], "bytes | None"]
"""The line of a row from its new fields; None if the stage keeps the row and writes it later."""


class Feed:
    """What a worker takes its jobs from; at most as many are begun and not finished as `window` holds."""

    ended = False
    """No job will come any more."""
    parts = 0
    """Parts of jobs that were answered: a long job that makes progress has not stalled."""
    tokens = 0
    """Tokens of all answers."""
    read_before: int | None = None
    """Jobs of all rows before the last, where all rows make jobs."""
    doing = ""
    """What the worker does before it takes jobs, for people."""

    def __init__(self, stop: StopRequest, window: OrderWindow[Any]):
        self._stop, self._window = stop, window
        self._held: Job | None = None
        self._prepares = False

    @property
    def stopping(self) -> bool:
        """A stop is requested: what is not at work yet need not begin."""
        return self._stop.status is not None

    @property
    def ready(self) -> int:
        """Jobs answered whose rows wait for their turn."""
        return self._window.open - self._window.at_work

    def progress(self) -> Progress:
        """How many jobs are at work, and how many are answered, whole or in part."""
        return Progress(self._window.at_work, self._window.settled + self.parts)

    @contextmanager
    def preparing(self) -> Iterator[Callable[[str], None]]:
        """A block that begins with the loading of a model, for as long as no job is taken.

        No job is at work meanwhile, so that a request to stop ends the block at once. Gives a function that takes what
        is being done (`doing`).
        """

        def note(doing: str) -> None:
            self.doing = doing

        self._prepares = True
        try:
            with self._stop.at_once():
                yield note
        finally:
            self._prepares, self.doing = False, ""

    def has_job(self) -> bool:
        """Waits for the first job; False if there will be none, so that no model need be loaded."""
        while self._held is None and not self.ended:
            self._held = self._next(None)
        return self._held is not None

    def take(self, wait: float | None) -> Job | None:
        """The next job; None if the window is full, nothing came within `wait` seconds, or the input ended.

        A worker with answers to wait for passes 0; one with nothing to do passes None.
        """
        if self._prepares:
            self._stop.waits_again()
            self._prepares, self.doing = False, ""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        return self._next(wait)

    def _next(self, wait: float | None) -> Job | None:
        raise NotImplementedError


class JobFeed(Feed):
    """Jobs that another part of the stage has made; at most `window` are at work. Nothing is written or counted."""

    def __init__(self, jobs: Iterator[Job], window: int, stop: StopRequest):
        super().__init__(stop, OrderWindow(window, ordered=False))
        self._jobs = jobs

    def settle(self, job: Job) -> None:
        """Notes that `job` is answered."""
        self._window.settle(job.number, job)

    def _next(self, wait: float | None) -> Job | None:
        if self._window.full:
            return None
        job = None if self.stopping else next(self._jobs, None)
        if job is None:
            self.ended = True
            return None
        job.number = self._window.issue()
        return job


class RowFeed(Feed):
    """Makes jobs from rows as they come, and lines from their answers, in the order of the rows.

    `jobs` makes the jobs of a row, `finish` the new fields of a job's row from its answer. At most as many jobs are
    begun and not written as the window holds. While no job is open, a row that the fast path decides is written at
    once; behind an open job it waits for its turn in the window.
    """

    def __init__(
        self,
        next_row: NextRow,
        jobs: Callable[[Row], Iterable[Job]],
        finish: Callable[[Job, Answer], Mapping[str, Any]],
        fast_path: FastPath | None,
        make_line: MakeLine,
        window: OrderWindow[tuple[Job, Answer]],
        ledger: Ledger,
        stop: StopRequest,
        input_ended: Callable[[], bool],
    ):
        super().__init__(stop, window)
        self._next_input, self._jobs_of, self._finish = next_row, jobs, finish
        self._fast_path, self._make_line = fast_path, make_line
        self._ledger, self._input_ended = ledger, input_ended
        self._jobs: Iterator[Job] = iter(())
        self._row: Row | None = None

    # -- rows to jobs -------------------------------------------------------------------------------------------------

    def _next(self, wait: float | None) -> Job | None:
        while not self._window.full:
            if self._stop.status is not None:
                self.ended = True
                return None
            job = self._next_of_row()
            if job is not None and not self._ledger.was_done(job.row, job.names):
                job.number = self._window.issue()
                if job.answer is None:
                    return job
                self.settle(job, job.answer)
            elif job is None and not self._begin_row(wait):
                self.ended = self._input_ended()
                return None
        return None

    def _next_of_row(self) -> Job | None:
        """The row's next job, None after the last. A row whose jobs cannot be made is refused, and the run goes on."""
        try:
            job = next(self._jobs, None)
        except Exception as error:  # noqa: BLE001 -- one row's failure is that row's; it is named and counted
            self._refuse_row(error)
            return None
        if job is not None:
            self._ledger.counts.read += 1
        return job

    def _begin_row(self, wait: float | None) -> bool:
        """Goes on to the next row that needs jobs; False if none came in time."""
        new = None
        if self._fast_path is None or self._window.open:
            self._row = row = self._next_input(wait)
        else:
            self._row = row = self._write_decided(wait, self._fast_path)
        if row is None:
            return False
        if self._fast_path is None:
            self.read_before = self._ledger.counts.read
        try:
            if self._fast_path is not None and self._window.open:
                new = self._fast_path(row)
            self._jobs = iter(self._jobs_of(row) if new is None else (Job(row, None, answer=new),))
        except Exception as error:  # noqa: BLE001 -- as above
            self._refuse_row(error)
        return True

    def _write_decided(self, wait: float | None, fast_path: FastPath) -> Row | None:
        """Writes the rows that the fast path decides; returns the first that needs jobs, or None if none came in time.

        Most rows of a run pass here: what they need is looked up once.
        """
        ledger, next_input, make_line = self._ledger, self._next_input, self._make_line
        counts, write, continues = ledger.counts, ledger.write, ledger.continues
        while (row := next_input(wait)) is not None:
            counts.read += 1
            try:
                if continues and ledger.was_done(row):
                    continue
                new = fast_path(row)
                if new is None:
                    counts.read -= 1  # its jobs will be counted
                    return row
                line = make_line(row, new)
            except Exception as error:  # noqa: BLE001 -- as above
                ledger.fail(row, error)
                continue
            if line is not None:
                write(line)
        return None

    def _refuse_row(self, error: Exception) -> None:
        if self._row is None or isinstance(error, Fatal):
            raise error
        self._jobs = iter(())
        self._ledger.counts.read += 1
        self._ledger.fail(self._row, error)

    # -- answers to lines ---------------------------------------------------------------------------------------------

    def settle(self, job: Job, answer: Answer) -> None:
        """Writes what may be written now that `job` is answered: its own row, others with it, or nothing yet."""
        for ready, its_answer in self._window.settle(job.number, (job, answer), len(job.row.raw)):
            self._write(ready, its_answer)

    def drain(self) -> None:
        """Writes the answers that wait behind a job that has none."""
        for job, answer in self._window.drain():
            self._write(job, answer)

    def _write(self, job: Job, answer: Answer) -> None:
        try:
            if isinstance(answer, Exception):
                raise answer
            new = answer if isinstance(answer, NewFields) else self._finish(job, answer)
            line = self._make_line(job.row, {**job.names, **new} if job.names else new)
        except Exception as error:  # noqa: BLE001 -- as above
            self._ledger.fail(job.row, error, job.names)
        else:
            if line is not None:
                self._ledger.write(line)
