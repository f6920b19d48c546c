"""Grades the responses of a rollout; what is wrong with them is told apart from what the verifier could not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType, TracebackType

from libra_cli.answers.process.pool import Pool
from libra_cli.answers.time_limit import TIMEOUT, time_limit
from libra_cli.answers.values.finding import INTEGERS, OTHER_PARTS, OTHER_TEXT, OTHER_UNIT, ROUNDED
from libra_cli.engines.base import Completion
from libra_cli.sampling.response_fields import response_fields
from libra_cli.tasks.grading import UNLABELLED, Grade, Grader
from libra_cli.tasks.task import AnswerTask, GeneratedText
from libra_cli.training.data.prompts import VerifiablePrompt
from libra_cli.training.rewards import NullBy
from libra_cli.training.rollouts.rollout import GradedResponse

NULL_CAUSES: Mapping[str, NullBy] = MappingProxyType(
    {
        # What the policy wrote. A reward of 0 is certain here: whoever wrote this was asked for an answer to compare.
        "unparsable_answer": NullBy.POLICY,
        "answer_too_complex": NullBy.POLICY,  # a tower of powers is not shown to computer algebra
        "answer_too_long": NullBy.POLICY,
        "ambiguous": NullBy.POLICY,  # it says something, and no answer for certain
        "retracted": NullBy.POLICY,
        "truncated": NullBy.POLICY,
        # What the verifier cannot do: it gave up, or the reference leaves open whether another reading is right, too.
        TIMEOUT: NullBy.VERIFIER,
        "verify_crashed": NullBy.VERIFIER,
        "out_of_memory": NullBy.VERIFIER,
        "comparison_failed": NullBy.VERIFIER,
        "undecided": NullBy.VERIFIER,
        "too_complex": NullBy.VERIFIER,  # of either side
        "unparsable_reference": NullBy.VERIFIER,
        "reference_too_complex": NullBy.VERIFIER,
        "reference_too_long": NullBy.VERIFIER,
        "equation_or_value": NullBy.VERIFIER,
        INTEGERS: NullBy.VERIFIER,
        "another_date": NullBy.VERIFIER,
        "other_domain": NullBy.VERIFIER,
        "parameter": NullBy.VERIFIER,  # which may take up a constant of the reference
        OTHER_PARTS: NullBy.VERIFIER,
        OTHER_UNIT: NullBy.VERIFIER,
        OTHER_TEXT: NullBy.VERIFIER,
        "percent_or_number": NullBy.VERIFIER,
        ROUNDED: NullBy.VERIFIER,
        UNLABELLED: NullBy.VERIFIER,
    }
)
"""Who causes that an outcome is neither right nor wrong, by the reason of the grade."""


class RolloutGrader:
    """Grades completions of any task; answers that need computer algebra go to worker processes."""

    def __init__(self, thinking_markers: str):
        self._markers = thinking_markers
        self._pool = Pool()
        self._answers: dict[str, Grader] = {}

    def __enter__(self) -> RolloutGrader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def grade(self, ungraded: Sequence[tuple[GradedResponse, Completion, VerifiablePrompt]]) -> list[GradedResponse]:
        """The responses with their grades, in the order given; each takes bounded time, whatever it says."""
        with time_limit(self._pool.hard):
            return self._grade(ungraded)

    def _grade(self, ungraded: Sequence[tuple[GradedResponse, Completion, VerifiablePrompt]]) -> list[GradedResponse]:
        grades: dict[int, Grade] = {}
        graders: list[Grader] = []
        texts: list[GeneratedText] = []
        for number, (_, completion, prompt) in enumerate(ungraded):
            fields = response_fields(completion, self._markers)
            text = GeneratedText(fields["response"], fields["response_with_cot"], completion.finish_reason)
            texts.append(text)
            if isinstance(prompt.task, AnswerTask) and prompt.has_golden:
                grader = self._answers.setdefault(prompt.task.name, Grader(prompt.task, self._pool))
                grader.submit(text, prompt.record, number)
                graders += [] if grader in graders else [grader]
            else:
                grades[number] = prompt.grade(text)
        for grader in graders:
            while grader.pending:
                grades.update(grader.collect(1.0))
        return [
            _graded(response, texts[number], grades[number], prompt.has_golden)
            for number, (response, _, prompt) in enumerate(ungraded)
        ]


def _graded(response: GradedResponse, text: GeneratedText, grade: Grade, has_golden: bool) -> GradedResponse:
    """No outcome is the policy's fault, out of time the verifier's; of an outcome that is undecided the table says."""
    null_by = NullBy.NONE
    if grade.reason == TIMEOUT:
        null_by = NullBy.VERIFIER
    elif grade.outcome is None:
        null_by = NullBy.POLICY
    elif has_golden and grade.correct is None:
        null_by = NULL_CAUSES.get(grade.reason or UNLABELLED, NullBy.VERIFIER)
    return replace(
        response,
        response=text.response,
        text=text.whole or response.text,
        outcome=grade.outcome,
        correct=grade.correct,
        reason=grade.reason,
        null_by=null_by,
    )
