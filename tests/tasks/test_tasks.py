"""Tasks prove themselves: each task's rule accepts its own gold text, and prompts cannot be talked to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.tasks import JUDGING, TASKS, best, rank, rate, reason, score, template, thinking
from libra_cli.tasks.thinking import Split, split, split_any

ONE = {"question": "2 + 2?", "reference": "4", "response": "4"}
PAIR = {"question": "2 + 2?", "response_a": "5", "response_b": "4"}
LIST = {"question": "2 + 2?", "responses": ["5", "4", "3"]}
PROOFS = [
    ("reason", {"question": "2 + 2?", "reference": "4"}, "So it is \\boxed{4}.", "So it is \\boxed{5}."),
    ("score", {**ONE, "label": 1}, "[[score=4]]", "[[score=2]]"),
    ("score", {**ONE, "response": "5", "label": 0}, "[[score=0]]", "[[score=3]]"),
    ("rank", {**PAIR, "preference": "B>A"}, "[[B>>A]]", "[[A=B]]"),
    ("rank", {**PAIR, "label": "B>A"}, "[[B>A]]", "[[A>B]]"),
    ("rank", {**PAIR, "chosen": "5", "rejected": "4"}, "[[A>B]]", "[[A=B]]"),
    ("verify", {**ONE, "label": 1}, "[[Correct]]", "[[Wrong]]"),
    ("verify", {**ONE, "response": "5", "label": 0}, "[[Wrong]]", "[[Correct]]"),
    ("rate", {**ONE, "label": 1}, "[[rating=9]]", "[[rating=5]]"),
    ("best", {**LIST, "best": 1}, "[[best=2]]", "[[best=1]]"),
    ("best", {**LIST, "chosen": "4", "rejected": ["5", "3"]}, "[[best=1]]", "[[best=2]]"),
]


@pytest.mark.parametrize(("name", "record", "gold", "bad"), PROOFS)
def test_a_task_accepts_its_gold_text_and_refuses_the_opposite(name, record, gold, bad):
    task = TASKS[name]
    assert task.is_correct(task.outcome(gold), record) is True
    assert task.is_correct(task.outcome(bad), record) is False
    assert task.prompt(record)[-1]["role"] == "user"


def test_general_decides_nothing():
    task = TASKS["general"]
    assert task.outcome("anything") is None
    assert task.prompt({"prompt": "hello"}) == [{"role": "user", "content": "hello"}]
    assert task.prompt({"messages": [{"role": "user", "content": "hi"}]}) == [{"role": "user", "content": "hi"}]


def test_every_task_proves_itself():
    assert {name for name, *_ in PROOFS} == set(TASKS) - {"general"}


def test_without_a_golden_reference_nothing_is_decided():
    for label in (None, "yes", 2):
        for task in (JUDGING["verify"], JUDGING["score"], JUDGING["rate"]):
            assert task.is_correct("correct" if task.name == "verify" else 4, {"label": label}) is None
    assert rank.is_correct("A>B", {}) is None
    assert rank.is_correct("A>B", {"preference": "neither"}) is None
    assert best.is_correct(1, {}) is None
    assert best.is_correct(1, {"best": "A"}) is None


def test_a_rating_above_the_threshold_means_correct():
    assert [score.is_correct(rating, {"label": 1}) for rating in range(5)] == [False, False, False, True, True]
    assert [score.is_correct(rating, {"label": 0}) for rating in range(5)] == [True, True, True, False, False]
    assert score.is_correct(2, {"label": 1}, threshold=1.5) is True
    assert [rating for rating in range(1, 11) if rate.is_correct(rating, {"label": True})] == [6, 7, 8, 9, 10]
    assert [(task.scale, task.threshold) for task in (score.SCORE, rate.RATE)] == [((0, 4), 2), ((1, 10), 5)]


@pytest.mark.parametrize(
    ("golden", "right"),
    [("A>B", ["A>>B", "A>B"]), ("A>>B", ["A>>B", "A>B"]), ("A=B", ["A=B"]), ("B>A", ["B>A", "B>>A"])],
)
def test_a_ranking_agrees_with_the_better_one_and_a_tie_with_a_tie(golden, right):
    for record in ({"preference": golden}, {"label": golden}):
        assert [outcome for outcome in rank.STRENGTH if rank.is_correct(outcome, record)] == right


def test_a_ranking_in_the_other_order_is_its_mirror_image():
    assert [rank.swapped(outcome) for outcome in rank.STRENGTH] == list(rank.STRENGTH)[::-1]
    assert [rank.verdict_of(strength) for strength in rank.STRENGTH.values()] == list(rank.STRENGTH)


def test_the_best_one_is_at_its_index_or_the_chosen_one():
    assert [number for number in range(1, 5) if best.is_correct(number, {"best": 2})] == [3]
    assert [number for number in range(1, 5) if best.is_correct(number, {"chosen": "a", "rejected": ["b"]})] == [1]


@given(st.text(), st.text())
def test_slots_are_filled_in_one_pass_byte_for_byte(question, response):
    assert (
        template.fill("A {{question}} B {{response}} C", {"question": question, "response": response})
        == f"A {question} B {response} C"
    )


def test_a_missing_slot_is_an_error():
    with pytest.raises(KeyError):
        template.fill("{{question}}", {})
    assert template.slots("{{b}} {{a}} {{b}}") == ("b", "a")


def test_reason_prompts_hold_the_question_as_it_is():
    question = r"Is {{question}} or \frac{1}{2} in {x}?"
    for thinks in (True, False):
        messages = reason.prompt({"question": question}, thinking=thinks, system="Be brief.")
        assert messages[0] == {"role": "system", "content": "Be brief."}
        assert messages[1]["content"].startswith(question + "\n")
        assert "\\boxed{}" in messages[1]["content"]


@pytest.mark.parametrize(
    ("text", "opened", "expected"),
    [
        ("<think>a</think>b", False, Split("a", "b")),
        ("a</think>\n\nb", True, Split("a", "b")),
        ("a</think>b", False, Split("a", "b")),
        ("<think>cut", False, Split("cut", None)),
        ("cut", True, Split("cut", None)),
        ("no thoughts", False, Split(None, "no thoughts")),
        ("<think>a</think>", False, Split("a", "")),
        ("<think></think>b", False, Split("", "b")),
        ("<think>a</think>b<think>c</think>d", False, Split("a</think>b<think>c", "d")),
        ("<think>a</think>b<think>c", False, Split("<think>a</think>b<think>c", None)),
    ],
)
def test_thinking_is_cut_at_its_last_closing_marker(text, opened, expected):
    assert split(text, opened=opened) == expected


@pytest.mark.parametrize("name", list(thinking.MARKERS))
def test_known_markers_are_found(name):
    opening, closing = thinking.markers(name)
    assert split_any(f"{opening}a{closing}b") == Split("a", "b")
    assert split_any(f"{opening}a") == Split("a", None)


def test_markers_from_a_pair_and_from_nonsense():
    assert thinking.markers("<a>,</a>") == ("<a>", "</a>")
    with pytest.raises(ValueError, match="neither OPEN,CLOSE nor one of think"):
        thinking.markers("nonsense")


@given(st.text(max_size=200))
def test_no_text_is_lost_where_nothing_was_thought(text):
    result = split_any(text)
    if not any(marker in text for pair in thinking.MARKERS.values() for marker in pair):
        assert result == Split(None, text.strip())
