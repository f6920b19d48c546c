"""Tasks: their rules, their prompts, and where the thinking ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.tasks import JUDGING, TASKS, best, rank, rate, reason, score, template, thinking
from libra_cli.tasks.grading import agrees
from libra_cli.tasks.thinking import Split, split, split_any


def test_a_general_prompt_is_the_records_own_conversation_or_question():
    task = TASKS["general"]
    assert task.prompt({"prompt": "hello"}) == [{"role": "user", "content": "hello"}]
    assert task.prompt({"messages": [{"role": "user", "content": "hi"}]}) == [{"role": "user", "content": "hi"}]
    assert task.prompt({"question": "1+1?"}, system="Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "1+1?"},
    ]


def test_without_a_golden_reference_nothing_is_decided():
    for label in (None, "maybe", 2):
        for name in ("verify", "score", "rate"):
            assert agrees(JUDGING[name], "correct" if name == "verify" else 4, {"label": label}) is None
    assert agrees(rank.RANK, "A>B", {}) is None
    assert agrees(rank.RANK, "A>B", {"preference": "neither"}) is None
    assert agrees(best.BEST, 1, {}) is None
    assert agrees(best.BEST, 1, {"best": "A"}) is None


def test_a_rating_above_the_threshold_means_correct():
    assert [agrees(score.SCORE, rating, {"label": 1}) for rating in range(5)] == [False, False, False, True, True]
    assert [agrees(score.SCORE, rating, {"label": 0}) for rating in range(5)] == [True, True, True, False, False]
    assert [rating for rating in range(1, 11) if agrees(rate.RATE, rating, {"label": True})] == [6, 7, 8, 9, 10]
    assert [(task.scale, task.threshold) for task in (score.SCORE, rate.RATE)] == [((0, 4), 2), ((1, 10), 5)]


def test_another_threshold_makes_another_task_of_ratings_only():
    strict = score.SCORE.with_threshold(3.5)
    assert [agrees(strict, rating, {"label": 1}) for rating in range(5)] == [False, False, False, False, True]
    assert score.SCORE.with_threshold(None) is score.SCORE
    assert rank.RANK.with_threshold(1) is rank.RANK


@pytest.mark.parametrize(
    ("golden", "right"),
    [("A>B", ["A>>B", "A>B"]), ("A>>B", ["A>>B", "A>B"]), ("A=B", ["A=B"]), ("B>A", ["B>A", "B>>A"])],
)
def test_a_ranking_agrees_with_the_better_one_and_a_tie_with_a_tie(golden, right):
    for record in ({"preference": golden}, {"label": golden}):
        assert [outcome for outcome in rank.STRENGTH if agrees(rank.RANK, outcome, record)] == right


def test_a_ranking_in_the_other_order_is_its_mirror_image():
    assert [rank.swapped(outcome) for outcome in rank.STRENGTH] == list(rank.STRENGTH)[::-1]
    assert [rank.verdict_of(strength) for strength in rank.STRENGTH.values()] == list(rank.STRENGTH)


def test_the_best_one_is_at_its_index_or_the_chosen_one():
    assert [number for number in range(1, 5) if agrees(best.BEST, number, {"best": 2})] == [3]
    assert [number for number in range(1, 5) if agrees(best.BEST, number, {"chosen": "a", "rejected": ["b"]})] == [1]


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
    for name in (reason.THINKING, reason.DIRECT):
        messages = reason.prompt({"question": question}, template.load(name), "Be brief.")
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
        ("b<think>a</think>", False, Split("a", "b")),
        ("b<think>a</think>", True, Split("b<think>a", "")),
        ("b<think>a</think>c", False, Split("b<think>a", "c")),
        ("<THINK>a</Think>b", False, Split("a", "b")),
        ("<think>a</think>b</THINK>c", False, Split("a</think>b", "c")),
        ("<think>a</think >b", False, Split("a", "b")),
        ("a</ think>b", False, Split(None, "a</ think>b")),
    ],
)
def test_thinking_is_cut_at_its_last_closing_marker(text, opened, expected):
    assert split(text, opened=opened) == expected


@pytest.mark.parametrize("name", list(thinking.MARKERS))
def test_known_markers_are_found(name):
    opening, closing = thinking.markers(name)
    assert split_any(f"{opening}a{closing}b") == Split("a", "b")
    assert split_any(f"{opening.upper()}a{closing.lower()}b") == Split("a", "b")
    assert split_any(f"a{closing}b") == Split("a", "b")  # the chat template has written the opening
    assert split_any(f"{opening}a") == Split("a", None)
    assert thinking.after_thinking(f"{opening.lower()}a{closing.upper()}b") == "b"


def test_markers_from_a_pair_and_from_nonsense():
    assert thinking.markers("<a>,</a>") == ("<a>", "</a>")
    with pytest.raises(ValueError, match="neither OPEN,CLOSE nor one of think"):
        thinking.markers("nonsense")


@given(st.text(max_size=200))
def test_no_text_is_lost_where_nothing_was_thought(text):
    result = split_any(text)
    if not any(marker in text for pair in thinking.MARKERS.values() for marker in pair):
        assert result == Split(None, text.strip())


@pytest.mark.parametrize(
    ("preference", "sign"),
    [
        ("A", 1),
        ("B", -1),
        ("A>>B", 1),
        ("A>B", 1),
        ("A=B", 0),
        ("B>A", -1),
        ("B>>A", -1),
        ("a", None),
        ("left", None),
        (1, None),
    ],
)
def test_a_preference_is_read_or_said_to_be_none(preference, sign):
    record = {"preference": preference, "chosen": "x", "rejected": "y"}
    assert rank.golden_sign(record) == sign
    reason = rank.why_no_preference(record)
    assert (reason is None) == (sign is not None)
    assert reason is None or "must be one of A>>B, A>B, A=B, B>A, B>>A, A, B" in reason


def test_without_a_preference_the_chosen_response_is_better():
    assert rank.golden_sign({"preference": None, "chosen": "x", "rejected": "y"}) == 1
    assert rank.why_no_preference({"preference": None}) is None
