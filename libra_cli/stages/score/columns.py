"""What the collectors keep of rows: numbers in arrays, each name once, no texts."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.stages.score.row_hashes import HashColumn
from libra_cli.stream.common_names import RESPONSE, common_name

TEXTS = (
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
    "text",
    "texts_chosen",
    "texts_rejected",
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


class ProblemNames:
    """Hashes what identifies the problem of each row, so that no question is kept in memory."""

    def __init__(self) -> None:
        self._rows = self._unnamed = 0

    def hash(self, name: str | None) -> int:
        """Hashes the name of a row's problem; None is a problem of its own. Valid in this process only."""
        self._rows += 1
        if name is not None:
            return hash(name)
        self._unnamed += 1
        return hash(("row", self._unnamed))

    @property
    def unit(self) -> str:
        """What the bootstrap resamples: "problem", or "row" if no row names its problem."""
        return "row" if self._unnamed and self._unnamed == self._rows else "problem"


def problem_of(fields: dict[str, Any]) -> str | None:
    """Identifies the problem of a row by its text, or else its id or index; None if it has none of them."""
    for name in ("question", "prompt", "problem", "id"):
        if (value := fields.get(name)) is not None:
            return value if type(value) is str else repr(value)
    return None if fields.get("index") is None else f"{fields.get('subset', '')}:{fields['index']}"


def item_keys(fields: dict[str, Any]) -> tuple[int, int]:
    """Hashes what rows of two judges about the same item share, and that without texts. Valid in this process only.

    The first is of the id, index, subset, model, sample and texts; 0 if nothing identifies the item. The second is 0
    without id and index.
    """
    get = fields.get
    names: tuple[Any, ...] = get("id"), get("index"), get("subset"), get("model"), get("sample")
    is_named = names[0] is not None or names[1] is not None
    by_name = _hash(names) if is_named else 0
    names += tuple(fields[name] for name in TEXTS if name in fields)
    if "response" not in fields and names[4] is None and (other := common_name(fields, RESPONSE)) is not None:
        names += (fields[other],)
    is_item = is_named or any(text is not None for text in names[5:])  # a subset and a model are no item
    return (_hash(names) if is_item else 0), by_name


def _hash(names: tuple[Any, ...]) -> int:
    try:
        return hash(names)
    except TypeError:  # a list of responses, or a conversation
        return hash(repr(names))


def repeated(keys: HashColumn) -> list[str]:
    """A note if rows share a key; no note if some rows have none (0)."""
    n_distinct = keys.n_distinct()
    twice = 0 if n_distinct is None else len(keys) - n_distinct
    return (
        [f"rows about the item of another row (with its id, model, sample and texts): {twice}; all count"]
        if twice
        else []
    )


def view(column: array[Any]) -> NDArray[Any]:
    """A column as a numpy array of the same type, without a copy; it cannot grow any more."""
    return np.frombuffer(column, dtype=np.dtype(column.typecode))
