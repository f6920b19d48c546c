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
    """The problem of each row, by a hash of what identifies it, so that no question is kept in memory."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self.rows = 0
        """Rows that name no problem; each counts as a problem of its own."""

    def add(self, name: str | None) -> None:
        """Adds a row by the name of its problem; None is a new one."""
        self.rows += name is None
        self._hashes.append(hash(("row", self.rows) if name is None else name))

    def numbers(self) -> Ints:
        """The problem of each row (N), numbered from 0 in order of appearance."""
        _, firsts, problem_of_row = np.unique(ints(self._hashes), return_index=True, return_inverse=True)
        numbers = np.empty(len(firsts), np.int64)
        numbers[np.argsort(firsts)] = np.arange(len(firsts))
        return numbers[problem_of_row]

    @property
    def unit(self) -> str:
        """What the bootstrap resamples: "problem", or "row" if no row names its problem."""
        return "row" if self.rows and self.rows == len(self._hashes) else "problem"


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
