"""One grade: each task proves itself with no model, and nothing else in the library reads or checks an outcome."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import libra_cli
from libra_cli.answers.process.pool import Pool
from libra_cli.tasks import TASKS, AnswerTask, GeneratedText
from libra_cli.tasks.grading import Grade, Grader, agrees, grade, read_verdict
from libra_cli.tasks.reason import REASON

LIBRARY = Path(libra_cli.__file__).parent
ONE = {"question": "2 + 2?", "reference": "4", "response": "4"}
PAIR = {"question": "2 + 2?", "response_a": "5", "response_b": "4"}
LIST = {"question": "2 + 2?", "responses": ["5", "4", "3"]}
PROOFS = [
    ("reason", {"question": "2 + 2?", "reference": "4"}, "So it is \\boxed{4}.", "So it is \\boxed{5}."),
    ("reason", {"question": "Half?", "reference": 0.5}, "\\boxed{\\frac{1}{2}}", "I do not know."),
    ("score", {**ONE, "label": 1}, "[[score=4]]", "[[score=2]]"),
    ("score", {**ONE, "response": "5", "label": 0}, "[[score=0]]", "[[score=3]]"),
    ("rank", {**PAIR, "preference": "B>A"}, "[[B>>A]]", "[[A=B]]"),
    ("rank", {**PAIR, "preference": "A>B"}, "[[A>B]]", "[[B>A]]"),
    ("rank", {**PAIR, "label": "B>A"}, "[[B>A]]", "[[A>B]]"),
    ("rank", {**PAIR, "chosen": "5", "rejected": "4"}, "[[A>B]]", "[[A=B]]"),
    ("verify", {**ONE, "label": 1}, "[[Correct]]", "[[Wrong]]"),
    ("verify", {**ONE, "response": "5", "label": 0}, "[[Wrong]]", "[[Correct]]"),
    ("rate", {**ONE, "label": 1}, "[[rating=9]]", "[[rating=5]]"),
    ("rate", {**ONE, "response": "5", "label": 0}, "[[rating=5]]", "[[rating=6]]"),
    ("best", {**LIST, "best": 1}, "[[best=2]]", "[[best=1]]"),
    ("best", {**LIST, "chosen": "4", "rejected": ["5", "3"]}, "[[best=1]]", "[[best=2]]"),
]


@pytest.mark.parametrize(("name", "record", "gold", "bad"), PROOFS)
def test_a_task_accepts_its_gold_text_and_rejects_the_opposite(name, record, gold, bad):
    task = TASKS[name]
    for text in (gold, f"<think>Is it {bad}</think>\n{gold}"):
        graded = grade(task, GeneratedText.of(text, "stop"), record)
        assert (graded.correct, graded.reason) == (True, None)
        assert agrees(task, graded.outcome, record) is True
    assert grade(task, GeneratedText.of(bad, "stop"), record).correct is False
    assert task.prompt(record)[-1]["role"] == "user"
    assert task.prompt(record, "No slot", "Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "No slot"},
    ]


def test_every_task_proves_itself():
    assert {name for name, *_ in PROOFS} == set(TASKS) - {"general"}


def test_a_general_text_is_not_graded():
    assert grade(TASKS["general"], GeneratedText.of("anything"), {}) == Grade(None, None, "ungraded")


@pytest.mark.parametrize(
    ("text", "finish_reason", "expected"),
    [
        ("I cannot say.", "stop", Grade(None, False, "no_answer")),
        ("I cannot say", "length", Grade(None, None, "truncated")),
        ("<think>\\boxed{4}", "stop", Grade(None, None, "in_thinking")),
        ("<think>\\boxed{4}", "length", Grade(None, None, "no_response")),
        ("\\boxed{4.0}", "stop", Grade("4.0", True, None, "number")),
        ("\\boxed{5}", "length", Grade("5", False, None, "number")),
    ],
)
def test_a_response_without_an_answer_is_wrong_only_if_it_is_complete(text, finish_reason, expected):
    assert grade(REASON, GeneratedText.of(text, finish_reason), {"reference": "4"}) == expected


def test_a_verdict_on_responses_in_another_order_is_graded_in_the_records_own():
    record = {"preference": "A>B"}
    swap = {"A>B": "B>A", "B>A": "A>B"}.get
    assert grade(TASKS["rank"], GeneratedText.of("[[B>A]]"), record, swap) == Grade("A>B", True)
    shown = [2, 0]
    own = lambda number: shown[number - 1] + 1 if number <= len(shown) else None  # noqa: E731
    assert grade(TASKS["best"], GeneratedText.of("[[best=1]]"), {"best": 2}, own) == Grade(3, True)
    assert grade(TASKS["best"], GeneratedText.of("[[best=3]]"), {"best": 2}, own) == Grade(None, None, "out_of_range")


def test_an_unlabelled_record_gives_no_grade():
    assert grade(TASKS["score"], GeneratedText.of("[[score=4]]"), {}) == Grade(4, None, "unlabelled")


TEXTS = [
    ("4", "\\boxed{4}"),
    ("4", "\\boxed{5}"),
    ("x^2+2x+1", "\\boxed{(x+1)^2}"),
    ("x^2+2x+1", "\\boxed{(x+1)^3}"),
    ("\\sin^2 x + \\cos^2 x + y", "\\boxed{1+y}"),
    ("4", "nothing"),
    ("4", "<think>cut"),
]


def test_a_grader_gives_the_grades_of_grade():
    """Quick ones at once, those that need computer algebra through the pool; each with its own token."""
    with Pool(2, 5.0, 20.0) as pool:
        grader, grades = Grader(REASON, pool), {}
        quick = [grader.grade_quickly(GeneratedText.of(text), {"reference": golden}) for golden, text in TEXTS]
        for token, (golden, text) in enumerate(TEXTS):
            grader.submit(GeneratedText.of(text), {"reference": golden}, token)
        while grader.pending:
            grades.update(grader.collect(1.0))
    expected = [grade(REASON, GeneratedText.of(text), {"reference": golden}) for golden, text in TEXTS]
    assert [grades[token] for token in range(len(TEXTS))] == expected
    assert [one for one in quick if one is not None] == [one for one in expected if one.by != "symbolic"]


def test_a_grader_of_judgments_needs_no_pool_at_work():
    with Pool(1) as pool:
        grader = Grader(TASKS["score"], pool)
        grader.submit(GeneratedText.of("[[score=4]]"), {"label": 1}, "token")
        assert grader.collect(0) == [("token", Grade(4, True))]
        assert not grader.pending


def test_reading_needs_no_golden_reference():
    assert read_verdict(REASON, GeneratedText.of("\\boxed{7}")).outcome == "7"
    assert read_verdict(TASKS["verify"], GeneratedText.of("[[Wrong]]")).outcome == "wrong"
    assert isinstance(REASON, AnswerTask)


TASK_NAMES = {"task", "_task", "tasks", "TASKS", "JUDGING", *(name.upper() for name in TASKS)}


def uses_of_task(path: Path) -> set[str]:
    """`read` and `is_correct` as taken from a task in a file, or imported from a module of a task."""
    uses = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ("read", "is_correct"):
            names = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node.value)}
            if node.attr == "is_correct" or names & TASK_NAMES:
                uses.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("libra_cli.tasks"):
            uses |= {name.name for name in node.names} & {"read", "is_correct"}
    return uses


def test_only_grading_reads_and_checks_outcomes():
    users = {path.relative_to(LIBRARY).as_posix(): uses_of_task(path) for path in LIBRARY.rglob("*.py")}
    assert {name: uses for name, uses in users.items() if uses} == {"tasks/grading.py": {"read", "is_correct"}}


def test_comparing_answers_sees_the_response_that_gave_them():
    record = {"reference": "40", "question": "A coat costs $80 and is sold for $48."}
    text = GeneratedText("What is the discount in percent? Final answer: 40%")
    with Pool(1) as pool:
        assert Grader(REASON, pool).grade_quickly(text, record).correct is True
    assert grade(REASON, text, record).correct is True
