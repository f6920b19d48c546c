"""Samples: the generated texts of a row, a response to a problem or the votes of a judge, each with its grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from libra_cli.records.items import check_preference, item_of_row
from libra_cli.records.messages import OF_SYSTEM
from libra_cli.records.no_answer import no_answer
from libra_cli.records.responses import finish_reason_of
from libra_cli.sampling.asked_prompts import Prompts
from libra_cli.sampling.judge_prompts import (
    LIST,
    PAIR,
    RESPONSE,
    JudgePlan,
    JudgePrompt,
    check_reference,
    pairs_of,
    slot_values,
)
from libra_cli.sampling.judgments import in_own_order, pair_of, prompt_of
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.required_fields import require
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.tasks import (
    JUDGING,
    GeneratedText,
    JudgeTask,
    Messages,
    Outcome,
    Record,
    best,
    rank,
    template,
    thinking,
)
from libra_cli.tasks.grading import UNLABELLED, Grade, grade
from libra_cli.tasks.labels import label_or_none, why_not

REASON, GENERAL = "reason", "general"
AS_SHOWN = {1: "A", 0: "=", -1: "B"}
"""The label of a comparison: the better response, by its place in the prompt."""


class GradedSample(NamedTuple):
    """A generated text and its grade."""

    task: str
    prompt: str
    """The same for all samples of one prompt, and different for other prompts. All orders in which a pair or list is
    shown are one prompt."""
    name: str
    """Tells it from the prompt's other samples, together with its text: who wrote it, and its number."""
    model: str
    label: str
    """The golden verdict on the responses as shown (`0`, `1`, `A`, `B`, `=`, `2/4`); empty if there is none."""
    text: str
    """The whole text, thinking included."""
    response: str | None
    """The text after the thinking; None if the text ends inside it."""
    correct: bool | None
    """None if unknown; a sample that no rule rejects is correct."""
    reason: str | None
    """Why it is unknown whether the sample is correct."""
    finish_reason: str | None
    n_tokens: int | None
    accepts_nothing: bool = False
    """It is a judgment that accepts, or prefers, a non-answer."""
    number: int = 0
    """Its number among the samples of its row."""
    request: JudgePrompt | None = None
    """The prompt that its judge answered."""
    calls: bool = False
    """It calls tools."""


