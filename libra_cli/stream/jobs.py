"""Jobs: what a stage hands to an engine, a server or a pool of processes, and how the worker gets at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from libra_cli.exits import Fatal
from libra_cli.stream.counts import Counts
from libra_cli.stream.reorder import OrderWindow
from libra_cli.stream.rows import NewFields, Row

if TYPE_CHECKING:
    from libra_cli.stream.run import Run


class Filtered(Exception):
    """The stage leaves this row out on purpose; the reason is a stable word for counting."""


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
    """An answer that is there already: no worker sees the job."""


Answer = Any
"""What a worker gives back for a job: anything that the stage's `finish` understands, or an exception that it met."""

Worker = Callable[["Feed"], Iterator["tuple[Job, Answer] | None"]]
"""Takes jobs from a Feed and yields (job, answer) as they finish, in any order; None at least each second when idle."""

Source = Callable[["float | None"], "Row | None"]
"""The next row; None where none came within so many seconds, or at the end."""

Window = OrderWindow[tuple[Job, Answer]]


class Feed:
    """What a worker takes its jobs from."""

    ended = False
    """No job will come any more."""
    parts = 0
    """Parts of jobs that were answered: a long job that moves on has not stalled."""

    def __init__(self) -> None:
        self._held: Job | None = None

    @property
    def stopping(self) -> bool:
        """Somebody asked the run to stop: nothing that is not at work yet needs to begin."""
        raise NotImplementedError

    def has_job(self) -> bool:
        """Waits for the first job; False where there will be none, so that nobody need load a model for it."""
        while self._held is None and not self.ended:
            self._held = self._next(None)
        return self._held is not None

    def take(self, wait: float | None) -> Job | None:
        """The next job; None where the window is full, nothing came within `wait` seconds, or the input ended.

        A worker with answers to wait for passes 0; one with nothing to do passes None.
        """
        if self._held is not None:
            held, self._held = self._held, None
            return held
        return self._next(wait)

    def _next(self, wait: float | None) -> Job | None:
        raise NotImplementedError


class RowFeed(Feed):
    """Jobs made from rows as they come; never more than the window holds."""

    def __init__(self, run: Run | Aside, jobs: Callable[[Row], Iterable[Job]], window: Window, source: Source,
                 settle: Callable[[Job, Answer], None] | None = None):  # fmt: skip
        super().__init__()
        self._run, self._make, self._window, self._source, self._settle = run, jobs, window, source, settle
        self._jobs: Iterator[Job] = iter(())
        self._row: Row | None = None

    @property
    def stopping(self) -> bool:
        return self._run.stop.status is not None

    def _next(self, wait: float | None) -> Job | None:
        while not self._window.full:
            if self._run.stop.status is not None:
                self.ended = True
                return None
            job = self._next_of_row()
            if job is not None and not self._run.is_done(job):
                job.number = self._window.issue()
                if job.answer is None or self._settle is None:
                    return job
                self._settle(job, job.answer)
            elif job is None and not self._next_row(wait):
                self.ended = self._run.input_ended
                return None
        return None

    def _next_of_row(self) -> Job | None:
        """The row's next job; a row whose jobs cannot be made is refused alone."""
        try:
            job = next(self._jobs, None)
        except Exception as error:  # noqa: BLE001 -- one row's failure is that row's; it is named and counted
            self._fail(error)
            return None
        if job is not None:
            self._run.counts.read += 1
        return job

    def _next_row(self, wait: float | None) -> bool:
        """Makes jobs of the next row; False where none came in time."""
        self._row = row = self._source(wait)
        if row is None:
            return False
        try:
            self._jobs = iter(self._make(row))
        except Exception as error:  # noqa: BLE001 -- as above
            self._fail(error)
        return True

    def _fail(self, error: Exception) -> None:
        if self._row is None or isinstance(error, Fatal):
            raise error
        self._jobs = iter(())
        self._run.counts.read += 1
        self._run.settle(self._row, {}, error)


def jobs_or_answer(
    jobs: Callable[[Row], Iterable[Job]], fast_path: Callable[[Row], NewFields | None], window: Window, row: Row
) -> Iterable[Job]:
    """The jobs of a row, or the answer that `fast_path` has for it, which waits for its turn in the window."""
    answer = fast_path(row) if window.open else None  # where nothing was open it has been asked: Run._write_at_once
    return jobs(row) if answer is None else (Job(row, None, answer=answer),)


class Answers:
    """Answers on their way to the output: each waits for its turn in the window, then `finish` makes its row."""

    def __init__(self, run: Run, window: Window, finish: Callable[[Job, Answer], Mapping[str, Any]]):
        self._run, self._window, self._finish = run, window, finish

    def settle(self, job: Job, answer: Answer) -> None:
        """Writes what may be written now that `job` is answered: its own row or others with it, or nothing yet."""
        for ready, given in self._window.settle(job.number, (job, answer), len(job.row.raw)):
            self._write(ready, given)

    def drain(self) -> None:
        """Writes what is answered behind a job that is not."""
        for job, answer in self._window.drain():
            self._write(job, answer)

    def _write(self, job: Job, answer: Answer) -> None:
        try:
            result = answer if isinstance(answer, (Exception, NewFields)) else self._finish(job, answer)
        except Exception as error:  # noqa: BLE001 -- as in RowFeed
            result = error
        self._run.settle(job.row, job.names, result)


class Aside:
    """A run as the feed of `Run.ask` sees it: rows that were read before, jobs that no count holds."""

    input_ended = True

    def __init__(self, run: Run):
        self.stop, self.counts = run.stop, Counts()

    def is_done(self, _job: Job) -> bool:
        """Whoever asks has left out what is known already."""
        return False

    def settle(self, _row: Row, _names: dict[str, Any], error: Exception) -> None:
        """A row of which no job can be made should not have come this far."""
        raise error
