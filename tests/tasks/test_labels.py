"""Labels, predictions and scores as tables write them."""

from __future__ import annotations

import pytest

from libra_cli.tasks.labels import label_of, label_or_none, score_of


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (1, 1), (0.0, 0), (True, 1), (False, 0), (None, None), ("1", 1), ("0.0", 0), (" TRUE ", 1), ("False", 0),
        ("Yes", 1), ("no", 0), ("Correct", 1), ("incorrect", 0), ("right", 1), ("wrong", 0),
    ],
)  # fmt: skip
def test_what_is_a_label(value, label):
    assert label_of(value) == label
    assert type(label_of(value)) in (int, type(None))


@pytest.mark.parametrize("value", ["", "2", "maybe", "A", "not correct", 2, 0.5, [], {}, "1,0"])
def test_what_is_none(value):
    assert label_or_none(value) is None
    with pytest.raises(ValueError, match="not a label"):
        label_of(value)


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (1, 1.0), (0.25, 0.25), (None, None), ("0.90", 0.9), ("-1.50", -1.5), ("0,9", 0.9), ("0,125", 0.125),
        ("12,5", 12.5), ("1e-3", 0.001), (" 4 ", 4.0),
    ],
)  # fmt: skip
def test_what_is_a_score(value, score):
    assert score_of(value) == score


@pytest.mark.parametrize("value", ["", "x", "90%", "1,000", "1.000,5", "nan", "inf", "1e999", True, [], "\u0663"])
def test_what_is_no_score(value):
    with pytest.raises(ValueError, match=r"not a score|beyond"):
        score_of(value)
