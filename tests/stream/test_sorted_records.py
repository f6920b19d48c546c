"""Records sorted on disk: the order of `sorted`, in memory that does not grow with them."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sorted_records import RUN, SortedRecords


@pytest.mark.parametrize("count", [0, 1, RUN - 1, RUN, RUN + 1, 3 * RUN + 7])
def test_they_come_in_the_order_of_their_bytes_as_often_as_asked(count):
    draw = random.Random(count)
    added, records = [draw.randbytes(3) for _ in range(count)], SortedRecords(3)
    for record in added:
        records.add(record)
    assert len(records) == count
    assert list(records) == list(records) == sorted(added)


def test_memory_holds_one_run():
    """At most 4 MB for 262,144 records of 24 bytes, which have 6 MB."""
    draw, records = random.Random(0), SortedRecords(24)
    tracemalloc.start()
    for _ in range(16 * RUN):
        records.add(draw.randbytes(24))
    last, n = b"", 0
    for record in records:
        assert last <= record
        last, n = record, n + 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 16 * RUN
    assert peak < 4e6, peak


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    records = SortedRecords(8, str(tmp_path / "none"))
    for _ in range(RUN - 1):
        records.add(bytes(8))
    with pytest.raises(Fatal, match=f"{tmp_path}/none") as ended:
        records.add(bytes(8))
    assert ended.value.status in (Exit.USAGE, Exit.WRITE_FAILED)
