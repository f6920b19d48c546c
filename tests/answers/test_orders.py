"""Answers to questions that ask for an order, or for a unit."""

from __future__ import annotations

import pytest

from libra_cli.answers.extraction.extract import read_answer
from libra_cli.answers.process.pool import decide

ROOTS = r"Arrange $\sqrt{10}$, $3$, $\pi$ from greatest to least."
STAGES = "List the stages in order."
CASES = [
    (ROOTS, r"\sqrt{10}, \pi, 3", r"So $\sqrt{10} > \pi > 3$.", True),
    (ROOTS, r"\sqrt{10}, \pi, 3", r"Hence $3<\pi<\sqrt{10}$.", True),
    (ROOTS, r"\sqrt{10}, \pi, 3", r"Hence $\pi<3<\sqrt{10}$.", False),
    (ROOTS, r"\sqrt{10}, \pi, 3", r"\boxed{3, \pi, \sqrt{10}}", False),
    ("List them by increasing radius.", "Cl < Al < Na", "From smallest to largest: Cl, Al, Na.", True),
    ("List them by increasing radius.", "Cl < Al < Na", "From smallest to largest: Cl, Na, Al.", False),
    ("List them by decreasing radius.", "Cl < Al < Na", "From largest to smallest: Na, Al, Cl.", True),
    (STAGES, "prophase, metaphase, anaphase", "1. Prophase\n2. Metaphase\n3. Anaphase", True),
    (STAGES, "prophase, metaphase, anaphase", "1. Prophase\n2. Anaphase\n3. Metaphase", False),
    ("In which order are they done?", "b, a, c", "Order: **(b) → (a) → (c)**", True),
    ("In which order are they done?", "b, a, c", "Order: **(a) → (b) → (c)**", False),
    ("Put the events in chronological order.", "2, 1, 3", "Chronological order: 1, 2, 3", False),
    ("Put the events in chronological order.", "2, 1, 3", r"\boxed{2, 1, 3}", True),
    ("Multiply both sides in order to find all roots.", "2, 1, 3", r"\boxed{1, 2, 3}", True),
    (None, "2, 1, 3", r"\boxed{1, 2, 3}", True),
]


@pytest.mark.parametrize(("question", "reference", "response", "right"), CASES)
def test_the_order_counts_where_the_question_asks_for_one(
    question: str | None, reference: str, response: str, right: bool
) -> None:
    found = read_answer(response, reference, question=question)
    assert found.answer is not None
    assert decide(reference, found.answer).equal is right


@pytest.mark.parametrize(
    ("response", "answer"),
    [("It is 80 inches tall.", "80"), ("It is 80 feet tall.", "80\\text{ feet}"), ("80 inches (not 80 feet)", "80")],
)
def test_a_number_in_another_unit_than_the_one_asked_for_keeps_its_unit(response: str, answer: str) -> None:
    assert read_answer(response, "80", question="How tall is the door in inches?").answer == answer
