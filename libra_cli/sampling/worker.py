"""Engines as workers of a stage: jobs become requests, and answers go back to their jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from libra_cli.engines.base import Completion, Deferred, Engine, Pending, RequestError
from libra_cli.engines.openai.retry import Trouble
from libra_cli.engines.reward.base import RewardEngine
from libra_cli.exits import Exit, Fatal
from libra_cli.sampling.choose import ChosenModel
from libra_cli.sampling.ignored_settings import IgnoredSettings
from libra_cli.stream.jobs import Answer, Feed, Job
from libra_cli.stream.rows import Filtered, RowError

_OF_SERVER = frozenset(trouble.value for trouble in Trouble)
"""Kinds of errors of requests that say nothing of the request: its server failed."""


class JobRequests:
    """The jobs of a feed as an engine's requests, one each: a job's `work` is its request, the job is the token."""

    def __init__(self, feed: Feed):
        self._feed = feed

    @property
    def ended(self) -> bool:
        return self._feed.ended

    @property
    def stopping(self) -> bool:
        return self._feed.stopping

    def take(self, wait: float | None) -> Pending | None:
        job = self._feed.take(wait)
        return None if job is None else Pending(job.work, job)

    def settle(self, pending: Pending, answer: Answer) -> tuple[Job, Answer] | None:
        """Takes the answer to a request; returns the job that it completes, with the job's answer."""
        return pending.token, answer


def row_error(error: RequestError) -> RowError | Filtered:
    """The error of a request as that of its row; one that is to be answered later leaves the row out."""
    if isinstance(error, Deferred):
        return Filtered("asked_in_batch")
    return RowError(error.kind, str(error), error.attempts)


class EngineWorker:
    """An engine that is made when the first job comes: a run with nothing left to do loads no model.

    `adapter` turns jobs into requests.
    """

    def __init__(
        self,
        model: ChosenModel,
        adapter: Callable[[Feed], JobRequests] = JobRequests,
        ignored: IgnoredSettings | None = None,
    ):
        """`ignored` watches the answers of a server."""
        self._model, self._adapter = model, adapter
        self._ignored = None if model.usage is None else ignored
        self._engine: Engine | RewardEngine | None = None
        self._described: dict[str, Any] | None = None
        self._has_answered = False
        self._failure: RequestError | None = None

    def __call__(self, feed: Feed) -> Iterator[tuple[Job, Answer] | None]:
        if not feed.has_job() or feed.stopping:
            return
        with feed.preparing() as doing:  # until the engine has loaded its model and takes the first job
            self._engine = self._model.make(doing)
            requests = self._adapter(feed)
            for answered in self._engine.generate(requests):
                if answered is None:
                    yield None
                    continue
                pending, answer = answered
                if isinstance(answer, RequestError) and answer.kind in _OF_SERVER:
                    self._failure = answer
                else:
                    self._has_answered = True
                if self._ignored is not None and isinstance(answer, Completion):
                    self._ignored.add(self._model.name, pending.request, answer, self.described.get("unsent", ()))
                feed.tokens += getattr(answer, "n_tokens", None) or 0
                settled = requests.settle(pending, row_error(answer) if isinstance(answer, RequestError) else answer)
                if settled is not None:
                    yield settled

    @property
    def described(self) -> dict[str, Any]:
        """The engine's description once it has loaded its model; {} if no engine was made."""
        if self._described is None and self._engine is not None:
            self._described = self._engine.describe()
        return self._described or {}

    def description_of(self, *answers: Answer) -> dict[str, Any]:
        """The engine's description, with the server's own name of the model that wrote `answers` as `revision`.

        A server may answer with another version of a model from one request to the next; all that did are named.
        """
        described = self.described
        names = {answer.model for answer in answers if isinstance(answer, Completion) and answer.model}
        if not names:
            return described
        return {**described, "revision": ", ".join(sorted(names - {described["model"]})) or None}

    def check_answered(self) -> None:
        """Raises Fatal(6) if its server failed every request; to be called where no earlier run had an answer from it.

        With an earlier answer the rows that are left may be the ones that the server cannot answer.
        """
        if self._failure is not None and not self._has_answered:
            raise Fatal(Exit.BACKEND, f"no request was answered: {self._failure}; the same command continues")

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
