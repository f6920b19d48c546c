"""Jobs that need several requests each, on an engine that answers one request at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from libra_cli.stream.jobs import Answer, Feed, Job, Worker
from libra_cli.stream.rows import Row


class Bundle(Protocol):
    """The `work` of a job that is answered with the list of the answers to its requests, in their order."""

    @property
    def name(self) -> str:
        """What a recording knows the row by."""
        ...

    @property
    def requests(self) -> Sequence[Any]:
        """At least one, each the `work` of a job of the engine."""
        ...


@dataclass
class _Whole:
    """A job of which requests are out."""

    job: Job
    answers: list[Answer]
    missing: int


class Several:
    """A worker for jobs whose work is a Bundle, made of a worker for single requests.

    Requests are handed on as the engine asks for them, so that no more jobs are begun than it has room for. A job is
    answered when its last request is; where the run stops before, its row is left for the next run.
    """

    def __init__(self, worker: Worker):
        self._worker = worker

    def __call__(self, feed: Feed) -> Iterator[tuple[Job, Answer] | None]:
        single = _Unbundled(feed)
        for answered in self._worker(single):
            if answered is None:
                yield None
            elif (whole := single.collect(*answered)) is not None:
                yield whole.job, whole.answers


class _Unbundled(Feed):
    """The requests of a feed's jobs as jobs of their own."""

    def __init__(self, feed: Feed):
        super().__init__()
        self._feed = feed
        self._rest: Iterator[Job] = iter(())
        self._whole_of: dict[int, tuple[_Whole, int]] = {}
        """Which job the request of a number belongs to, and where in it."""
        self._issued = 0

    @property
    def stopping(self) -> bool:
        return self._feed.stopping

    def collect(self, part: Job, answer: Answer) -> _Whole | None:
        """Takes the answer to one request; gives the job whose last one it was."""
        whole, place = self._whole_of.pop(part.number)
        whole.answers[place] = answer
        whole.missing -= 1
        self._feed.parts += 1
        return None if whole.missing else whole

    def _next(self, wait: float | None) -> Job | None:
        if self.stopping:  # what is left of a job would keep the run from ending
            self.ended = True
            return None
        part = next(self._rest, None)
        while part is None and (job := self._feed.take(wait)) is not None:
            self._rest = self._parts(job)
            part = next(self._rest, None)
        self.ended = part is None and self._feed.ended
        return part

    def _parts(self, job: Job) -> Iterator[Job]:
        bundle: Bundle = job.work
        row = Row({"id": bundle.name}, b"{}", job.row.file, job.row.line)
        whole = _Whole(job, [None] * len(bundle.requests), len(bundle.requests))
        for place, request in enumerate(bundle.requests):
            self._whole_of[self._issued] = whole, place
            self._issued += 1
            yield Job(row, request, number=self._issued - 1)
