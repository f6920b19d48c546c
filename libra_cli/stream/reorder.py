"""Input order for results that come in any order, in a window of bounded size."""

from __future__ import annotations

from typing import Generic, TypeVar

from libra_cli.exits import Exit, Fatal

Result = TypeVar("Result")
WAITING_BYTES = 16 << 20
"""Size of the rows that are done and wait for an earlier one, at most; in memory they take several times that."""


class OrderWindow(Generic[Result]):
    """Numbers jobs as they are issued and returns their results in that order.

    While `full`, no more jobs should be issued: `size` of them are issued and not returned, or the results that wait
    for their turn weigh WAITING_BYTES. With `ordered` False every result is returned at once.
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
        """Jobs issued that have no result yet."""
        return len(self._working)

    @property
    def settled(self) -> int:
        """Jobs that have a result."""
        return self._issued - len(self._working)

    def issue(self) -> int:
        """Returns the number of the next job."""
        number = self._issued
        self._issued += 1
        self.open += 1
        self._working.add(number)
        return number

    def settle(self, number: int, result: Result, weight: int = 0) -> list[Result]:
        """Takes the result of one job and its size in bytes; returns the results that may go out now, in order.

        Raises Fatal(1) if the job is not at work: a result could otherwise end up on another job's row.
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
        """Returns the results that wait behind an unfinished job, for a run that ends early."""
        ready = [self._waiting[number][0] for number in sorted(self._waiting)]
        self._waiting.clear()
        self.open -= len(ready)
        self._weight = 0
        return ready
