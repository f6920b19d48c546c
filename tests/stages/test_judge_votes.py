"""From votes to a score, a preference or a choice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli import choices
from libra_cli.sampling import votes

GRADES = st.lists(st.integers(0, 4), min_size=1, max_size=16)


@pytest.mark.parametrize(
    ("said", "mean", "median", "majority", "highest"),
    [
        ([3], 3, 3, 3, 3),
        ([4, 1, 4, 0], 2.25, 2.5, 4, 4),
        ([0, 4], 2, 2, 2, 4),
        ([1, 1, 3, 3, 4], 2.4, 3, 2, 4),
        ([0, 0, 0, 1], 0.25, 0, 0, 1),
        ([], None, None, None, None),
    ],
)
def test_the_four_reductions(said, mean, median, majority, highest):
    found = [votes.reduced(said, how) for how in choices.REDUCTIONS]
    assert found == [mean, median, majority, highest]


def test_null_votes_are_left_out_and_words_are_numbers():
    assert votes.values([None, 3, None, "correct", "wrong", "A>>B", "A=B", "B>A"]) == [3, 1, 0, 2, 0, -1]


@given(GRADES, st.randoms())
def test_the_order_of_votes_does_not_matter_and_no_reduction_leaves_their_range(said, chance):
    shuffled = chance.sample(said, len(said))
    for how in choices.REDUCTIONS:
        found = votes.reduced(said, how)
        assert min(said) <= found <= max(said)
        assert votes.reduced(shuffled, how) == found


def test_one_vote_is_itself_and_a_whole_number_has_no_decimal_point():
    assert repr(votes.reduced([3], "mean")) == "3"
    assert repr(votes.reduced([2, 4], "median")) == "3"
    assert repr(votes.reduced([0.731], "mean")) == "0.731"


@pytest.mark.parametrize(
    ("said", "mean", "majority"),
    [
        (["A>>B", "A>B"], 1.5, 1),  # both for A, however strongly
        (["A>>B", "B>A", "B>A"], 0, -1),
        (["A>B", "B>A"], 0, 0),
        (["A=B", "A=B", "A>>B"], 2 / 3, 0),
        (["A>B", "A=B"], 0.5, 0),
        ([None, None], None, None),
    ],
)
def test_comparisons(said, mean, majority):
    numbers = votes.values(said)
    assert votes.compared(numbers, "mean") == mean
    assert votes.compared(numbers, "majority") == majority


def test_swapping_all_verdicts_swaps_the_comparison():
    from libra_cli.tasks.rank import STRENGTH, swapped

    for verdict in STRENGTH:
        for how in ("mean", "median", "majority"):
            said = [verdict, "A>B", "B>>A"]
            there = votes.compared(votes.values(said), how)
            back = votes.compared(votes.values(map(swapped, said)), how)
            assert votes.preference(there) == swapped(votes.preference(back))


def test_the_favourite_of_a_list_and_the_highest_score_are_unique_or_none():
    assert votes.favourite([2, 0, 2]) == 2
    assert votes.favourite([0, 1]) is None
    assert votes.favourite([]) is None
    assert votes.highest([1, 4, 3]) == 1
    assert votes.highest([4, 4, 3]) is None
