"""What the collectors keep of rows: numbers in arrays, each name once, no texts."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TEXTS = (
    "question",
    "prompt",
    "response",
    "response_with_cot",
    "response_a",
    "response_b",
    "chosen",
    "rejected",
    "responses",
    "response_1",
    "response_2",
    "model_name",
    "pair_id",
    "pair_uid",
    "bon_uid",
    "question_id",
    "solution_reference",
)
"""Fields that identify items without `id` or `sample`."""


class NameNumbers:
    """Numbers distinct names from 0, in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, name: Hashable) -> int:
        """Returns the number of `name`; a new name gets the next one."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._numbers)
        return number

    def all(self) -> list[Any]:
        """The names, by number."""
        return list(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class Clusters:
    """Numbers problems by a hash of what identifies them, so that no question is kept in memory."""

    def __init__(self) -> None:
        self._hashes = NameNumbers()
        self.rows = 0
        """Rows that name no problem; each counts as a problem of its own."""

    def number(self, name: str | None) -> int:
        """Returns the number of a problem; None is a new one."""
        if name is None:
            self.rows += 1
            return self._hashes.number(("row", self.rows))
        return self._hashes.number(hash(name))

    @property
    def unit(self) -> str:
        """What the bootstrap resamples: "problem", or "row" if no row names its problem."""
        return "row" if self.rows and self.rows == len(self) else "problem"

    def __len__(self) -> int:
        return len(self._hashes)


def problem_of(fields: dict[str, Any]) -> str | None:
    """Identifies the problem of a row by its text, or else its id or index; None if it has none of them."""
    for name in ("question", "prompt", "problem", "id"):
        if (value := fields.get(name)) is not None:
            return value if type(value) is str else repr(value)
    return None if fields.get("index") is None else f"{fields.get('subset', '')}:{fields['index']}"


def name_key(fields: dict[str, Any]) -> int:
    """Hashes what identifies an item apart from its texts; 0 without id and index. Valid in this process only."""
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
    """Hashes what rows of two judges about the same item share; 0 if nothing identifies the item.

    That is the id or index with the sample or, if one is missing, also the texts. Valid in this process only.
    """
    names = _names(fields)
    if (names[0] is None and names[1] is None) or names[4] is None:
        names += tuple(fields[name] for name in _TEXTS if name in fields)
        if not any(name is not None for name in names):
            return 0
    return _hash(names)


def repeated(keys: Ints) -> list[str]:
    """A note if rows share a key; no note if some rows have none (0)."""
    twice = len(keys) - len(np.unique(keys)) if keys.all() else 0
    return [f"rows about the item (id, model, sample) of another row: {twice}; all count"] if twice else []


def floats(column: array[float]) -> Floats:
    """A column of doubles as a numpy array, without a copy."""
    return np.frombuffer(column, dtype=np.float64) if column else np.empty(0)


def ints(column: array[int]) -> Ints:
    """A column of integers (`q`, `i` or `b`) as a numpy array of int64."""
    return np.frombuffer(column, dtype=np.dtype(column.typecode)).astype(np.int64) if column else np.empty(0, np.int64)
