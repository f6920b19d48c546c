"""Which rows a limit leaves out, and the limit that would keep nearly all."""

from __future__ import annotations

import pytest

from libra_cli.training.data.left_out import LeftOut, RowLengths


@pytest.mark.parametrize(("limit", "wanted"), [
    (100, None), (95, None), (94, LeftOut(6, 100, 95)), (4, LeftOut(96, 100, 95)), (0, LeftOut(100, 100, 95)),
])  # fmt: skip
def test_a_limit_that_keeps_too_few_rows_is_told_with_one_that_does_not(limit: int, wanted: LeftOut | None) -> None:
    lengths = RowLengths()
    for length in range(100, 0, -1):
        lengths.add(length)
    assert lengths.beyond(limit) == wanted


def test_few_rows_have_a_limit_too() -> None:
    lengths = RowLengths()
    assert lengths.beyond(1) is None  # there are no rows
    lengths.add(5)
    assert lengths.beyond(4) == LeftOut(1, 1, 5)
    assert lengths.beyond(4).share() == "1 of 1 row (100 %)"  # type: ignore[union-attr]
