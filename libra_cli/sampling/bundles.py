"""Jobs that need several requests each, on engines that answer single requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from libra_cli.engines.base import Pending
from libra_cli.engines.reward.base import RewardRequest
from libra_cli.sampling.worker import JobRequests
from libra_cli.stream.jobs import Answer, Feed, Job


def distinct(requests: Sequence[Any]) -> list[tuple[Any, list[int]]]:
    """The requests to send, each with the places in `requests` that its answer is for.

    A reward model is asked once about equal responses: asked twice it may give scores whose last bits differ, for each
    depends on what shares its batch, and a tie would become a preference. Votes of a model that writes stay apart.
    """
    places_of: dict[str | int, list[int]] = {}
    for place, request in enumerate(requests):
        key = request.conversation if isinstance(request, RewardRequest) else place
        places_of.setdefault(key, []).append(place)
    return [(requests[places[0]], places) for places in places_of.values()]


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
    """Of its distinct requests."""


class BundleRequests(JobRequests):
    """The distinct requests of jobs whose work is a Bundle; a token is the open bundle and the places of the answer.

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
            asked = distinct(requests)
            bundle = _OpenBundle(job, [None] * len(requests), len(asked))
            self._rest = iter([Pending(request, (bundle, places)) for request, places in asked])
            pending = next(self._rest, None)
        self._ended = pending is None and self._feed.ended
        return pending

    def settle(self, pending: Pending, answer: Answer) -> tuple[Job, Answer] | None:
        bundle, places = pending.token
        for place in places:
            bundle.answers[place] = answer
        bundle.missing -= 1
        self._feed.parts += 1  # a long job that makes progress has not stalled
        return None if bundle.missing else (bundle.job, bundle.answers)
