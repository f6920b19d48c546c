"""A percentage for a bare reference: right where the question asks for one or the response says so, else undecided."""

from __future__ import annotations

import pytest

from libra_cli.tasks.grading import grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

CASES = [
    ("What percent of the marbles are red?", r"\boxed{25\%}", True),
    ("Express 1/4 as a percentage.", r"\boxed{25\%}", True),
    ("What percent of the marbles are red?", r"\boxed{26\%}", False),
    ("What percent of the marbles are red?", r"\boxed{0.25\%}", False),
    ("What is 20 percent of 125?", r"\boxed{25\%}", None),
    ("The percentage of boys rose. How many boys are there?", r"\boxed{25\%}", None),
    (None, r"\boxed{25\%}", None),
    (None, r"\boxed{25}", True),
]


@pytest.mark.parametrize("key", ["question", "problem"])
@pytest.mark.parametrize(("question", "response", "correct"), CASES)
def test_question_says_whether_a_percentage_is_asked_for(key, question, response, correct):
    record = {"reference": "25"} if question is None else {"reference": "25", key: question}
    assert grade(REASON, GeneratedText(response), record).correct is correct


def test_response_says_that_it_gives_a_percentage():
    response = r"We give the answer as a percentage: \boxed{25\%}"
    assert grade(REASON, GeneratedText(response), {"reference": "25", "response": response}).correct is True


def test_percentage_keeps_its_sign_where_the_reference_is_its_hundredth_part():
    record = {"reference": "0.25", "question": "What percent of the marbles are red?"}
    assert grade(REASON, GeneratedText(r"\boxed{25\%}"), record).correct is True


@pytest.mark.parametrize(
    ("reference", "question", "response", "right"),
    [
        ("1,2 km", None, r"\boxed{1200\text{ m}}", True),
        ("1,2 km", None, r"\boxed{120\text{ m}}", False),
        ("15,5 %", None, "Das ist ein Anstieg um 15,5 Prozent.", True),
        ("3,14", "Runde π auf zwei Stellen.", r"\boxed{3.14}", True),
        ("2,3", "Solve x^2 - 5x + 6 = 0.", r"\boxed{2, 3}", True),
    ],
)
def test_a_decimal_comma_of_the_reference(reference, question, response, right):
    record = {"reference": reference, "question": question, "response": response}
    assert grade(REASON, GeneratedText(response), record).correct is right
