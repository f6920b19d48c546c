"""Grades generated texts: the only place that reads an outcome from a text and checks it against a record.

`verify`, `rs-filter`, `judge` and `score` all come here, and so do the rewards of `grpo`: training rewards
exactly what evaluation measures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from libra_cli.answers.comparison.equal import Decision, decide_quickly
from libra_cli.answers.process.pool import Pool, decide
from libra_cli.answers.time_limit import HARD_SECONDS, TIMEOUT, limited, time_limit
from libra_cli.tasks.task import AnswerTask, GeneratedText, Outcome, Record, Task, Verdict

UNLABELLED = "unlabelled"
"""The record has no golden reference to compare with."""
QUICK_CHARS = 1 << 14
"""A text up to this length is read in half a second at most, so that it needs no timer of its own."""
MEMO = 1 << 16
"""Pairs whose grade is remembered."""
MEMO_CHARS = 1024
"""Longest pair that is remembered: longer ones hardly come twice."""

OwnOrder = Callable[[Outcome], "Outcome | float | None"]
"""Turns an outcome in prompt order into one in the record's own order; None if it names no response of the prompt."""


class Grade(NamedTuple):
    """What a text decides, and whether that is correct."""

    outcome: Outcome | None
    correct: bool | None
    """None if it cannot be decided, which is never the same as False."""
    reason: str | None = None
    """Why there is no outcome, or why it cannot be called correct or wrong; a stable word for counting."""
    by: str | None = None
    """Level of `libra_cli.answers` that compared the answers."""


ABSENT = "absent"
"""Why a text is wrong that has no value which may be the golden answer, whatever it gives."""
TOO_SLOW = Grade(None, None, TIMEOUT)
"""The grade of a text that is not read or compared in time."""


def read_verdict(task: Task, text: GeneratedText, record: Record | None = None) -> Verdict:
    """Reads the outcome of a text without checking it: a judge at work has no golden reference.

    `record` says what an answer should be like, if it is known.

    The time grows with the length only, but a megabyte of verdicts takes seconds. A long text has the time limit of an
    answer if none is in force; one that needs more has no verdict (`verify_timeout`).
    """
    if len(text.whole or text.response or "") <= QUICK_CHARS:
        return limited(Verdict(None, TIMEOUT), _read, task, text, record)
    with time_limit(HARD_SECONDS):
        return limited(Verdict(None, TIMEOUT), _read, task, text, record)


def _read(task: Task, text: GeneratedText, record: Record | None) -> Verdict:
    return task.answer(text, record) if record is not None and isinstance(task, AnswerTask) else task.read(text)


def agrees(task: Task, outcome: Outcome, record: Record) -> bool | None:
    """Whether an outcome that was read before is correct; None if the record does not say."""
    return task.is_correct(outcome, record)


def grade(task: Task, text: GeneratedText, record: Record, own_order: OwnOrder | None = None) -> Grade:
    """Grades one text; an answer that needs computer algebra goes to a worker process, with a hard time limit.

    `own_order` is for a text whose prompt showed the record's responses in another order.
    """
    verdict = read_verdict(task, text, record)
    if isinstance(task, AnswerTask):
        if verdict.outcome is None:
            return _unless_absent(task, text, record, without_outcome(task, verdict))
        pair = task.pair(verdict.outcome, record, text.response)
        return _unless_absent(task, text, record, _if_certain(verdict, _by_decision(pair[1], decide(*pair))))
    if verdict.outcome is None:
        return without_outcome(task, verdict)
    outcome: Any = verdict.outcome if own_order is None else own_order(verdict.outcome)
    if outcome is None:
        from libra_cli.tasks.verdicts import OUT_OF_RANGE  # verify needs none of its patterns

        return Grade(None, None, OUT_OF_RANGE)
    correct = agrees(task, outcome, record)
    return Grade(outcome, correct, UNLABELLED if correct is None else None)


