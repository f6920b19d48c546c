"""What `libra mix` counts and draws: amounts, shares, permutations, turns, duplicates."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.mix import order, pool, report
from libra_cli.stages.mix.amounts import Amount, AmountKind, MixPart, amount, apportion, rows_per_part
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row

COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=6)


def part(text):
    return MixPart(f"f:{text}", "f", amount(text))


# -- amounts and shares ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("0", AmountKind.ROWS, 0),
        ("186731", AmountKind.ROWS, 186731),
        ("007", AmountKind.ROWS, 7),
        ("0.4", AmountKind.WEIGHT, Fraction(2, 5)),
        (".4", AmountKind.WEIGHT, Fraction(2, 5)),
        ("1.", AmountKind.WEIGHT, 1),
        ("3x", AmountKind.PASSES, 3),
        ("0.5x", AmountKind.PASSES, Fraction(1, 2)),
        (".1x", AmountKind.PASSES, Fraction(1, 10)),
    ],
)
def test_an_amount_says_what_it_counts(text, kind, value):
    assert amount(text) == Amount(kind, Fraction(value))


@pytest.mark.parametrize(
    "text", ["", "x", ".", ".x", "-1", "+1", "1e3", "1_000", "1,000", "40%", "3X", "3xx", "nan", "٣"]
)
def test_what_is_no_amount_is_none(text):
    assert amount(text) is None


@given(total=st.integers(0, 10**9), weights=st.lists(st.fractions(0, 100), min_size=1, max_size=8))
def test_shares_add_up_and_are_within_one_row_of_their_quota(total, weights):
    assume(any(weights))
    rows = apportion(total, weights)
    assert sum(rows) == total
    assert all(abs(count - total * weight / sum(weights)) < 1 for count, weight in zip(rows, weights, strict=True))


@given(sets=st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 99)), min_size=1, max_size=6))
def test_without_n_the_scarcest_set_gives_all_it_has_and_no_set_more(sets):
    available = [count for count, _ in sets]
    rows = rows_per_part([part(f"0.{weight:02}") for _, weight in sets], available, None, repeat=False)
    assert all(wanted <= count for wanted, count in zip(rows, available, strict=True))
    whole = sum(Fraction(weight) for _, weight in sets)
    one_more = [(sum(rows) + 1) * weight / whole for _, weight in sets]
    assert any(quota > count for quota, count in zip(one_more, available, strict=True))


def test_weights_share_what_counts_and_repetitions_leave():
    parts = [part("100"), part("2.5x"), part("3.0"), part("1.0")]
    assert rows_per_part(parts, [500, 30, 1000, 1000], 375, repeat=False) == [100, 75, 150, 50]
    assert rows_per_part(parts, [500, 30, 1000, 100], None, repeat=False) == [100, 75, 300, 100]


def test_the_papers_models_are_recipes():
    """Section 3 of the paper: the samples of supervised fine-tuning, by set."""
    parts = [part("38917"), part("186731"), part("25706"), part("26232")]
    assert sum(rows_per_part(parts, [40_000, 186_731, 30_000, 26_232], 277_586, repeat=False)) == 277_586


@pytest.mark.parametrize("words", ["7", "1.0"])
def test_more_than_a_set_has_is_refused_unless_it_may_repeat(words):
    total = None if words == "7" else 7
    with pytest.raises(Fatal, match="say --repeat") as caught:
        rows_per_part([part(words)], [6], total, repeat=False)
    assert caught.value.status == Exit.USAGE
    assert rows_per_part([part(words)], [6], total, repeat=True) == [7]


# -- order -------------------------------------------------------------------------------------------------------------


def test_a_permutation_is_the_same_for_ever():
    drawn = order.permutation(100_000, 7, "turns")
    assert sorted(drawn.tolist()) == list(range(100_000))
    assert hashlib.sha256(drawn.astype("<u4").tobytes()).hexdigest()[:16] == "9ced89fb349eb3fc"


def test_every_permutation_is_as_likely_as_any_other():
    seen = Counter(tuple(order.permutation(4, seed).tolist()) for seed in range(4800))
    chi_squared = sum((seen[which] - 200) ** 2 / 200 for which in permutations(range(4)))
    assert chi_squared < 49.7  # 23 degrees of freedom: beyond it once in a thousand seeds, and these are fixed


@given(count=st.integers(1, 30), wanted=st.integers(0, 100), seed=st.integers(0, 9), shuffle=st.booleans())
def test_no_row_comes_again_before_all_had_their_turn(count, wanted, seed, shuffle):
    kept = np.arange(100, 100 + count, dtype=np.uint32)
    drawn = list(order.walk(kept, wanted, seed, 0, shuffle))
    assert len(drawn) == wanted
    for begin in range(0, wanted, count):
        epoch = drawn[begin : begin + count]
        assert len(set(epoch)) == len(epoch)
        assert set(epoch) <= set(kept.tolist())
        assert shuffle or epoch == sorted(epoch)


def test_epochs_sources_and_seeds_have_orders_of_their_own():
    kept = np.arange(50, dtype=np.uint32)
    twice = list(order.walk(kept, 100, 1, 0, True))
    others = [list(order.walk(kept, 50, seed, source, True)) for seed, source in [(1, 1), (2, 0)]]
    assert len({tuple(drawn) for drawn in [twice[:50], twice[50:], *others]}) == 4


@given(counts=COUNTS, seed=st.integers(0, 9), shuffle=st.booleans())
def test_every_set_has_its_number_of_turns(counts, seed, shuffle):
    drawn = Counter(order.turns(counts, seed, shuffle).tolist())
    assert [drawn[source] for source in range(len(counts))] == counts


@given(counts=COUNTS)
def test_every_beginning_has_the_proportions_of_the_whole(counts):
    total, taken = sum(counts), Counter()
    for length, source in enumerate(order.turns(counts, 0, shuffle=False).tolist(), 1):
        taken[source] += 1
        for number, count in enumerate(counts):
            assert abs(taken[number] - length * count / total) <= 0.5 + len(counts) * count / total / 2


# -- duplicates and tasks ----------------------------------------------------------------------------------------------


def pool_of(keys):
    made = pool.RowPool()
    for number, key in enumerate(keys):
        made.add(RowLocation(0, 1, number, 1), key, number % 2)
    return made


@given(keys=st.lists(st.lists(st.integers(2**64 - 5, 2**64 - 1)), min_size=1, max_size=4))
def test_a_duplicate_is_what_an_earlier_set_has(keys):
    found = pool.in_earlier_pool([pool_of(those) for those in keys])
    for number, (those, mask) in enumerate(zip(keys, found, strict=True)):
        earlier = {key for before in keys[:number] for key in before}
        assert mask.tolist() == [key in earlier for key in those]


def key(fields, by_content):
    return pool.key(Row(fields, b"", "f", 1), by_content)


def test_content_is_the_messages_or_all_fields():
    messages = [{"role": "user", "content": "ü"}]
    same = [{"id": 1, "messages": messages}, {"messages": [{"content": "ü", "role": "user"}], "note": 2}]
    assert len({key(fields, True) for fields in same}) == 1
    assert len({key(fields, True) for fields in [{"a": 1, "b": 2**70}, {"b": 2**70, "a": 1}]}) == 1
    others = [{"id": 1, "x": 1}, {"id": 1, "x": 2}, {"id": 1, "messages": []}]
    assert len({key(fields, True) for fields in others}) == 3
    assert len({key(fields, False) for fields in others}) == 1


def test_samples_of_two_tasks_that_stand_on_one_problem_are_no_duplicates():
    samples = [{"id": "p", "task": "score"}, {"id": "p", "task": "reason"}, {"id": "p"}]
    assert len({key(fields, False) for fields in samples}) == 3


def test_a_field_called_task_may_hold_anything():
    tasks = pool.TaskNumbers()
    numbers = [tasks.number({"task": f"t{number}"}) for number in range(1000)]
    assert numbers[: pool.MOST_TASKS] == list(range(1, pool.MOST_TASKS + 1))
    assert {tasks.names[number] for number in numbers[pool.MOST_TASKS :]} == {pool.OTHERS}
    assert [tasks.number(fields) for fields in ({}, {"task": None}, {"task": ["score"]})] == [0, 0, 0]


def test_what_cannot_be_divided_is_null():
    found = report.figures(["e"], [{}], [{}], [None])
    assert found["sources"][0]["share"] is None
    assert found["sources"][0]["epochs"] is None
