"""A request to one of several servers, and what became of its tries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from libra_cli.engines.base import Pending, RequestError
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.retry import Failure, Trouble


@dataclass(eq=False)
class ServerRequest:
    """A request and its tries, until it is answered. Times are of time.monotonic."""

    pending: Pending
    since: float
    """When it began to wait for its next try."""
    ready_at: float = 0.0
    """The earliest time of its next try."""
    waited: float = 0.0
    """Seconds that it waited before all its tries together."""
    tries: int = 0
    failures: int = 0
    counted: Counter[Trouble] = field(default_factory=Counter)
    """Failures that count against it: its server answers other requests."""
    first_failed_at: float = -1.0
    failed_at: float = -1.0
    failure: Failure | None = None
    last: Endpoint | None = None
    max_tokens: int | None = None
    """The room that its prompt leaves, if the server reported it."""

    def begins(self, now: float) -> None:
        self.waited += now - self.since
        self.tries += 1

    def failed(self, failure: Failure, endpoint: Endpoint, now: float, counts: bool) -> None:
        self.counted[failure.trouble] += counts
        self.failures += 1
        self.first_failed_at = now if self.first_failed_at < 0 else self.first_failed_at
        self.failed_at = self.since = now
        self.failure, self.last = failure, endpoint

    def error(self, failure: Failure) -> RequestError:
        server = f"{self.last.name}: " if self.last else ""
        cure = "run the same command again"
        return RequestError(failure.trouble.value, f"{server}{failure.reason}; {cure}", attempts=self.tries)
