"""What `libra judge` writes is what the benchmarks' rules read: a judge that knows wins all, a contrary one none."""

from __future__ import annotations

import random

import pytest
from benchmark_figures import points_of

from libra_cli.records.forms import item_of
from libra_cli.sampling.aggregate import AggregationRule, aggregate
from libra_cli.sampling.judge_prompts import make_plan
from libra_cli.sampling.judgments import judgment

PROMPT = {"prompt": "2+2?"}
TALK = {"conversation_input": [{"role": "user", "content": "2+2?"}]}
ROWS = {
    "rewardbench": {**PROMPT, "chosen": "right 1", "rejected": "wrong 1", "subset": "hep-go"},
    "rewardbench2": {**PROMPT, "chosen": ["right 1"], "rejected": ["wrong 1", "wrong 2", "wrong 3"], "num_correct": 1}
    | {"subset": "Math"},
    "ppe-preference": {**PROMPT, "response_1": "wrong 1", "response_2": "right 1", "winner": "model_b"},
    "ppe-correctness": {**PROMPT, "response_1": "wrong 1", "response_2": "right 1", "response_3": "right 2"}
    | {"correct": [False, True, True], "sampled_conflict_pairs": [[0, 1], [2, 0], [1, 0]], "subset": "GPQA"},
    "rmb": {**TALK, "category_path": "BoN_set/Helpfulness", "bon_uid": "1", "bon_best": {"answer": "right 1"}}
    | {"loser_list": [{"answer": "wrong 1"}, {"answer": "wrong 2"}]},
    "judgebench": {"question": "2+2?", "pair_id": "1", "source": "livecodebench", "label": "B>A"}
    | {"response_A": "wrong 1", "response_B": "right 1"},
    "rm-bench": {**PROMPT, "chosen": ["right 1", "right 2", "right 3"], "rejected": ["wrong 1", "wrong 2", "wrong 3"]}
    | {"domain": "chat"},
    "pairs": {"question": "2+2?", "response_a": "wrong 1", "response_b": "right 1", "preference": "B>A"},
}
TWO = {
    "rmb": {**TALK, "category_path": "Pairwise_set/Helpfulness", "pair_uid": "1", "chosen": {"answer": "right 1"}}
    | {"reject": {"answer": "wrong 1"}},
    "ppe-correctness": {**PROMPT, "response_1": "wrong 1", "response_2": "right 1", "correct": [False, True]}
    | {"sampled_conflict_pairs": [[0, 1], [1, 0]], "subset": "GPQA"},
}
"""The same benchmarks with rows of two responses."""
TASKS = {"score": "response", "scalar": "response", "rank": "pair", "best": "list"}


def judged(row, task, knows, gates=None):
    """`row` with the verdicts of a judge that knows which responses are right, or takes the wrong ones for right."""
    item = item_of(row)
    made = make_plan(
        item, TASKS[task], gates or [None] * len(item.responses), 2, "both", lambda vote: random.Random(vote)
    )
    worth = [4 if response.startswith("right") == knows else 0 for response in item.responses]
    judgments = [judgment(made, prompt, said(task, prompt.order, worth), None) for prompt in made.prompts]
    lowest = 0 if task == "score" else None
    return {
        **row,
        "judge_task": task,
        "judgments": judgments,
        **aggregate(made, judgments, AggregationRule("mean", lowest=lowest)),
    }


def said(task, places, worth):
    """What a judge says that thinks so much of each response; of several best ones it takes the first in the record."""
    shown = [worth[place] for place in places]
    if task in ("score", "scalar"):
        return shown[0]
    if task == "best":
        return places.index(worth.index(max(shown))) + 1
    return "A>>B" if shown[0] > shown[1] else "B>A" if shown[0] < shown[1] else "A=B"


def several_right(row):
    return sum(response.startswith("right") for response in item_of(row).responses) > 1


# The best of a list says nothing of two others, so it is no verdict on benchmarks with several right responses.
CASES = [
    pytest.param(name, row, task, id=f"{name}-{task}-{len(item_of(row).responses)}")
    for rows in (ROWS, TWO)
    for name, row in rows.items()
    for task in TASKS
    if not (task == "best" and several_right(row))
]


@pytest.mark.parametrize(("name", "row", "task"), CASES)
def test_a_judge_that_knows_is_right_and_a_contrary_one_is_wrong(name, row, task):
    for knows in (True, False):
        points = points_of(name, [judged(row, task, knows)])
        assert [point.value for point in points] == [float(knows)] * len(points)
        assert [point.reason for point in points] == [None] * len(points)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["rewardbench", "rewardbench2", "rmb", "judgebench"])
def test_a_wrong_response_that_is_no_answer_loses_without_being_judged(name, task):
    row = ROWS[name]
    gates = [None if response.startswith("right") else "empty" for response in item_of(row).responses]
    points = points_of(name, [judged(row, task, True, gates)])
    assert [(point.value, point.reason) for point in points] == [(1.0, None)]


def test_a_list_compared_in_pairs_is_won_against_what_is_no_answer():
    assert judged(ROWS["rmb"], "rank", True, [None, "empty", None])["prediction"] == 0
    assert judged(ROWS["rmb"], "rank", True, [None, "empty", "empty"])["prediction"] == 0


@pytest.mark.parametrize(("name", "row", "task"), CASES)
def test_a_judge_that_says_nothing_is_counted(name, row, task):
    silent = judged(row, task, True)
    item = item_of(row)
    made = make_plan(item, TASKS[task], [None] * len(item.responses), 2, "both", lambda vote: random.Random(vote))
    nothing = [judgment(made, prompt, None, "truncated") for prompt in made.prompts]
    silent = {**silent, "judgments": nothing, **aggregate(made, nothing, AggregationRule("mean"))}
    points = points_of(name, [silent])
    assert {point.reason for point in points} == {"truncated"}
    assert {point.value for point in points} <= {0.0, 0.25, 0.5}
