"""Times and counts as people read them."""

from __future__ import annotations

import pytest

from libra_cli.plural import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "0.1 s"), (0.25, "0.25 s"), (45, "45 s"), (99, "99 s"), (99.99, "100 s"), (100, "100 s"),
        (119, "119 s"), (120, "2 min"), (150, "150 s"), (600, "10 min"), (1500, "25 min"), (3876.8, "65 min"),
        (5399, "90 min"), (5400, "1.5 h"), (36_000, "10 h"), (7_200_000, "2,000 h"),
    ],
)  # fmt: skip
def test_a_time_has_the_unit_that_needs_few_digits(seconds, words):
    assert duration(seconds) == words
