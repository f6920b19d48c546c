"""The prompts about an item: their number, the responses that they show and the order; and the votes they give."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from libra_cli.records.forms import item_of
from libra_cli.sampling.judge_prompts import make_plan
from libra_cli.sampling.judges import default_task
from libra_cli.sampling.judgments import judgment
from libra_cli.stream.rows import RowError

PAIR = item_of({"question": "?", "response_a": "a", "response_b": "b"})
LIST = item_of({"question": "?", "responses": ["a", "b", "c", "d"]})
TWO_BY_TWO = item_of({"question": "?", "chosen": ["a", "b"], "rejected": ["c", "d"]})


def chance(vote):
    return random.Random(vote)


def shown(item, shows, votes=1, orders="both", gates=None):
    made = make_plan(item, shows, gates or [None] * len(item.responses), votes, orders, chance)
    return [prompt.order for prompt in made.prompts]


def test_pairs_are_shown_in_both_orders_and_each_vote_has_both():
    assert shown(PAIR, "pair", 2) == [(0, 1), (1, 0), (0, 1), (1, 0)]
    assert shown(PAIR, "pair", 2, "first") == [(0, 1), (0, 1)]
    by_chance = Counter(shown(PAIR, "pair", 200, "random"))
    assert set(by_chance) == {(0, 1), (1, 0)}
    assert min(by_chance.values()) > 60


def test_a_row_of_several_pairs_is_asked_for_each():
    assert shown(TWO_BY_TWO, "pair", 1, "first") == [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert shown(TWO_BY_TWO, "pair", 1, "first", [None, None, "empty", None]) == [(0, 3), (1, 3)]


def test_responses_are_judged_one_by_one():
    assert shown(LIST, "response", 2) == [(place,) for place in range(4) for _ in range(2)]
    assert shown(LIST, "response", 1, gates=[None, "empty", None, "empty"]) == [(0,), (2,)]


def test_a_list_rotates_so_that_each_response_stands_everywhere():
    orders = shown(LIST, "list", 4)
    for position in range(4):
        assert {order[position] for order in orders} == {0, 1, 2, 3}
    assert shown(LIST, "list", 2, "first") == [(0, 1, 2, 3)] * 2
    assert all(sorted(order) == [0, 1, 2, 3] for order in shown(LIST, "list", 5, "random"))
    assert shown(LIST, "list", 3, gates=["empty", "empty", None, "empty"]) == []


@pytest.mark.parametrize(("item", "shows"), [(LIST, "pair"), (item_of({"question": "?", "response": "a"}), "list")])
def test_what_a_task_cannot_show_is_refused(item, shows):
    with pytest.raises(RowError, match="--task"):
        shown(item, shows)


def test_an_outcome_is_in_terms_of_the_records_own_order():
    made = make_plan(PAIR, "pair", [None, None], 1, "both", chance)
    found = [judgment(made, prompt, "A>>B", None) for prompt in made.prompts]
    assert found[0] == {"outcome": "A>>B", "vote": 0, "order": "AB"}
    assert found[1] == {"outcome": "B>>A", "vote": 0, "order": "BA", "said": "A>>B"}
    made = make_plan(LIST, "list", [None, "empty", None, None], 2, "both", chance)
    for prompt in made.prompts:
        for number, place in enumerate(prompt.order, 1):
            found = judgment(made, prompt, number, None)
            assert (found["outcome"], found["order"]) == (place + 1, list(prompt.order))
        unseen = judgment(made, prompt, 4, None)
        assert (unseen["outcome"], unseen["reason"], unseen["said"]) == (None, "out_of_range", 4)


def test_the_pair_of_a_judgment_is_named_where_there_are_several():
    made = make_plan(TWO_BY_TWO, "pair", [None] * 4, 1, "both", chance)
    found = [judgment(made, prompt, "A>B", None) for prompt in made.prompts]
    assert [(one["pair"], one["order"], one["outcome"]) for one in found[:2]] == [
        ([0, 2], "AB", "A>B"),
        ([0, 2], "BA", "B>A"),
    ]


@pytest.mark.parametrize(
    ("fields", "task"),
    [
        ({"response": "a"}, "score"),
        ({"response_a": "a", "response_b": "b"}, "rank"),
        ({"chosen": "a", "rejected": "b"}, "rank"),
        ({"responses": ["a", "b"]}, "rank"),
        ({"responses": ["a", "b", "c"]}, "best"),
        ({"chosen": ["a"], "rejected": ["b", "c", "d"]}, "rate"),  # others than the first may be right
    ],
)
def test_the_default_task_shows_all_responses_at_once(fields, task):
    assert default_task(item_of({"question": "?", **fields})) == task
