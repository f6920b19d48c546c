"""Names of columns that everybody uses, in place of libra's own."""

from __future__ import annotations

from typing import Any

import pytest

from libra_cli.records.items import ResponseNames
from libra_cli.records.own_names import QUESTION, REFERENCE, RESPONSE, OwnNames, asks_itself
from libra_cli.stream import rows
from libra_cli.stream.rows import Row


def row_of(fields: dict[str, Any]) -> Row:
    return Row(fields, rows.dumps(fields), "f", 1, 0)


def added(fields: dict[str, Any], names: Any = (QUESTION, REFERENCE, RESPONSE)) -> tuple[dict[str, Any], list[str]]:
    """What a row gets, and the notes; its own fields stay, in its bytes too."""
    notes: list[str] = []
    found = OwnNames(names, lambda text, **_: notes.append(text))(row_of(fields))
    assert rows.parse(found.raw) == found.fields
    assert fields.items() <= found.fields.items() or any(fields.get(name, "") is None for name in names)
    assert found.id == row_of(fields).id
    return {name: value for name, value in found.fields.items() if fields.get(name) != value and name != "id"}, notes


@pytest.mark.parametrize(
    ("fields", "new"),
    [
        ({"problem": "1+1?", "answer": 2, "output": "2"}, {"question": "1+1?", "reference": "2", "response": "2"}),
        ({"Prompt": "1+1?", "Completion": "2"}, {"question": "1+1?", "response": "2"}),
        ({"question": None, "problem": "1+1?"}, {"question": "1+1?"}),
        ({"instruction": "Add.", "input": "1, 1"}, {"question": "Add.\n1, 1"}),
        ({"problem": "p", "solution": "so $\\boxed{3}$.", "answer": "3"}, {"question": "p", "reference": "3"}),
        ({"problem": "p", "solution": "1+2=3, so $\\boxed{3}$."}, {"question": "p", "reference": "3"}),
        ({"problem": "p", "solution": "We add them and get 3."}, {"question": "p"}),  # prose is no final answer
        ({"problem": "p", "solution": "1+2=3 #### 3"}, {"question": "p", "reference": "3"}),
        ({"problem": "p", "solution": "#### Adding\nWe get 3."}, {"question": "p"}),
        ({"problem": "p", "solution": "3"}, {"question": "p", "reference": "3"}),
        ({"problem": "p", "answer": "1+2=3\n#### 3"}, {"question": "p", "reference": "3"}),
        ({"question": "q", "problem": "p", "reference": "1", "answer": "2", "response": "r", "output": "o"}, {}),
        ({"question": "q", "reference": "1", "response": None, "output": "o"}, {}),  # null: cut off in the thinking
        ({"question": "q", "reference": "1", "response_with_cot": "r", "output": "o"}, {}),
        ({"prompt": [{"role": "user", "content": "1+1?"}], "problem": "p"}, {}),  # asks with messages
        ({"problem": " ", "answer": True, "output": ["2"]}, {}),
    ],
)
def test_what_a_row_gets(fields: dict[str, Any], new: dict[str, Any]) -> None:
    assert added(fields)[0] == new


def test_each_field_is_noted_once_for_each_name() -> None:
    notes: list[str] = []
    names = OwnNames([QUESTION, REFERENCE], lambda text, **_: notes.append(text))
    for fields in ({"problem": "p", "answer": "1"}, {"problem": "q", "answer": "2"}, {"answer": "3"}, {"prompt": "r"}):
        names(row_of(fields))
    assert notes == [
        'rows are read with "problem" as the question and "answer" as the reference',
        'rows are read with "prompt" as the question',
    ]


@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ({"prompt": "Hi", "output": "Hello."}, False),  # what a row of task general answers
        ({"prompt": "1+1?", "output": "2", "label": 1}, True),
        ({"prompt": "1+1?", "output": "2", "answer": "2"}, True),
        ({"prompt": "1+1?", "output": "2", "label": 1, "task": "general"}, False),
    ],
)
def test_a_prompt_is_a_problem_where_something_says_what_is_right(fields: dict[str, Any], is_taken: bool) -> None:
    names = ResponseNames(lambda *_, **__: None, asks_itself)
    assert ("question" in names(row_of(fields)).fields) == is_taken


def test_pairs_and_rows_of_benchmarks_keep_their_names() -> None:
    pair = row_of({"prompt": "1+1?", "chosen": "2", "rejected": "3", "answer": "2", "output": "x"})
    assert ResponseNames(lambda *_, **__: None)(pair) is pair


@pytest.mark.parametrize(
    ("fields", "new"),
    [
        ({"input": "1+1?", "label": "1"}, {"question": "1+1?", "reference": "1"}),  # OpenRLHF
        ({"prompt": [{"role": "user", "content": "1+1?"}], "label": "2"}, {"reference": "2"}),  # slime
        ({"input": "1+1?", "label": 1}, {"question": "1+1?"}),  # a number may be a class
        ({"input": "1+1?", "output": "3", "label": "0"}, {"question": "1+1?", "response": "3"}),  # wrong, not 0
        ({"input": "Q? Step 1: a \u043a\u0438", "label": "Q? Step 1: a +"}, {}),  # Math-Shepherd
        ({"question": "q", "choices": ["x", "y"], "answer": 1}, {}),  # MMLU: a place
        ({"question": "q", "choices": ["x", "y"], "answer": "B"}, {"reference": "B"}),
        ({"problem": "p", "answer": "3", "messages": []}, {"question": "p", "reference": "3"}),  # OpenR1
        ({"question": "q", "reward_model": {"ground_truth": "34", "style": "rule"}}, {"reference": "34"}),
        ({"question": "q", "reward_model": {"ground_truth": '["34"]'}}, {"reference": "34"}),
        ({"question": "q", "reward_model": {"ground_truth": '["3", "4"]'}}, {}),
        ({"question": "q", "reward_model": {"ground_truth": '{"inputs": []}'}}, {}),  # tests of a program
        ({"question": "q", "reward_model": None}, {}),
        ({"problem": "p", "generated_solution": "3", "expected_answer": "3"},
         {"question": "p", "reference": "3", "response": "3"}),  # OpenMathReasoning
        ({"instruction": "Who?", "context": "Bob."}, {"question": "Who?\nBob."}),  # Dolly
        ({"context_messages": [{"role": "user"}], "input": ""}, {"prompt": [{"role": "user"}]}),  # OpenRLHF
        ({"context_messages": [], "prompt": "p"}, {"question": "p"}),
    ],
)  # fmt: skip
def test_names_of_published_data(fields: dict[str, Any], new: dict[str, Any]) -> None:
    assert added(fields)[0] == new
