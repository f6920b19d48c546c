"""Several servers of one model: which one to ask next, and which to rest for a while.

Times are of time.monotonic.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from libra_cli.engines.openai.retry import Failure, Trouble

PATIENCE = 30.0
"""Seconds without an answer after which people are told what is waited for; then after twice as long, each time."""
REST_CAP = 15.0
"""Longest rest of a server that is gone, in seconds: its return is noticed soon."""
BROKEN_IN_A_ROW = 3
"""After so many failures without an answer in between, a server is probed before it is asked again."""


def without_query(url: str) -> str:
    """An address for people: some servers take their key in its query."""
    return url.partition("?")[0]


@dataclass(eq=False)
class Endpoint:
    """One server: its load, and whether it is worth asking now."""

    url: str
    running: int = 0
    sent: int = 0
    refusals: int = 0
    """Refusals of everything (401, 404, ...) since its last answer."""
    failures: int = 0
    """Failures since its last answer."""
    unreadable: int = 0
    """Answers that cannot be read, of a server that has given no other."""
    rests: int = 0
    """Rests since its last answer."""
    closed_until: float = 0.0
    suspect: bool = False
    """It must answer a probe before it gets requests again."""
    probing: bool = False
    alive_at: float = -1.0
    """When it last answered anything; -1 never."""
    has_answered: bool = False
    reached: bool = False
    """Something is there, even if it has only failed so far."""
    silent_since: float = 0.0
    """When it last answered or failed, or was first asked after a time without requests."""
    max_model_len: int | None = None
    """Tokens of a prompt and its response, at most, as its list of models says."""
    patience: float = field(default_factory=lambda: PATIENCE)
    """For how long it may be silent until people are told."""

    @property
    def name(self) -> str:
        """The address for people."""
        return without_query(self.url)

    def begins(self, now: float) -> None:
        """Notes that it is asked."""
        self.silent_since = self.silent_since if self.running else now
        self.running += 1
        self.sent += 1

    def ends(self, now: float) -> None:
        """Notes that it has answered a request, or failed."""
        self.silent_since, self.patience = now, PATIENCE
        self.running -= 1

    def is_too_silent(self, now: float) -> bool:
        """Whether people are to be told now that it answers nothing."""
        if not self.running or now - self.silent_since < self.patience:
            return False
        self.patience *= 2
        return True

    def is_open(self, now: float) -> bool:
        return not self.suspect and now >= self.closed_until

    def retire(self) -> None:
        """Notes that it is not to be asked again in this run."""
        self.closed_until, self.suspect = float("inf"), False

    @property
    def is_retired(self) -> bool:
        """Whether `retire` was called."""
        return self.closed_until == float("inf")

    def needs_probe(self, now: float) -> bool:
        return self.suspect and not self.probing and now >= self.closed_until

    def answered(self, now: float, completes: bool = True) -> None:
        """Notes an answer to a request, even an error that concerns this request alone.

        `completes`: not a demand to ask in another form.
        """
        self.alive_at, self.has_answered, self.reached = now, self.has_answered or completes, True
        self.failures = self.rests = self.refusals = 0

    def failed(self, failure: Failure, now: float, base: float) -> bool:
        """Notes a failure; True if the server now rests because of it."""
        self.failures += 1
        self.reached = self.reached or failure.trouble is not Trouble.UNREACHABLE
        if failure.wait is not None:
            self.closed_until = max(self.closed_until, now + failure.wait)
        lost = failure.trouble in (Trouble.UNREACHABLE, Trouble.TIMEOUT)
        broken = failure.trouble is Trouble.BROKEN and self.failures >= BROKEN_IN_A_ROW
        if self.suspect or self.is_retired or not (lost or broken):
            return False
        self.rest(now, base)
        return True

    def rest(self, now: float, base: float) -> None:
        """Rests the server, longer each time; then it is probed."""
        self.suspect, self.probing, self.rests = True, False, self.rests + 1
        longest = min(REST_CAP, base * 2.0 ** min(self.rests - 1, 30))
        self.closed_until = max(self.closed_until, now + random.uniform(longest / 2, longest))

    def proved_alive(self, now: float) -> None:
        """Notes that it answered a probe."""
        self.suspect = self.probing = False
        self.alive_at, self.reached = now, True


@dataclass
class Endpoints:
    """All servers of one model."""

    all: Sequence[Endpoint]

    @property
    def alive_at(self) -> float:
        """When any of them last answered anything; -1 never."""
        return max(endpoint.alive_at for endpoint in self.all)

    @property
    def reached(self) -> bool:
        """Whether any of them could be reached since the start."""
        return any(endpoint.reached for endpoint in self.all)

    def choose(self, now: float, avoid: Endpoint | None) -> Endpoint | None:
        """The one with the fewest requests at work, not `avoid` if there is another; None if all are resting."""
        ready = [endpoint for endpoint in self.all if endpoint.is_open(now)]
        others = [endpoint for endpoint in ready if endpoint is not avoid]
        return min(others or ready, key=lambda endpoint: (endpoint.running, endpoint.sent), default=None)

    def next_change(self, now: float) -> float:
        """Seconds until a resting server may be asked or probed; infinity if none rests."""
        waits = [endpoint.closed_until - now for endpoint in self.all if endpoint.closed_until > now]
        return min(waits, default=float("inf"))