def without_outcome(task: Task, verdict: Verdict) -> Grade:
    """The grade of a text whose verdict has no outcome: undecided, unless the task calls its reason wrong."""
    wrong = isinstance(task, AnswerTask) and verdict.reason in task.wrong_reasons
    return Grade(None, False if wrong else None, verdict.reason)


class Grader:
    """Grades many texts of one task: quick ones at once, the others in the processes of a pool."""

    def __init__(self, task: Task, pool: Pool):
        self._task, self._pool = task, pool
        self._answers = task if isinstance(task, AnswerTask) else None
        self.hard_seconds = pool.hard
        """Time limit for one text."""
        self._known: dict[tuple[str, str], Grade] = {}
        self._done: list[tuple[Any, Grade]] = []

    def grade_quickly(self, text: GeneratedText, record: Record) -> Grade | None:
        """The grade of a text; None if comparing its answer needs computer algebra.

        Undecided as `verify_timeout` if it takes longer than the time limit in force.
        """
        return limited(TOO_SLOW, self._grade, text, record)

    def _grade(self, text: GeneratedText, record: Record) -> Grade | None:
        task = self._answers
        if task is None:
            return grade(self._task, text, record)
        verdict = task.answer(text, record)
        if verdict.outcome is None:
            return _unless_absent(task, text, record, without_outcome(task, verdict))
        pair = task.pair(verdict.outcome, record, text.response)
        known = self._known.get(pair)  # the samples of a problem share most answers
        if known is None and (decision := decide_quickly(*pair)) is not None:
            known = self._remember(pair, decision)
        if known is None or (verdict.reason is None and known.correct is not None):
            return known
        return _unless_absent(task, text, record, _if_certain(verdict, known))

    def submit(self, text: GeneratedText, record: Record, token: Any) -> None:
        """Takes a text whose grade `collect` will give back with `token`."""
        known = self.grade_quickly(text, record)
        if known is not None:
            self._done.append((token, known))
        elif self._answers is not None:
            verdict = self._answers.answer(text, record)
            assert verdict.outcome is not None
            pair = self._answers.pair(verdict.outcome, record, text.response)
            self._pool.submit(pair, (token, pair, verdict, text, record))

    def collect(self, wait: float) -> list[tuple[Any, Grade]]:
        """(token, grade) of the texts that are graded, waiting up to `wait` seconds for the first."""
        done, self._done = self._done, []
        if self._pool.pending and self._answers is not None:
            for (token, pair, verdict, text, record), decision in self._pool.collect(0 if done else wait):
                known = _if_certain(verdict, self._remember(pair, decision))
                done.append((token, _unless_absent(self._answers, text, record, known)))
        return done

    @property
    def pending(self) -> bool:
        """Whether `collect` has something to give, now or later."""
        return bool(self._done) or self._pool.pending

    def forget_queue(self) -> None:
        """Gives up the texts that no process has begun; their tokens never come back."""
        self._pool.forget_queue()

    def _remember(self, pair: tuple[str, str], decision: Decision) -> Grade:
        known = _by_decision(pair[1], decision)
        if len(pair[0]) + len(pair[1]) <= MEMO_CHARS:
            if len(self._known) >= MEMO:
                self._known.clear()
            self._known[pair] = known
        return known


def _if_certain(verdict: Verdict, grade: Grade) -> Grade:
    """`grade`, or undecided if the answer is not the reference and may have been misread."""
    if verdict.reason is None or grade.correct is not False:
        return grade
    return Grade(grade.outcome, None, verdict.reason, grade.by)


def _unless_absent(task: AnswerTask, text: GeneratedText, record: Record, grade: Grade) -> Grade:
    """`grade`, or wrong if it is undecided and the text has nothing that may be the golden answer."""
    if grade.correct is not None or task.excludes is None or not task.excludes(text, record, grade.reason):
        return grade
    return Grade(grade.outcome, False, None, ABSENT)


def _by_decision(answer: Outcome, decision: Decision) -> Grade:
    return Grade(answer, decision.equal, decision.reason, decision.by)
