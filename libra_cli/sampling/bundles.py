"""Jobs that need several requests each, on engines that answer single requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from libra_cli.engines.base import Pending
from libra_cli.sampling.worker import JobRequests
from libra_cli.stream.jobs import Answer, Feed, Job


class Bundle(Protocol):
    """The `work` of a job that is answered with the list of the answers to its requests, in their order."""

    @property
    def requests(self) -> Sequence[Any]:
        """At least one, each a request to the engine."""
        ...


@dataclass
class _OpenBundle:
    """A job with requests that are not answered yet."""

    job: Job
    answers: list[Answer]
    missing: int


class BundleRequests(JobRequests):
    """The requests of jobs whose work is a Bundle; a request's token is its open bundle and its place in it.

    Requests are handed out one by one as the engine asks for them, so that no more jobs are begun than it has room for.
    A job is answered when its last request is; if the run stops before, its row is left for the next run.
    """

    def __init__(self, feed: Feed):
        super().__init__(feed)
        self._rest: Iterator[Pending] = iter(())
        self._ended = False

    @property
    def ended(self) -> bool:
        return self._ended

    def take(self, wait: float | None) -> Pending | None:
        if self.stopping:  # the rest of a bundle would keep the run from ending
            self._ended = True
            return None
        pending = next(self._rest, None)
        while pending is None and (job := self._feed.take(wait)) is not None:
            requests = job.work.requests
            bundle = _OpenBundle(job, [None] * len(requests), len(requests))
            self._rest = iter([Pending(request, (bundle, place)) for place, request in enumerate(requests)])
            pending = next(self._rest, None)
        self._ended = pending is None and self._feed.ended
        return pending

    def settle(self, pending: Pending, answer: Answer) -> tuple[Job, Answer] | None:
        bundle, place = pending.token
        bundle.answers[place] = answer
        bundle.missing -= 1
        self._feed.parts += 1  # a long job that makes progress has not stalled
        return None if bundle.missing else (bundle.job, bundle.answers)
