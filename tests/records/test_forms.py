"""Each published form of a record is read as what a judge is shown, and what is missing is said with its cure."""

from __future__ import annotations

import pytest

from libra_cli.records.forms import item_of

USER = {"role": "user", "content": "2+2?"}
TURNS = [USER, {"role": "assistant", "content": "4"}, {"role": "user", "content": "sure?"}]
LISTS = {"prompt": "p", "chosen": ["a"], "rejected": ["b", "c", "d"]}
RMB = {"conversation_input": [USER], "category_path": "BoN_set/Helpfulness/Chat/Discussion"}
MATH = {"problem": "p", "solution_reference": "human_to_GPT-4"}

# form, record, responses, pairs
FORMS = [
    ("response", {"question": "p", "response": "r"}, ("r",), ()),
    ("pair", {"question": "p", "response_a": "x", "response_b": "y"}, ("x", "y"), ((0, 1),)),
    ("pair", {"prompt": "p", "chosen": "x", "rejected": "y"}, ("x", "y"), ((0, 1),)),
    ("list", LISTS, ("a", "b", "c", "d"), ((0, 1), (0, 2), (0, 3))),
    ("list", {"question": "p", "responses": ["x", "y", "z"]}, ("x", "y", "z"), ()),
    ("libra-bench", {"question": "p", "response": "r", "label": 1, "subset": "AIME 2024", "model": "m"}, ("r",), ()),
    (
        "rewardbench",
        {"prompt": "p", "chosen": "x", "rejected": "y", "subset": "hep-go", "id": 7},
        ("x", "y"),
        ((0, 1),),
    ),
    ("rewardbench2", {**LISTS, "num_correct": 1, "subset": "Math"}, ("a", "b", "c", "d"), ((0, 1), (0, 2), (0, 3))),
    (
        "rewardbench2",  # one text is a list of one
        {"prompt": "p", "chosen": ["a"], "rejected": "b", "num_correct": 1, "subset": "Ties"},
        ("a", "b"),
        ((0, 1),),
    ),
    ("ppe", {"prompt": "p", "response_1": "x", "response_2": "y", "winner": "model_b"}, ("x", "y"), ((0, 1),)),
    (
        "ppe-correctness",
        {"prompt": "p", "response_1": "x", "response_2": "y", "response_3": "z"}
        | {"correct": [False, True, True], "sampled_conflict_pairs": [[0, 1], [2, 0], [1, 0]]},
        ("x", "y", "z"),
        ((1, 0), (2, 0)),
    ),
    ("rmb-pair", {**RMB, "chosen": {"answer": "x"}, "reject": {"answer": "y"}}, ("x", "y"), ((0, 1),)),
    (
        "rmb-bon",
        {**RMB, "bon_best": {"answer": "x"}, "loser_list": [{"answer": "y"}, {"answer": "z"}]},
        ("x", "y", "z"),
        ((0, 1), (0, 2)),
    ),
    (
        "judgebench",
        {
            "question": "p",
            "pair_id": "1",
            "source": "livecodebench",
            "label": "A>B",
            "response_A": "x",
            "response_B": "y",
        },
        ("x", "y"),
        ((0, 1),),
    ),
    (
        "judgebench",
        {
            "question": "p",
            "pair_id": "1",
            "source": "livecodebench",
            "label": "A>B",
            "response_a": "x",
            "response_b": "y",
        },
        ("x", "y"),
        ((0, 1),),
    ),
    ("rewardmath", {**MATH, "eval_solution": ["one", "two"]}, ("one\ntwo",), ()),
    ("rewardmath", {**MATH, "eval_solution_A": ["one"], "eval_solution_B": "two"}, ("one", "two"), ((0, 1),)),
]


@pytest.mark.parametrize(("form", "record", "responses", "pairs"), FORMS)
def test_a_published_form(form, record, responses, pairs):
    item = item_of(record)
    assert (item.form, item.responses, item.pairs) == (form, responses, pairs)
    assert item.question in ("p", "2+2?")
    assert item.messages == [{"role": "user", "content": item.question}]


def test_rm_bench_compares_each_style_with_each():
    item = item_of({"prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"], "domain": "safety-refuse"})
    assert (item.form, item.responses) == ("rm-bench", tuple("abcdef"))
    assert item.pairs == ((0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5))


