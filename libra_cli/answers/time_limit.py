"""A time limit on work in this process: whatever a text does to a pattern or a parser costs that text alone.

Reading answers and comparing easy ones is quick, by proof or by test. What is not quick all the same is ended here. One
timer ticks for the whole run, and a piece of work that was already under way at the tick before is too slow: no row
needs a system call. The timer counts processor time, so that a machine under load or asleep changes no label, and the
exception reaches compiled code that looks for signals, as the matcher of regular expressions does.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

TIMEOUT = "verify_timeout"
"""Why an answer that takes too long to read or to compare is undecided."""
LONGEST = 1e6
"""Seconds; a longer limit is none."""

Result = TypeVar("Result")
Late = TypeVar("Late")


class TooSlow(BaseException):
    """Ends a piece of work; not an Exception, so that the work itself cannot take it for one of its own."""


class _Work:
    """What the thread with the limit is doing."""

    thread: int | None = None
    active = False
    number = 0
    """Of the piece of work, or of the last one."""
    at_tick = -1
    """Number of the piece that was under way at the last tick."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Ends pieces of work of this thread (`limited`) after `seconds` to twice as many of processor time.

    Does nothing outside the main thread, where no signal arrives, and inside another limit, which stays in force.
    """
    if threading.current_thread() is not threading.main_thread() or _Work.thread is not None:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _tick)
    seconds = min(seconds, LONGEST)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    _Work.thread = threading.get_ident()
    try:
        yield
    finally:
        _Work.thread = None
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def limited(late: Late, work: Callable[..., Result], *arguments: Any) -> Result | Late:
    """The result of `work`, or `late` if that takes longer than the limit in force."""
    if _Work.active or threading.get_ident() != _Work.thread:  # part of another piece, or without limit
        return work(*arguments)
    try:
        _Work.number += 1
        _Work.active = True
        try:
            return work(*arguments)
        finally:
            _Work.active = False
    except TooSlow:
        _Work.active = False  # a tick may interrupt the line above
        return late


def _tick(_number: int, _frame: FrameType | None) -> None:
    if not _Work.active:
        return
    if _Work.at_tick == _Work.number:
        raise TooSlow
    _Work.at_tick = _Work.number
