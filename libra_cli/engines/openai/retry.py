"""Retries of failed requests: which failures, when, and how often."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum


class Trouble(Enum):
    """Why a request got no answer."""

    UNREACHABLE = "unreachable"
    """No connection."""
    BUSY = "server_busy"
    """The server cannot answer now; `chat_api._TROUBLES` lists the statuses."""
    BROKEN = "server_error"
    """The server broke off, or answered with an internal error or unreadable content."""
    TIMEOUT = "timeout"
    """No answer within the request's time."""


START = "check the address, or start the server"
SLOWER = "ask later, or less at a time (--concurrency)"
"""What helps against a limit of requests or tokens a minute."""
TRIES = {Trouble.BROKEN: 5, Trouble.TIMEOUT: 2}
"""How many failures end a request. A failure counts only if its server has answered something since."""


@dataclass(frozen=True)
class Failure:
    """A request that may be retried; `wait`: the server's Retry-After in seconds, which takes precedence."""

    trouble: Trouble
    reason: str
    wait: float | None = None
    unreadable: bool = False
    """The server answered, but not as an OpenAI-compatible server does."""
    cure: str = START
    """What helps where nothing answers."""


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter: uniform between 0 and min(cap, base 2^(failures - 1)) seconds."""

    base: float = 1.0
    cap: float = 60.0

    def wait(self, failures: int, cap: float | None = None) -> float:
        most = min(self.cap if cap is None else cap, self.base * 2.0 ** min(failures - 1, 30))
        return random.uniform(0.0, most)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: by `retry-after-ms`, which some send beside the coarser Retry-After."""
    milliseconds = retry_after(headers.get("retry-after-ms"))
    return retry_after(headers.get("retry-after")) if milliseconds is None else milliseconds / 1000


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or an HTTP date (RFC 9110, 10.2.3); None for nonsense.

    `now` is the time of day in seconds since 1970.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass  # not a number: a date
    try:
        then = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, TypeError):  # of years and hours that there are not, and of no date
        return None
    return max(0.0, then - (time.time() if now is None else now))
