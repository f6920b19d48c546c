"""Input order for results that come in any order, in a window of bounded size."""

from __future__ import annotations

from typing import Generic, TypeVar

from libra_cli.exits import Exit, Fatal

Result = TypeVar("Result")
WAITING_BYTES = 16 << 20
"""Of rows that are done and wait for an earlier one; in memory they take several times that."""


class OrderWindow(Generic[Result]):
    """Numbers jobs as they are issued and gives their results back in that order.

    At most `size` jobs are issued and not given back, and where results have a weight, no more are issued while those
    that wait for their turn weigh WAITING_BYTES; while `full`, no more should be issued. With `ordered` False every
    result is given back at once, and only jobs still at work count.
    """

    def __init__(self, size: int, ordered: bool = True):
        self._size, self._ordered = size, ordered
        self._issued = self._next = 0
        self.open = 0
        """Jobs that are at work, or whose result waits for its turn."""
        self._working: set[int] = set()
        self._waiting: dict[int, tuple[Result, int]] = {}
        self._weight = 0

    @property
    def full(self) -> bool:
        return self.open >= self._size or self._weight >= WAITING_BYTES

    @property
    def at_work(self) -> int:
        """Jobs issued whose result has not come."""
        return len(self._working)

    @property
    def settled(self) -> int:
        """Jobs whose result has come."""
        return self._issued - len(self._working)

    def issue(self) -> int:
        """The number of the next job."""
        number = self._issued
        self._issued += 1
        self.open += 1
        self._working.add(number)
        return number

    def settle(self, number: int, result: Result, weight: int = 0) -> list[Result]:
        """Takes the result of one job, and how many bytes it holds; returns those that may go out now, in order.

        Raises Fatal(1) where the job is not at work: else a result could end up on another job's row.
        """
        if number not in self._working:
            what = f"job {number} was answered twice, or was never given out"
            raise Fatal(Exit.INTERNAL, f"internal error: {what}; please report this")
        self._working.remove(number)
        if not self._ordered:
            self.open -= 1
            return [result]
        self._waiting[number] = result, weight
        self._weight += weight
        ready = []
        while self._next in self._waiting:
            result, weight = self._waiting.pop(self._next)
            self._weight -= weight
            ready.append(result)
            self._next += 1
        self.open -= len(ready)
        return ready

    def drain(self) -> list[Result]:
        """What is finished behind a job that is not: for a run that ends early, whose order is lost anyway."""
        ready = [self._waiting[number][0] for number in sorted(self._waiting)]
        self._waiting.clear()
        self.open -= len(ready)
        self._weight = 0
        return ready
