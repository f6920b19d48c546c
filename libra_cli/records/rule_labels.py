"""Labels by rule: the grade of a row's response as the fields that `libra verify` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from libra_cli.answers.comparison.equal import is_readable
from libra_cli.answers.extraction import references
from libra_cli.answers.time_limit import TIMEOUT, limited, time_limit
from libra_cli.records.responses import ResponseFields, Texts
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import NewFields, Row
from libra_cli.stream.signals import StopRequest
from libra_cli.tasks.grading import Grade, Grader
from libra_cli.tasks.reason import IN_THINKING, NO_ANSWER, NO_RESPONSE, OTHER_ANSWER, TRUNCATED

POLL_SECONDS = 0.05
"""Between two looks at the input while the pool is at work."""
MAX_ANSWER_CHARS = 512
"""Of an answer that is written to its row."""
MAX_REFERENCE_CHARS = 60
"""Of a reference that is named in a message."""
MEMO = 1 << 16
"""Grades whose fields, and references whose form, are remembered."""
COPIES = 1 << 12
"""Responses that are recognised as a whole: short ones are often repeated word for word."""

Label = tuple[NewFields, str]
"""The fields that a grade adds to its row, and its name for counting."""


class Labeller:
    """Labels rows by rule, and makes the fields of each grade only once."""

    def __init__(self, fields: ResponseFields, grader: Grader, note: Callable[[str], None] = print):
        self._fields, self._grader, self._note = fields, grader, note
        self._references: set[str] = set()
        self._unparsable: set[str] = set()
        """The beginnings of references that people were told of."""
        self._of_grade: dict[Grade, Label] = {}
        self._copies: dict[Texts | None, Label] = {}
        self.labels: Counter[str] = Counter()
        """Rows by `correct`, `wrong` and `undecided REASON`."""

    def fast_path(self, row: Row) -> NewFields | None:
        """The label of a row whose answer is easy or known; None if it needs computer algebra."""
        self._fields.count_end(row)
        texts = self._fields.texts(row)
        label = self._copies.get(texts)
        if label is None:
            text, record = self._fields.to_grade(row, texts)
            grade = self._grader.grade_quickly(text, record)
            if record["reference"] not in self._references and (grade is None or grade.outcome is not None):
                self._check_reference(record["reference"], row)
            if grade is None:
                return None
            self._check_grade(grade, record["reference"], row)
            label = self._of_grade.get(grade) or self._label(grade)
            if texts is not None and grade.reason != TIMEOUT:
                if len(self._copies) >= COPIES:
                    self._copies.clear()
                self._copies[texts] = label
        self.labels[label[1]] += 1
        return label[0]

    def jobs(self, row: Row) -> Iterator[Job]:
        """One job, whose work is the row's text and record."""
        yield Job(row, self._fields.to_grade(row))

    def grade_jobs(self, feed: Feed, stop: StopRequest) -> Iterator[tuple[Job, Grade] | None]:
        """Grades jobs, in any order: the worker of a run."""
        grader = self._grader
        with time_limit(grader.hard_seconds):  # on what the feed asks of `fast_path`, too
            while grader.pending or not feed.ended:
                job = feed.take(0 if grader.pending else None)
                if job is None:
                    if stop.status is not None:
                        grader.forget_queue()
                    if grader.pending:
                        yield from grader.collect(POLL_SECONDS)
                    yield None
                else:
                    text, record = job.work
                    grader.submit(text, record, job)
                    yield from grader.collect(0)

    def finish(self, job: Job, grade: Grade) -> NewFields:
        """The label of a row that the worker has graded."""
        self._check_grade(grade, job.work[1]["reference"], job.row)
        fields, name = self._of_grade.get(grade) or self._label(grade)
        self.labels[name] += 1
        return fields

    def _label(self, grade: Grade) -> Label:
        """Makes the label of a grade, and remembers it unless its answer is long."""
        label = NewFields(label_fields(grade)), _name(grade)
        if not isinstance(grade.outcome, str) or len(grade.outcome) <= MAX_ANSWER_CHARS:
            if len(self._of_grade) >= MEMO:
                self._of_grade.clear()
            self._of_grade[grade] = label
        return label

    def _check_reference(self, reference: str, row: Row) -> None:
        """Notes a reference that cannot be parsed, once, before any row is labelled by it."""
        beginning = reference if len(reference) <= MAX_ANSWER_CHARS else reference[:MAX_ANSWER_CHARS]
        if beginning in self._references:
            return
        if len(self._references) >= MEMO:
            self._references.clear()
        self._references.add(beginning)
        if not limited(True, is_readable, limited(reference, references.final, reference)):
            self._tell_unparsable(reference, row)

    def _check_grade(self, grade: Grade, reference: str, row: Row) -> None:
        """Notes a reference that can be read, but not compared: only a grade shows that."""
        if grade.correct is None and grade.reason == "unparsable_reference":
            self._tell_unparsable(reference, row)

    def _tell_unparsable(self, reference: str, row: Row) -> None:
        beginning = reference[:MAX_ANSWER_CHARS]
        if beginning not in self._unparsable and len(self._unparsable) < MEMO:
            self._unparsable.add(beginning)
            text = reference if len(reference) <= MAX_REFERENCE_CHARS else f"{reference[:MAX_REFERENCE_CHARS]}…"
            cure = "only the same text equals it; correct it, or ask --annotator"
            self._note(f"{row.place}: the reference {text!r} cannot be parsed: {cure}")


_BY_REASON = {
    NO_RESPONSE: NO_RESPONSE,
    IN_THINKING: NO_RESPONSE,
    NO_ANSWER: NO_ANSWER,
    TRUNCATED: NO_ANSWER,
    OTHER_ANSWER: OTHER_ANSWER,
}
"""What decides about a text without an answer."""


def label_fields(grade: Grade) -> dict[str, Any]:
    """The fields that the rule adds to a row."""
    label = None if grade.correct is None else int(grade.correct)
    by, answer = grade.by, None if grade.outcome is None else str(grade.outcome)
    if answer is None:
        by = _BY_REASON.get(grade.reason or NO_ANSWER)
    elif len(answer) > MAX_ANSWER_CHARS:
        answer = answer[:MAX_ANSWER_CHARS] + "…"
    verification: dict[str, Any] = {"by": by, "answer": answer}
    if label is None:
        verification["reason"] = _reason(grade)
    return {"label": label, "verification": verification, "task": "score"}


def _name(grade: Grade) -> str:
    return f"undecided {_reason(grade)}" if grade.correct is None else ("wrong", "correct")[grade.correct]


def _reason(grade: Grade) -> str | None:
    """Rows say `truncated` of both kinds of text that were cut; `by` tells which one it is."""
    return TRUNCATED if grade.reason == NO_RESPONSE else grade.reason


def summarise(labels: Counter[str]) -> str:
    """How many rows got each label, and why some got none."""
    undecided = {name.split(" ", 1)[1]: count for name, count in sorted(labels.items()) if name.startswith("undecided")}
    why = f" ({', '.join(f'{name} {count}' for name, count in undecided.items())})" if undecided else ""
    return f"{labels['correct']} correct, {labels['wrong']} incorrect, {sum(undecided.values())} undecided{why}"
