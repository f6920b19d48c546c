"""Which cases of a large table `make test` runs: some of each kind. `make slow` runs the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def every(n: int, cases: Iterable[Any]) -> list[Any]:
    """The cases as parameters; all but every n-th are slow."""
    return [case if at % n == 0 else slow(case) for at, case in enumerate(cases)]


def slow(case: Any) -> Any:
    """The case as a parameter that `make slow` takes."""
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)


def parts(n: int) -> list[Any]:
    """The numbers of n parts of a table that is made as it is run; `part_of` gives one of them."""
    return every(n, range(n))


def part_of(table: Iterable[T], part: int, n: int) -> Iterator[T]:
    """Every n-th entry of the table, beginning at `part`."""
    return (entry for number, entry in zip(count(), table, strict=False) if number % n == part)
