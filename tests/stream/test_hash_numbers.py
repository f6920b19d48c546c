"""Hashes by number, and bytes on disk, against a dictionary and a bytearray."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from libra_cli.exits import Fatal
from libra_cli.stream.hash_numbers import DiskLog, HashNumbers


def test_numbers_are_those_of_a_dictionary():
    draw, table, known = random.Random(1), HashNumbers(), {}
    values = [draw.getrandbits(64) for _ in range(5000)] + [0, 1, 2**64 - 1, 1024, 2048, 3 << 40]
    for _ in range(30_000):
        value = draw.choice(values)
        assert table.number(value) == known.setdefault(value, len(known))
        assert len(table) == len(known)


def test_hashes_that_share_their_low_bits_are_told_apart():
    table = HashNumbers()
    assert [table.number(n << 32) for n in range(2000)] == list(range(2000))
    assert [table.number(n << 32) for n in range(2000)] == list(range(2000))


def test_hashes_that_share_their_upper_half_are_told_apart():
    draw, table = random.Random(4), HashNumbers()
    values = list(dict.fromkeys(5 << 32 | draw.getrandbits(32) for _ in range(20_000)))
    values += [value ^ 1 << 63 for value in values[:500]]  # the same place in the table
    assert [table.number(value) for value in values] == list(range(len(values)))
    assert [table.number(value) for value in values] == list(range(len(values)))


def test_a_hash_takes_few_bytes():
    draw, table = random.Random(2), HashNumbers()
    tracemalloc.start()
    for _ in range(60_000):
        table.number(draw.getrandbits(64))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 16 * len(table)
    assert peak < 22 * len(table)


def test_a_log_gives_back_what_it_was_given():
    draw, log, begins, whole = random.Random(3), DiskLog(), [], bytearray()
    for number in range(4000):
        data = bytes([number % 251]) * draw.randrange(200)
        begins.append((len(log), data))
        log.append(data)
        whole += data
        begin, wanted = draw.choice(begins)
        assert log.read(begin, len(wanted)) == wanted
    assert len(log) == len(whole) > 1 << 18
    assert all(log.read(begin, len(data)) == data for begin, data in begins)
    for _ in range(200):  # also across the pieces that were added, and across what is on disk
        begin, end = sorted((draw.randrange(len(log)), draw.randrange(len(log) + 1)))
        assert log.read(begin, end - begin) == whole[begin:end]
    assert log.read(0, len(log)) == whole


def test_a_log_that_cannot_be_written_says_where(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(Fatal, match="a temporary file in /nowhere: cannot be written"):
        DiskLog().append(bytes(1 << 17))
