"""Which samples a step learns from, and how they are pack_batch over ranks and passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.training.data.packing import PackBudget, SampleOrder, pack_batch
from libra_cli.training.schedule import Schedule, how_many


@given(st.integers(1, 40), st.integers(1, 17), st.sampled_from([0.5, 1.0, 2.0, 3.25]), st.integers(0, 5))
def test_each_sample_is_seen_once_an_epoch(samples: int, size: int, epochs: float, seed: int) -> None:
    order = SampleOrder(samples, size, epochs, seed)
    batches = [order.batch(step) for step in range(order.steps)]
    seen = [each for batch in batches for each in batch]
    assert len(seen) == round(samples * epochs)
    assert all(len(batch) == size for batch in batches[:-1])
    for begin in range(0, len(seen), samples):
        epoch = seen[begin : begin + samples]
        assert len(set(epoch)) == len(epoch)


def test_the_order_is_another_in_each_epoch_and_the_same_in_each_run() -> None:
    order = SampleOrder(10, 10, 2, seed=4)
    assert order.batch(0) != order.batch(1)
    assert sorted(order.batch(0)) == sorted(order.batch(1)) == list(range(10))
    assert order.batch(0) == SampleOrder(10, 10, 2, seed=4).batch(0)
    assert SampleOrder(4, 3, 2, seed=4, shuffle=False).batch(1) == [3, 0, 1]


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
    st.integers(1, 5),
    st.sampled_from([20, 50, 200]),
    st.booleans(),
)
def test_packs_hold_every_sample_once_and_equally_many_are_on_every_rank(
    lengths: list[int], ranks: int, limit: int, padded: bool
) -> None:
    samples = [1000 + number for number in range(len(lengths))]
    packs = pack_batch(
        [(sample,) for sample in samples],
        dict(zip(samples, lengths, strict=True)),
        ranks,
        PackBudget(limit, quadratic=0.01, padded=padded),
    )
    assert len(packs) == ranks
    assert len({len(each) for each in packs}) == 1
    assert sorted(sample for rank in packs for pack in rank for sample in pack) == samples
    for pack in (pack for rank in packs for pack in rank if len(pack) > 1):
        own = [lengths[sample - 1000] for sample in pack]
        assert (max(own) * len(own) if padded else sum(own)) <= limit


def test_work_is_even() -> None:
    lengths = [100, 90, 80, 40, 30, 20, 10, 10]
    packs = pack_batch([(i,) for i in range(8)], lengths, 2, PackBudget(200))
    assert [sum(lengths[i] for i in rank[0]) for rank in packs] == [190, 190]


@pytest.mark.parametrize("padded", [False, True])
def test_a_unit_is_never_parted(padded: bool) -> None:
    units, lengths = [(0, 1), (4, 5, 2), (3,), (7, 6)], [50, 60, 20, 90, 10, 30, 80, 15]
    packs = [pack for rank in pack_batch(units, lengths, 2, PackBudget(120, padded=padded)) for pack in rank]
    for unit in units:
        (pack,) = (pack for pack in packs if unit[0] in pack)
        at = pack.index(unit[0])
        assert tuple(pack[at : at + len(unit)]) == unit


def test_the_learning_rate_warms_up_falls_and_ends_at_the_floor() -> None:
    schedule = Schedule(peak=1e-5, floor=1e-6, steps=100, warmup=0.03)
    assert schedule.warmup_steps == 3
    assert [schedule.at(step) for step in (0, 1, 2)] == pytest.approx([1e-5 / 3, 2e-5 / 3, 1e-5])
    assert schedule.at(3) == pytest.approx(1e-5)
    assert schedule.at(51) == pytest.approx((1e-5 + 1e-6) / 2)
    assert schedule.at(99) == pytest.approx(1e-6)
    linear = Schedule(1.0, 0.0, 11, warmup=0, shape="linear")
    assert [linear.at(step) for step in (0, 5, 10)] == pytest.approx([1.0, 0.5, 0.0])
    assert Schedule(1.0, 0.1, 10, warmup=2, shape="constant").at(9) == 1.0
    assert Schedule(1.0, 0.1, 10, warmup=2).warmup_steps == 2


def test_a_run_of_fewer_steps_than_asked_says_why():
    assert how_many(1, 1, 5) == "1 step (the data ends after 1 epoch; --max-steps is 5)"
    assert how_many(1200, 1.5, 5000) == "1,200 steps (the data ends after 1.5 epochs; --max-steps is 5,000)"
    assert how_many(5, 1, 5) == how_many(5, 1, None) == "5 steps"
