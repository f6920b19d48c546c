"""Who is to blame for a response without a grade: rewards count a policy's null as wrong, a verifier's not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from libra_cli.answers.comparison.percent import OTHER_PERCENT
from libra_cli.engines.base import Completion
from libra_cli.stream.rows import RowError
from libra_cli.tasks import TASKS
from libra_cli.tasks.grading import UNLABELLED
from libra_cli.tasks.task import AnswerTask
from libra_cli.training.data.prompts import PromptReader, VerifiablePrompt
from libra_cli.training.rewards import NullBy
from libra_cli.training.rollouts.grading import NULL_CAUSES, RolloutGrader
from libra_cli.training.rollouts.rollout import GradedResponse

READER = PromptReader(None, {}, None, 0)
REASON = {"id": "a", "question": "What is 1+1?", "reference": "2"}
SCORE = {"id": "b", "question": "What is 1+1?", "response": "2", "label": 1}
RANK = {"id": "c", "question": "What is 1+1?", "response_a": "2", "response_b": "3", "preference": "A>B"}
HARD = {"id": "d", "question": "?", "reference": r"\int_0^1 \int_0^1 \Gamma(x)^{xy}\,dx\,dy"}


def graded(row: dict, text: str, finish_reason: str = "stop") -> GradedResponse:
    prompt = READER(row["id"], row)
    completion = Completion(text, finish_reason, 3, False, token_ids=(1, 2, 3), logprobs=(-0.1, -0.2, -0.3))
    response = GradedResponse(0, 0, 0, 0, (5, 6)).with_completion(completion)
    with RolloutGrader("think") as grader:
        return grader.grade([(response, completion, prompt)])[0]


@pytest.mark.parametrize(
    ("row", "text", "correct", "null_by"),
    [
        (REASON, "<think>1+1</think>It is \\boxed{2}.", True, "none"),
        (REASON, "<think>1+1</think>It is \\boxed{3}.", False, "none"),
        (REASON, "<think>1+1", None, "policy"),
        (REASON, "<think>1+1</think>I give up.", False, "policy"),
        (REASON, r"<think>1+1</think>\boxed{4+*=}", None, "policy"),
        (REASON, r"\boxed{9^{9^{9^9}}}", None, "policy"),
        (REASON, rf"\boxed{{{'1+' * 2000}1}}", None, "policy"),
        ({**REASON, "reference": "9^{9^{9^9}}"}, r"\boxed{x+2}", None, "verifier"),
        ({**REASON, "reference": "how many there are of them"}, r"\boxed{x+2}", None, "verifier"),
        ({**REASON, "reference": "5 cm"}, r"\boxed{5}", True, "none"),
        (SCORE, "[[score=4]]", True, "none"),
        (SCORE, "[[score=2]]", False, "none"),
        (SCORE, "It looks right to me.", None, "policy"),
        (SCORE, "[[score=7]]", None, "policy"),
        (RANK, "no verdict", None, "policy"),
    ],
)
def test_an_unreadable_response_is_the_policys_null(row, text, correct, null_by):
    found = graded(row, text)
    assert (found.correct, found.null_by.name.lower()) == (correct, null_by)


def test_an_unreadable_answer_breaks_the_format():
    kept = [graded(REASON, text).measured.keeps_format for text in (r"\boxed{3}", r"\boxed{4+*=}")]
    assert kept == [True, False]


def test_every_reason_to_be_undecided_says_who_caused_it():
    """What `libra_cli.answers` gives as a reason beside an answer, and what its processes do."""
    kinds = json.loads((Path(__file__).parents[1] / "contract/kinds.json").read_text())
    of_processes = {"verify_timeout", "verify_crashed", "out_of_memory", "comparison_failed", "undecided"}
    of_guard = {f"{name}_too_complex" for name in ("reference", "answer")}
    without_answer = {"no_answer", "other_answer"}
    reasons = {*kinds["Decision"], OTHER_PERCENT, *kinds["Extraction"]} - without_answer | of_processes | of_guard
    assert set(NULL_CAUSES) == reasons | {UNLABELLED}


def test_what_cannot_be_compared_is_the_verifiers_null():
    found = graded(HARD, r"\boxed{\int_0^1 \int_0^1 \Gamma(t)^{ts} + e^{-t^{s}} - e^{-t^{s}}\,dt\,ds}")
    assert found.outcome is not None
    assert (found.correct, found.null_by) == (None, NullBy.VERIFIER)


def test_messages_under_prompt_are_asked_as_they_stand_and_graded():
    talk = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"},
            {"role": "user", "content": "And 1+2?"}]  # fmt: skip
    row = {"id": "a", "prompt": talk, "reference": "3"}
    assert READER("a", row).messages == talk
    assert PromptReader(None, {}, "Be brief.", 0)("a", row).messages == [
        {"role": "system", "content": "Be brief."}, *talk,
    ]  # fmt: skip
    own = {"role": "system", "content": "Be long."}
    for asked in (row, {"id": "a", "question": "And 1+2?", "reference": "3"}):
        assert READER("a", {**asked, "system": "Be long."}).messages == [own, *READER("a", asked).messages]
        given = PromptReader(None, {}, "Be brief.", 0)
        assert given("a", {**asked, "system": "Be long."}).messages == given("a", asked).messages
    assert graded(row, r"It is \boxed{3}.").correct
    assert READER("a", {**row, "question": "1+4?"}).messages != talk
    for bad in ({"prompt": talk[:2]}, {"tools": "a calculator"}):
        with pytest.raises(RowError):
            READER("a", {**row, **bad})


def test_a_pair_is_graded_in_the_order_of_the_record():
    shown = {seed: PromptReader(None, {}, None, seed)("c", RANK) for seed in range(8)}
    orders = {seed: prompt.order["order"] for seed, prompt in shown.items()}
    assert set(orders.values()) == {"AB", "BA"}
    for seed, prompt in shown.items():
        asked = prompt.messages[-1]["content"]
        assert (asked.index("\n2\n") < asked.index("\n3\n")) == (orders[seed] == "AB")
        completion = Completion("[[A>B]]", "stop", 1, False, token_ids=(1,), logprobs=(0.0,))
        response = GradedResponse(0, 0, 0, 0, (5,)).with_completion(completion)
        with RolloutGrader("think") as grader:
            found = grader.grade([(response, completion, prompt)])[0]
        assert found.correct == (orders[seed] == "AB")
        assert found.outcome == ("A>B" if orders[seed] == "AB" else "B>A")


def test_running_out_of_time_is_the_verifiers_null(monkeypatch):
    def slow(*_given: object) -> None:
        while True:
            pass

    task = AnswerTask(**{**vars(TASKS["reason"]), "answer": slow})
    prompt = VerifiablePrompt("a", task, REASON, [])
    completion = Completion("text", "stop", 1, False, token_ids=(1,), logprobs=(0.0,))
    response = GradedResponse(0, 0, 0, 0, (5,)).with_completion(completion)
    with RolloutGrader("think") as grader:
        monkeypatch.setattr(grader._pool, "hard", 0.2)
        found = grader.grade([(response, completion, prompt)])[0]
    assert (found.correct, found.null_by) == (None, NullBy.VERIFIER)
