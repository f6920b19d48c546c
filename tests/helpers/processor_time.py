"""A limit on the processor time of a piece of a test: what takes longer hangs, however busy the machine is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(Exception):
    """It is still at work."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Raises TooLong if the body takes more than `seconds` of processor time; compiled code must look for signals."""

    def give_up(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