class SampleReader:
    """Reads the samples of rows; `task` None takes each row as the task that it names."""

    def __init__(
        self,
        prompts: Prompts,
        task: str | None = None,
        threshold: float | None = None,
        markers: Sequence[tuple[str, str]] = tuple(thinking.MARKERS.values()),
    ):
        self._prompts, self._task, self._threshold = prompts, task, threshold
        self._cut = thinking.ThinkingCutter(markers)

    def task_of(self, row: Row) -> str:
        """The task of the samples of a row; raises RowError if it has none, Filtered if another one is wanted."""
        fields, wanted = row.fields, self._task
        if wanted in (REASON, GENERAL):
            return wanted
        if isinstance(fields.get("judgments"), list):
            judged = str(fields.get("judge_task"))
            if judged not in JUDGING or (wanted and judged != wanted):
                raise Filtered("scalar" if judged == "scalar" else "other_task")
            return judged
        named = wanted or str(fields.get("task"))
        if named in JUDGING and (wanted or named != "score"):  # libra verify writes score: what the row can be used for
            raise RowError("missing_field", f'no "judgments", which task {named} needs: run libra judge first')
        plain = "question" not in fields and ("messages" in fields or "prompt" in fields)
        return GENERAL if named == GENERAL or plain else REASON

    def needs_rule(self, row: Row) -> bool:
        """Whether the row has no label yet, so that its response must be compared with its reference."""
        return "label" not in row.fields and self.task_of(row) == REASON

    def samples(self, row: Row, ruled: Record | None = None) -> list[GradedSample]:
        """The samples of a row; `ruled` has the label and verification by rule of a row without them.

        Raises RowError if the row cannot be used, Filtered if it is not wanted.
        """
        task = self.task_of(row)
        if task in JUDGING:
            judged = _JudgedRow(row, JUDGING[task].with_threshold(self._threshold), self._prompts)
            return [judged.sample(number) for number in judged.numbers]
        return [self._response(row, task, row.fields if ruled is None else ruled)]

    def conversation(self, row: Row, number: int) -> tuple[GradedSample, dict[str, Any]]:
        """A sample that was graded correct before, and what it teaches: `messages`, the prompt as it was asked and the
        text, and what the chat template was given besides them."""
        task = self.task_of(row)
        if task in JUDGING:
            judged = _JudgedRow(row, JUDGING[task], self._prompts)
            sample = judged.sample(number, is_known_correct=True)
            return sample, {"messages": [*judged.messages(sample), {"role": "assistant", "content": sample.text}]}
        sample = self._response(row, task, {"label": 1})
        prompt, answer = (make(row, task, sample.text) for make in (self._prompts.of_response, self._prompts.answer))
        return sample, {"messages": [*prompt, answer], **self._prompts.shown(row)}

    def _response(self, row: Row, task: str, ruled: Record) -> GradedSample:
        fields = row.fields
        text, response = self._texts(row)
        correct, reason = (True, None) if task == GENERAL else _label(ruled)
        return GradedSample(
            task=task,
            prompt=self._prompts.key(row, task, text),
            name=f"{fields.get('id')}\0{fields.get('sample')}",
            model=_text(fields.get("model")),
            label="",
            text=text,
            response=response,
            correct=correct,
            reason=reason,
            finish_reason=finish_reason_of(fields),
            n_tokens=_count(fields.get("n_tokens")),
            calls=bool(self._prompts.answer(row, task, text).get("tool_calls")),
        )

    def _texts(self, row: Row) -> tuple[str, str | None]:
        """The whole generated text, and its part after the thinking."""
        fields = row.fields
        whole, response = fields.get("response_with_cot"), fields.get("response")
        if whole is None:
            whole = response
            if whole is None:
                last = self._prompts.last_turn(row)
                whole = None if last is None else last["content"]
            if type(whole) is not str:
                require(row, {"response": str}, FIELD_HINTS)
            return str(whole), self._cut(str(whole)).response
        if type(whole) is not str or not (response is None or type(response) is str):
            raise RowError("wrong_type", '"response" and "response_with_cot" are not both strings; write them as such')
        if response is None:
            return whole, None if "response" in fields else self._cut(whole).response
        if not whole.rstrip().endswith(response.strip()):
            cure = "its label would be that of another text; run libra rollout and libra verify again"
            raise RowError("other_response", f'"response" is not what "response_with_cot" ends with: {cure}')
        return whole, response


def _label(ruled: Record) -> tuple[bool | None, str | None]:
    """Whether a response is correct by its label, or why it has none."""
    label = ruled["label"]
    if label in (0, 1):
        return bool(label), None
    if label is not None:
        raise RowError("bad_label", why_not("label", label))
    verification = ruled.get("verification")
    reason = verification.get("reason") if isinstance(verification, Mapping) else None
    return None, str(reason or UNLABELLED)


