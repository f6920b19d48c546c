"""The types of rows: what is remembered of shapes changes no decision, whatever came before and however much of it."""

from __future__ import annotations

import random

import pytest

from libra_cli.records import row_types
from libra_cli.records.row_types import check_types
from libra_cli.stream.rows import RowError

VALUES = [
    "a",
    None,
    1,
    1.5,
    True,
    10**400,
    [],
    [1],
    ["a", None],
    [{}],
    [{"text": 3}],
    {},
    {"answer": 3},
    {"votes": [1]},
]
NAMES = ["label", "score", "prediction", "judgments", "verification", "n_tokens", "gates", "scores", "model", "other"]


def is_right(fields):
    """Whether each known field has its type, one by one."""
    known = ((row_types._TYPES.get(name), value) for name, value in fields.items())
    return all(found is None or type(value) in found[0] - {int} or found[1](value) for found, value in known)


def test_shapes_that_were_seen_decide_as_each_field_does():
    draw, n_wrong = random.Random(0), 0
    for _ in range(3000):
        names = draw.sample(NAMES, draw.randrange(len(NAMES)))
        fields = {name: draw.choice(VALUES) for name in names}
        for _ in range(2):
            try:
                check_types(fields)
                is_refused = False
            except RowError:
                is_refused = True
            assert is_refused != is_right(fields), fields
        n_wrong += is_refused
    assert 500 < n_wrong < 2500


@pytest.mark.parametrize("name", ["label", "score", "n_tokens"])
def test_a_number_beyond_a_double_is_refused_after_rows_of_the_same_shape(name):
    check_types({"id": "p", name: 1})
    with pytest.raises(RowError, match=f'"{name}"'):
        check_types({"id": "p", name: 10**400})


def test_what_is_remembered_has_a_limit():
    for number in range(3 * row_types._SHAPES):
        check_types({f"field {number}": 1, "label": 1})
    check_types({"x" * 10_000: 1})
    remembered = row_types._FIELDS._of_keys
    assert sum(len(shapes) for _, shapes in remembered.values()) <= row_types._SHAPES
    assert all(sum(map(len, keys)) <= row_types._SHAPE_CHARS for keys in remembered)
