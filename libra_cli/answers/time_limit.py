"""A time limit on work in this process: whatever a text does to a pattern or a parser costs that text alone.

Reading answers and comparing easy ones is quick, by proof or by test. What is not quick all the same is ended here. One
timer ticks for the whole run, and a piece of work that was already under way at the tick before is too slow: no row
needs a system call. The timer counts processor time, so that a machine under load or asleep changes no label, and the
exception reaches compiled code that looks for signals, as the matcher of regular expressions does.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

TIMEOUT = "verify_timeout"
"""Why an answer that takes too long to read or to compare is undecided."""
HARD_SECONDS = 2.0
"""Seconds of processor time after which a piece of work is ended."""
LONGEST = 1e6
"""Seconds; a longer limit is none."""

Result = TypeVar("Result")
Late = TypeVar("Late")


class TooSlow(BaseException):
    """Ends a piece of work; not an Exception, so that the work itself cannot take it for one of its own."""


class _Work:
    """What the thread with the limit is doing. One object holds it: to write attributes of a class takes far longer."""

    __slots__ = ("active", "at_tick", "number", "thread")

    def __init__(self) -> None:
        self.thread: int | None = None
        self.active = False
        self.number = 0
        """Of the piece of work, or of the last one."""
        self.at_tick = -1
        """Number of the piece that was under way at the last tick."""


_work = _Work()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Ends pieces of work of this thread (`limited`) after `seconds` to twice as many of processor time.

    Does nothing outside the main thread, where no signal arrives, and inside another limit, which stays in force.
    """
    if threading.current_thread() is not threading.main_thread() or _work.thread is not None:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _tick)
    seconds = min(seconds, LONGEST)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    _work.thread = threading.get_ident()
    try:
        yield
    finally:
        _work.thread = None
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def limited(late: Late, work: Callable[..., Result], *arguments: Any) -> Result | Late:
    """The result of `work`, or `late` if that takes longer than the limit in force."""
    if _work.active or threading.get_ident() != _work.thread:  # part of another piece, or without limit
        return work(*arguments)
    try:
        _work.number += 1
        _work.active = True
        try:
            return work(*arguments)
        finally:
            _work.active = False
    except TooSlow:
        _work.active = False  # a tick may interrupt the line above
        return late


def unlimited(work: Callable[[], Result]) -> Result:
    """The result of `work` that no text makes long, such as to load a library; its time does not count."""
    if threading.get_ident() != _work.thread:
        return work()
    active, _work.active = _work.active, False
    try:
        return work()
    finally:
        _work.active = active


def _tick(_number: int, frame: FrameType | None) -> None:
    if not _work.active:
        return
    # Where garbage is collected an exception would be printed and lost; the next tick ends the work then.
    if _work.at_tick == _work.number and not _watches_garbage(frame):
        raise TooSlow
    _work.at_tick = _work.number


def _watches_garbage(frame: FrameType | None) -> bool:
    """Whether `frame` is, or was called by, what a library calls whenever Python collects garbage."""
    watching = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in watching:
        frame = frame.f_back
    return frame is not None
