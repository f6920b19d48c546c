"""Characters that nobody sees change no label, and hide neither a benchmark's problem nor a copy."""

from __future__ import annotations

import pytest

from libra_cli.records.shingles import canonical, words
from libra_cli.tasks.grading import grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

HIDDEN = ("\u00ad", "\u200b", "\u200e", "\u2060", "\ufe0f", "\ufeff")
OPTIONS = "Which gas do plants release?\nA. Carbon dioxide\nB. Oxygen\nC. Nitrogen"
CASES = (
    (OPTIONS, "B", "\\boxed{{B{}}}", True),
    (OPTIONS, "B{}", "The answer is B.", True),
    (OPTIONS, "B{}", "The answer is {}C.", False),
    ("Which?\n(A) 1\n(B) 2\n(C) 3", "A, C", "\\boxed{{A{}, C}}", True),
    ("Is 7 prime?", "Yes", "\\boxed{{Y{}es}}", True),
    ("Is 7 prime?", "Yes", "\\boxed{{N{}o}}", False),
    (None, "\\frac{{1}}{{2}}", "So it is 1{}/2.", True),
    (None, "12", "It is 1{}2.", True),
    (None, "12", "It is 1{}3.", False),
)


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_labels_are_those_of_the_visible_text(hidden):
    for question, reference, response, label in CASES:
        record = {"question": question, "reference": reference.format(hidden)}
        text = GeneratedText(response.format(hidden, hidden), None, "stop")
        assert grade(REASON, text, record).correct is label, (reference, response)


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_a_problem_is_the_same_with_characters_that_nobody_sees(hidden):
    problem = "How many positive divisors does 360 have?"
    hiding = problem.replace("i", f"i{hidden}").replace("360", f"3{hidden}60")
    assert canonical(hiding) == canonical(problem)
    assert words(hiding) == words(problem)
    assert words(hiding.replace("60", "61")) != words(problem)
