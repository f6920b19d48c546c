"""Agreement, kappa and Wilson intervals against worked examples and what must hold for any counts."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.metrics.agreement import agreement, cohen_kappa, wilson_interval

SAID = st.sampled_from(["correct", "wrong"])
PAIRS = st.dictionaries(st.tuples(SAID, SAID), st.integers(1, 10**6), min_size=1)


def test_kappa_of_the_textbook_example():
    pairs = {("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}
    assert agreement(pairs) == 0.7
    assert isclose(cohen_kappa(pairs), 0.4)


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ({}, None),
        ({("yes", "yes"): 7}, None),  # neither ever says anything else: chance alone agrees
        ({("yes", "no"): 7}, 0.0),
        ({("yes", "yes"): 3, ("no", "no"): 4}, 1.0),
        ({("yes", "no"): 3, ("no", "yes"): 3}, -1.0),
        ({("yes", "yes"): 25, ("yes", "no"): 25, ("no", "yes"): 25, ("no", "no"): 25}, 0.0),
    ],
)
def test_kappa_at_its_ends(pairs, kappa):
    assert cohen_kappa(pairs) == kappa


@given(PAIRS)
def test_kappa_never_exceeds_one_and_does_not_depend_on_who_is_first(pairs):
    kappa = cohen_kappa(pairs)
    swapped = cohen_kappa({(other, one): count for (one, other), count in pairs.items()})
    assert kappa == swapped
    assert kappa is None or -1 - 1e-9 <= kappa <= 1


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [  # by the closed form, to 4 digits
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (10, 50, 0.1124, 0.3304),
        (1, 1000, 0.0002, 0.0056),
    ],
)
def test_wilson_intervals_of_known_shares(successes, total, low, high):
    found = wilson_interval(successes, total)
    assert [round(end, 4) for end in found] == [low, high]


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_wilson_interval_holds_its_share(one, other):
    successes, total = min(one, other), max(one, other)
    interval = wilson_interval(successes, total)
    if total == 0:
        assert interval is None
    else:
        assert 0 <= interval[0] <= successes / total <= interval[1] <= 1
        wider = wilson_interval(successes, total, 0.99)
        assert wider[0] <= interval[0]
        assert wider[1] >= interval[1]
