"""What is kept of rows while they are read: numbers in arrays, names once each, no texts."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TEXTS = ("question", "prompt", "response", "response_with_cot", "response_a", "response_b", "chosen", "rejected",
          "responses", "response_1", "response_2", "model_name", "pair_id", "pair_uid", "bon_uid", "question_id",
          "solution_reference")  # fmt: skip
"""Fields that tell items apart where `id` or `sample` do not."""


class Names:
    """A number from 0 for each different name, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, name: Hashable) -> int:
        """The number of `name`, a new one where it is new."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._numbers)
        return number

    def all(self) -> list[Any]:
        """The names by their numbers."""
        return list(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class Clusters:
    """The problems, by the hash of what names them: a million questions are not kept for it."""

    def __init__(self) -> None:
        self._hashes = Names()
        self.rows = 0
        """Rows that name no problem; each is one of its own."""

    def number(self, name: str | None) -> int:
        """The problem's number; None is a new one."""
        if name is None:
            self.rows += 1
            return self._hashes.number(("row", self.rows))
        return self._hashes.number(hash(name))

    @property
    def unit(self) -> str:
        """What is drawn in a bootstrap: "problem", or "row" where no row names its problem."""
        return "row" if self.rows and self.rows == len(self) else "problem"

    def __len__(self) -> int:
        return len(self._hashes)


def problem_of(fields: dict[str, Any]) -> str | None:
    """What names the problem that a row is about: its text, else its id or index; None where it has none of them."""
    for name in ("question", "prompt", "problem", "id"):
        if (value := fields.get(name)) is not None:
            return value if type(value) is str else repr(value)
    return None if fields.get("index") is None else f"{fields.get('subset', '')}:{fields['index']}"


def name_key(fields: dict[str, Any]) -> int:
    """A hash of what names an item apart from its texts; 0 where it has no id and no index. For this process only."""
    return 0 if fields.get("id") is None and fields.get("index") is None else _hash(_names(fields))


def _names(fields: dict[str, Any]) -> tuple[Any, ...]:
    get = fields.get
    return get("id"), get("index"), get("subset"), get("model"), get("sample")


def _hash(names: tuple[Any, ...]) -> int:
    try:
        return hash(names)
    except TypeError:  # a list of responses, or a conversation
        return hash(repr(names))


def item_key(fields: dict[str, Any]) -> int:
    """A hash that two judges' rows about the same item share; 0 where nothing tells the items of a file apart.

    The id or index and the sample where there are any, otherwise the texts themselves. It holds for this process only.
    """
    names = _names(fields)
    if (names[0] is None and names[1] is None) or names[4] is None:
        names += tuple(fields[name] for name in _TEXTS if name in fields)
        if not any(name is not None for name in names):
            return 0
    return _hash(names)


def repeated(keys: Ints) -> list[str]:
    """A note where rows have the key of another row; none where rows without one (0) are among them."""
    twice = len(keys) - len(np.unique(keys)) if keys.all() else 0
    return [f"rows about the item (id, model, sample) of another row: {twice}; all count"] if twice else []


def floats(column: array[float]) -> Floats:
    """A column of doubles as numpy sees it, without a copy."""
    return np.frombuffer(column, dtype=np.float64) if column else np.empty(0)


def ints(column: array[int]) -> Ints:
    """A column of integers (`q`, `i` or `b`)."""
    return np.frombuffer(column, dtype=np.dtype(column.typecode)).astype(np.int64) if column else np.empty(0, np.int64)