def test_a_conversation_is_kept_for_templates_and_told_as_text():
    item = item_of({"prompt": TURNS, "chosen": "x", "rejected": "y"})
    assert item.messages == TURNS
    assert item.question == "User: 2+2?\n\nAssistant: 4\n\nUser: sure?"


@pytest.mark.parametrize("side", ["chosen", "response"])
def test_the_system_prompt_of_a_row_stands_before_its_question(side):
    talk = [USER, {"role": "assistant", "content": "4"}]
    rows = {"response": {"question": USER["content"], "response": "4"}, "chosen": {"chosen": talk, "rejected": talk}}
    item = item_of({**rows[side], "system": "Be brief."})
    assert item.messages == [{"role": "system", "content": "Be brief."}, USER]
    assert (item.question, item.system) == ("System: Be brief.\n\nUser: 2+2?", "Be brief.")
    assert item_of({**rows[side], "system": "", "system_prompt": None}).messages == [USER]
    assert item_of({"prompt": item.messages, "response": "4", "system": "Be brief."}).messages == item.messages
    with pytest.raises(ValueError, match='"system" is 5, no text'):
        item_of({**rows[side], "system": 5})


def test_what_is_judged_may_have_other_roles_and_marks_of_training():
    talk = [{"role": "context", "content": "c"}, {**USER, "train": True, "weight": 1}]
    item = item_of({"prompt": talk, "response": "4"})
    assert item.messages == [{"role": "context", "content": "c"}, USER]
    assert item.question == "Context: c\n\nUser: 2+2?"
    talk = [{"from": "environment", "value": "e"}, {"from": "human", "value": "?"}]
    told = item_of({"prompt": talk, "response": "4"})
    assert [turn["role"] for turn in told.messages] == ["environment", "user"]


def test_chosen_and_rejected_conversations_end_with_the_responses():
    last = [{"from": "gpt", "value": "x"}], [{"from": "gpt", "value": "y"}]
    before = [{"from": "human", "value": "p"}]
    item = item_of({"chosen": before + last[0], "rejected": before + last[1], "subset": "mine"})
    assert (item.form, item.question, item.responses) == ("pair", "p", ("x", "y"))
    assert item.messages == [{"role": "user", "content": "p"}]


def test_the_question_and_the_responses_stay_as_they_are():
    item = item_of({"question": "  indented\n", "response": " r "})
    assert (item.question, item.responses) == ("  indented\n", (" r ",))


def test_the_response_after_the_thinking_takes_the_place_of_the_whole():
    assert item_of({"question": "p", "response": "<think>t</think>r"}, response="r").responses == ("r",)
    assert item_of({"question": "p", "response_with_cot": "<think>t</think>r"}, response="r").responses == ("r",)


@pytest.mark.parametrize(("reference", "text"), [("42", "42"), (42, "42"), (None, None), (True, None)])
def test_the_reference_is_text(reference, text):
    assert item_of({"question": "p", "response": "r", "reference": reference}).reference == text


PPE = {"prompt": "p", "response_1": "x", "response_2": "y", "sampled_conflict_pairs": [[0, 1]]}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"question": "p"}, "no response to judge"),
        ({"question": "p", "response": None}, "run libra rollout first"),
        ({"response": "r"}, 'no "question"'),
        ({"question": " ", "response": "r"}, ".question. is empty: fill it in"),
        ({"question": "p", "response": [7]}, "a response is no text"),
        ({"question": "p", "responses": []}, '"responses" is no list of texts'),
        ({"prompt": "p", "chosen": {"text": "a"}, "rejected": "b"}, "neither texts"),
        ({"chosen": [USER], "rejected": [USER]}, "end with the assistant"),
        ({"chosen": [*TURNS[:2]], "rejected": [TURNS[2], TURNS[1]]}, "different conversations"),
        ({**RMB, "bon_best": {"answer": "x"}, "loser_list": []}, '"loser_list" is empty'),
        ({**RMB, "chosen": {"answer": "x"}, "reject": {}}, "a response is no text"),
        ({**PPE, "scores": [True, False]}, "--map scores=correct"),
        ({**PPE, "correct": [True, True]}, "no right and wrong response"),
        ({**PPE, "correct": [True, False], "sampled_conflict_pairs": [[0, 5]]}, "[0, 5]"),
    ],
)
def test_what_is_missing_is_said_with_its_cure(record, said):
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        item_of(record)
