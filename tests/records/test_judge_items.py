"""What a judge is shown of a row, and what the votes on a pair come to where one order cannot be read."""

from __future__ import annotations

import random

import pytest

from libra_cli.records.forms import item_of
from libra_cli.records.items import item_of_row
from libra_cli.records.no_answer import no_answer
from libra_cli.sampling.aggregate import AggregationRule, aggregate
from libra_cli.sampling.judge_prompts import make_plan
from libra_cli.sampling.judgments import judgment

PAIR = item_of({"question": "?", "response_a": "a", "response_b": "b"})


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"response": "<think>plan</think>\n42"}, ["42"]),
        ({"response": "plan</think>42"}, ["42"]),
        ({"response": "Wrap it in <think> and </think> tags."}, ["Wrap it in <think> and </think> tags."]),
        ({"response": "Start with the <think> tag; 42."}, ["Start with the <think> tag; 42."]),
        ({"response": "<think>cut here"}, [""]),
        (
            {"response": "Use <reasoning>.", "response_with_cot": "<think>x</think>Use <reasoning>."},
            ["Use <reasoning>."],
        ),
        ({"response": None, "response_with_cot": "<think>cut here"}, [""]),
        ({"response_a": "<think>secret</think>4", "response_b": "5"}, ["4", "5"]),
        ({"response_a": "<think>only a plan", "response_b": "5"}, ["", "5"]),
        ({"responses": ["<thinking>a</thinking>1", "2", "3"]}, ["1", "2", "3"]),
        ({"chosen": "<think>a</think>1", "rejected": "2"}, ["1", "2"]),
    ],
)
def test_a_response_is_shown_without_its_thinking_and_otherwise_whole(fields, shown):
    assert list(item_of_row({"question": "?", **fields}).responses) == shown


def voted(item, shows, gates, said, votes=1):
    """The decision on an item from what was literally said to each request, in their order."""
    planned = make_plan(item, shows, gates, votes, "both", lambda vote: random.Random(vote))
    judgments = [judgment(planned, prompt, one, None) for prompt, one in zip(planned.prompts, said, strict=True)]
    return aggregate(planned, judgments, AggregationRule("mean", lowest=0))


def test_a_pair_that_can_be_read_in_one_order_only_has_no_score():
    assert voted(PAIR, "pair", [None, None], ["A>B", None])["score"] is None
    assert voted(PAIR, "pair", [None, None], ["A>B", "B>>A"])["score"] == 1.5
    assert voted(PAIR, "pair", [None, None], ["A>B", None, "B>A", "A>B"], 2)["prediction"] == "B>A"


def test_a_gated_response_is_worse_than_one_with_the_lowest_score():
    gates = [no_answer("Solution:"), None]
    assert voted(PAIR, "response", gates, [0])["prediction"] == "B>A"
    three = item_of({"question": "?", "responses": ["Solution:", "2", "3"]})
    assert voted(three, "response", [gates[0], None, None], [0, 0]) == {
        "scores": [0, 0, 0], "score": None, "prediction": None, "unjudged": "tied",
        "gates": ["opener_only", None, None],
    }  # fmt: skip


def test_a_list_that_is_tied_says_so_although_a_vote_could_not_be_read():
    three = item_of({"question": "?", "responses": ["1", "2", "3"]})
    found = voted(three, "list", [None] * 3, [1, 1, None], 3)
    assert found == {"score": None, "prediction": None, "unjudged": "tied"}
