"""What is known of the rows of a set before it is decided which are taken: 30 bytes of each."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from libra_cli.stages.mix.order import Numbers
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row

MOST_TASKS = 20
"""Names of tasks that are told apart: a field that happens to be called `task` may hold anything."""
OTHERS = "other tasks"


class Tasks:
    """Numbers the tasks of rows; 0 is that of rows that name none."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, fields: Mapping[str, Any]) -> int:
        """The number of the row's task."""
        name = fields.get("task")
        if not isinstance(name, str):
            return 0
        if name not in self._numbers and len(self._numbers) >= MOST_TASKS:
            name = OTHERS
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    @property
    def names(self) -> list[str | None]:
        """By number."""
        return [None, *self._numbers]


class Pool:
    """The rows of one set, in columns."""

    def __init__(self) -> None:
        self._file = 0  # one for all of them: a set is one file, which can be read again or is spooled
        self._checks, self._offsets, self._sizes = array("I"), array("Q"), array("Q")
        self._keys, self._tasks = array("Q"), array("B")

    def __len__(self) -> int:
        return len(self._checks)

    def add(self, location: RowLocation, key: int, task: int) -> None:
        """Takes a row: where it is, what it shares with its duplicates, the number of its task."""
        self._file = location.file
        self._checks.append(location.check)
        self._offsets.append(location.offset)
        self._sizes.append(location.size)
        self._keys.append(key)
        self._tasks.append(task)

    def place(self, at: int) -> RowLocation:
        """Where row `at` is."""
        return RowLocation(self._checks[at], self._file, self._offsets[at], self._sizes[at])

    def task(self, at: int) -> int:
        """The number of the task of row `at`."""
        return self._tasks[at]

    def take_keys(self) -> NDArray[np.uint64]:
        """The keys of all rows, which the pool gives up: they are wanted once."""
        keys, self._keys = self._keys, array("Q")
        return np.frombuffer(keys, np.uint64)

    def by_task(self, kept: Numbers) -> dict[int, int]:
        """How many of the rows `kept` each task has."""
        counts = np.bincount(np.frombuffer(self._tasks, np.uint8)[kept])
        return {task: int(count) for task, count in enumerate(counts) if count}


def key(row: Row, by_content: bool) -> int:
    """A number that duplicates share: of id and task, or of the `messages` (a row without any: of all its fields).

    An id is that of a problem, which a sample of each task may stand on.
    """
    by_id = f"{row.id}\0{row.fields.get('task')}".encode("utf-8", "surrogatepass")
    known = _content(row.fields) if by_content else by_id
    return int.from_bytes(hashlib.blake2b(known, digest_size=8).digest(), "big")


def _content(fields: Mapping[str, Any]) -> bytes:
    value = fields["messages"] if fields.get("messages") else fields
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # an integer beyond 64 bits
        return rows.content_hash(value).encode()


def had_before(pools: Sequence[Pool]) -> list[NDArray[np.bool_]]:
    """For each pool which of its rows an earlier pool has, too."""
    seen, found = np.empty(0, np.uint64), []
    for number, pool in enumerate(pools, 1):
        keys = pool.take_keys()
        found.append(_are_in(seen, keys))
        if number < len(pools):
            seen = np.union1d(seen, keys)
    return found


def _are_in(ordered: NDArray[np.uint64], keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(keys), np.bool_)
    at = np.searchsorted(ordered, keys)
    np.minimum(at, len(ordered) - 1, out=at)
    return ordered[at] == keys
