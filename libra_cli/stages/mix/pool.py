"""What is kept of the rows of a set until the choice is made: 30 bytes of each."""

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
"""Tasks with a number of their own; a field that happens to be called `task` may hold anything."""
OTHERS = "other tasks"


class TaskNumbers:
    """A number for each task; 0 is for rows without a task."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, fields: Mapping[str, Any]) -> int:
        """Returns the number of the task of a row."""
        name = fields.get("task")
        if not isinstance(name, str):
            return 0
        if name not in self._numbers and len(self._numbers) >= MOST_TASKS:
            name = OTHERS
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    @property
    def names(self) -> list[str | None]:
        """The names of the tasks, by number."""
        return [None, *self._numbers]


class RowPool:
    """The rows of one set, in columns."""

    def __init__(self) -> None:
        self._file = 0  # the same for all rows: a set is one file, which is read again or spooled
        self._checks, self._offsets, self._sizes = array("I"), array("Q"), array("Q")
        self._keys, self._tasks = array("Q"), array("B")

    def __len__(self) -> int:
        return len(self._checks)

    def add(self, location: RowLocation, key: int, task: int) -> None:
        """Adds a row: its location, the key it shares with its duplicates, the number of its task."""
        self._file = location.file
        self._checks.append(location.check)
        self._offsets.append(location.offset)
        self._sizes.append(location.size)
        self._keys.append(key)
        self._tasks.append(task)

    def location(self, row: int) -> RowLocation:
        """Where to read row number `row` again."""
        return RowLocation(self._checks[row], self._file, self._offsets[row], self._sizes[row])

    def task(self, row: int) -> int:
        """The number of the task of row number `row`."""
        return self._tasks[row]

    def take_keys(self) -> NDArray[np.uint64]:
        """Removes the keys of all rows from the pool and returns them."""
        keys, self._keys = self._keys, array("Q")
        return np.frombuffer(keys, np.uint64)

    def by_task(self, kept: Numbers) -> dict[int, int]:
        """Counts the rows `kept` by the number of their task."""
        counts = np.bincount(np.frombuffer(self._tasks, np.uint8)[kept])
        return {task: int(count) for task, count in enumerate(counts) if count}


def key(row: Row, by_content: bool) -> int:
    """Hashes what duplicates share: id and task, or `messages` (without messages: all fields).

    An id names a problem, and a set may hold samples of several tasks about one problem.
    """
    if not by_content:
        identity = f"{row.id}\0{row.fields.get('task')}".encode("utf-8", "surrogatepass")
    else:
        content = row.fields.get("messages") or row.fields
        try:
            identity = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # an integer of more than 64 bits
            identity = rows.content_hash(content).encode()
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "big")


def in_earlier_pool(pools: Sequence[RowPool]) -> list[NDArray[np.bool_]]:
    """For each pool a mask of the rows whose key an earlier pool has. Takes the keys out of the pools."""
    seen, masks = np.empty(0, np.uint64), []
    for number, pool in enumerate(pools, 1):
        keys = pool.take_keys()
        if len(seen):
            nearest = np.minimum(np.searchsorted(seen, keys), len(seen) - 1)
            masks.append(seen[nearest] == keys)
        else:
            masks.append(np.zeros(len(keys), np.bool_))
        if number < len(pools):
            seen = np.union1d(seen, keys)
    return masks