class _JudgedRow:
    """A judged row, whose votes are samples. Raises RowError if the prompt of its judge cannot be made again."""

    def __init__(self, row: Row, task: JudgeTask, prompts: Prompts):
        self._fields, self._task = row.fields, task
        self._template, shows_system = prompts.judging(row, task)
        fields = row.fields if shows_system else {k: v for k, v in row.fields.items() if k not in OF_SYSTEM}
        item = item_of_row(fields)
        self._plan = JudgePlan(item, task.shows, (), pairs_of(item) if task.shows == PAIR else (), ())
        check_reference(item, self._template)
        if task.shows == PAIR:
            check_preference(row.fields)
        reference = item.reference if "reference" in template.slots(self._template) else ""
        self._prompt = f"{task.name}\0{item.question}\0{reference}"
        self._row_name = f"{row.fields.get('id')}\0{row.fields.get('model')}\0{row.fields.get('sample')}"
        self._judge = _text(row.fields.get("judge"))

    @property
    def numbers(self) -> list[int]:
        """Numbers of the judgments that a judge wrote; raises RowError if one is no object."""
        judgments = self._fields["judgments"]
        if not all(isinstance(judgment, dict) for judgment in judgments):
            raise RowError("bad_judgments", "a judgment is no object; leave them as libra judge wrote them")
        return [number for number, judgment in enumerate(judgments) if "gate" not in judgment]

    def messages(self, sample: GradedSample) -> Messages:
        """The prompt of a vote, as its judge was asked."""
        assert sample.request is not None
        return self._task.prompt(slot_values(self._plan, sample.request.order), self._template)

    def sample(self, number: int, is_known_correct: bool = False) -> GradedSample:
        """The vote of this number; raises RowError if a field that it needs is missing."""
        judgment = self._fields["judgments"][number]
        request = prompt_of(self._plan, judgment)
        generated = _generated(judgment)
        if is_known_correct:
            graded = Grade(None, True)
        elif generated is None:
            graded = Grade(None, None, "engine_error")
        else:
            graded = grade(self._task, generated, self._fields, partial(in_own_order, self._plan, request))
        responses = "\0".join(self._plan.item.responses[index] for index in sorted(request.order))
        accepts_nothing = graded.correct is True and graded.outcome is not None
        return GradedSample(
            task=self._task.name,
            prompt=f"{self._prompt}\0{responses}",
            name=f"{self._row_name}\0{self._judge}\0{request.vote}\0{request.order}",
            model=self._judge,
            label=self._golden_verdict(request),
            text="" if generated is None else str(generated.whole),
            response=None if generated is None else generated.response,
            correct=graded.correct,
            reason=graded.reason,
            finish_reason=judgment.get("finish_reason"),
            n_tokens=_count(judgment.get("n_tokens")),
            accepts_nothing=accepts_nothing and self._accepts_nothing(request, graded.outcome),
            number=number,
            request=request,
        )

    def _golden_verdict(self, request: JudgePrompt) -> str:
        """The golden verdict on the responses as they were shown."""
        if self._plan.shows == RESPONSE:
            label = label_or_none(self._fields.get("label"))
            return "" if label is None else str(label)
        if self._plan.shows == PAIR:
            golden = rank.golden_sign(self._fields)
            in_order = request.order in self._plan.pairs
            return "" if golden is None else AS_SHOWN[golden if in_order else -golden]
        index = best.golden_index(self._fields)
        return f"{request.order.index(index) + 1}/{len(request.order)}" if index in request.order else ""

    @cached_property
    def _is_no_answer(self) -> list[bool]:
        """Per response, whether it is a non-answer."""
        return [no_answer(response) is not None for response in self._plan.item.responses]

    def _accepts_nothing(self, request: JudgePrompt, outcome: Outcome | None) -> bool:
        """Whether a correct verdict accepts a non-answer, whatever its label says."""
        if self._plan.shows == LIST:
            accepted = [int(outcome or 0) - 1]
        elif self._plan.shows == PAIR:
            ahead, (first, second) = rank.preferred(outcome), pair_of(self._plan, request)
            accepted = [first if ahead == 1 else second] if ahead else []
        else:
            accepted = list(request.order) if label_or_none(self._fields.get("label")) == 1 else []
        return any(self._is_no_answer[index] for index in accepted)


def _generated(judgment: Record) -> GeneratedText | None:
    """The text of a judge; None if its request failed. Raises RowError if the row does not have the whole text."""
    if "error" in judgment and "text" not in judgment:
        return None
    if "text" not in judgment:
        raise RowError("no_text", "a judgment has no text: run libra judge without --no-texts")
    response, whole = judgment["text"], judgment.get("text_with_cot")
    if whole is None:
        if response is None or judgment.get("thinking_chars"):
            raise RowError("no_thinking_text", "what the judge thought is not in the row: run libra judge again")
        whole = response
    if type(whole) is not str or not (response is None or type(response) is str):
        raise RowError("bad_judgments", "what a judge wrote is no text; leave judgments as libra judge wrote them")
    return GeneratedText(response, whole, judgment.get("finish_reason"))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
