"""One generated text of a row, a response to a problem or a judge's vote: what it decided, and whether it is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from libra_cli.records.items import item_of_row
from libra_cli.records.no_answer import no_answer
from libra_cli.sampling.judge_prompts import LIST, PAIR, RESPONSE, Ask, Plan, check_reference, pairs_of, slot_values
from libra_cli.sampling.judgments import asked, in_own_order
from libra_cli.stages.rs_filter.prompts import Prompts
from libra_cli.stream import rows
from libra_cli.stream.options import CURES
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.tasks import JUDGING, JudgeTask, Messages, Outcome, Record, best, rank, template, thinking
from libra_cli.tasks.verdicts import OUT_OF_RANGE

REASON, GENERAL = "reason", "general"
Rule = Callable[[Any, Record], bool | None]
"""A task's `is_correct`."""
SHOWN_AS = {1: "A", 0: "=", -1: "B"}
"""The label of a comparison: the better one, as it was shown."""


class Sample(NamedTuple):
    """A generated text."""

    task: str
    prompt: str
    """What is the same for all samples of one prompt, and differs between prompts. Whichever order a pair or list was
    shown in, it is one prompt."""
    name: str
    """What tells it from the prompt's other samples, beside its text: who wrote it, and which one it is."""
    model: str
    label: str
    """The golden verdict as this sample should have it (`0`, `1`, `A`, `B`, `=`, `2/4`); empty where there is none."""
    text: str
    """All of it, the thinking included."""
    response: str | None
    """What follows the thinking; None where the text ends inside it."""
    correct: bool | None
    """None where that is not known; what no rule rejects is correct."""
    reason: str | None
    """Why nobody knows whether it is correct."""
    finish_reason: str | None
    n_tokens: int | None
    accepts_nothing: bool = False
    """A judgment that takes for right, or for the better one, what is no answer at all."""
    number: int = 0
    """Its number among the samples of its row."""
    ask: Ask | None = None
    """What its judge was shown."""


class Reader:
    """Reads the samples of rows; `task` None takes each row as what it says it is."""

    def __init__(self, prompts: Prompts, task: str | None = None, threshold: float | None = None,
                 markers: Sequence[tuple[str, str]] = tuple(thinking.MARKERS.values())):  # fmt: skip
        self._prompts, self._task, self._threshold = prompts, task, threshold
        self._cut = thinking.Cut(markers)

    def task_of(self, row: Row) -> str:
        """The task of the samples of a row; raises RowError where it has none, Filtered where another one is wanted."""
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
        """Whether the row has no label yet, and only a comparison with its reference can tell."""
        return "label" not in row.fields and self.task_of(row) == REASON

    def samples(self, row: Row, ruled: Record | None = None) -> list[Sample]:
        """The samples of a row; `ruled` are the label and verification that a rule has found where the row has none.

        Raises RowError where the row cannot be used, Filtered where it is not wanted.
        """
        task = self.task_of(row)
        if task in JUDGING:
            votes = _Votes(row, JUDGING[task], self._prompts, self._rule(JUDGING[task]))
            return [votes.read(number) for number in votes.numbers]
        return [self._response(row, task, row.fields if ruled is None else ruled)]

    def conversation(self, row: Row, number: int) -> tuple[Sample, Messages]:
        """A sample that was found to be correct before, and its messages: what was asked, as it was, and its text."""
        task = self.task_of(row)
        if task in JUDGING:
            votes = _Votes(row, JUDGING[task], self._prompts)
            sample = votes.read(number)
            messages = votes.messages(sample)
        else:
            sample = self._response(row, task, {"label": 1})
            messages = self._prompts.of_response(row, task, sample.text)
        return sample, [*messages, {"role": "assistant", "content": sample.text}]

    def _rule(self, task: JudgeTask) -> Rule:
        if self._threshold is None or task.threshold is None:
            return task.is_correct
        rated: Callable[..., bool | None] = task.is_correct
        return partial(rated, threshold=self._threshold)

    def _response(self, row: Row, task: str, ruled: Record) -> Sample:
        fields = row.fields
        text, response = self._texts(row)
        correct, reason = (True, None) if task == GENERAL else _labelled(ruled)
        return Sample(
            task=task, prompt=self._prompts.key(row, task, text), name=f"{fields.get('id')}\0{fields.get('sample')}",
            model=_text(fields.get("model")), label="", text=text, response=response, correct=correct, reason=reason,
            finish_reason=fields.get("finish_reason"), n_tokens=_count(fields.get("n_tokens")),
        )  # fmt: skip

    def _texts(self, row: Row) -> tuple[str, str | None]:
        """All that was generated, and what of it follows the thinking."""
        fields = row.fields
        text, said = fields.get("response_with_cot"), fields.get("response")
        if text is None:
            text = _last_turn(fields) if said is None else said
            if type(text) is not str:
                rows.require(row, {"response": str}, CURES)
            return text, self._cut(text).response
        if type(text) is not str or not (said is None or type(said) is str):
            raise RowError("wrong_type", '"response" and "response_with_cot" are not both strings; write them as such')
        if said is None:
            return text, None if "response" in fields else self._cut(text).response
        if not text.rstrip().endswith(said.strip()):
            cure = "its label would be that of another text; run libra rollout and libra verify again"
            raise RowError("other_response", f'"response" is not what "response_with_cot" ends with: {cure}')
        return text, said


def _last_turn(fields: Record) -> Any:
    """The answer that ends a row's own conversation."""
    messages = fields.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return last.get("content") if isinstance(last, Mapping) else None


def _labelled(ruled: Record) -> tuple[bool | None, str | None]:
    label = ruled["label"]
    if label in (0, 1):
        return bool(label), None
    if label is not None:
        raise RowError("bad_label", f'"label" is {label}; it must be 1 (correct), 0 (incorrect) or null (unknown)')
    verification = ruled.get("verification")
    why = verification.get("reason") if isinstance(verification, Mapping) else None
    return None, str(why or "unlabelled")


def _check_preference(fields: Record) -> None:
    """Raises RowError where a preference is there and is none: the pair would pass for one without."""
    said = fields.get("preference")
    if said is not None and rank.golden_of(fields) is None:
        raise RowError("bad_preference", f'"preference" is {said}; it must be one of {", ".join(rank.STRENGTH)}')


class _Votes:
    """The votes of a judged row as samples."""

    def __init__(self, row: Row, task: JudgeTask, prompts: Prompts,
                 rule: Rule | None = None):  # fmt: skip
        """Without a `rule` all of them were found to be correct before."""
        self._fields, self._task, self._rule = row.fields, task, rule
        item = item_of_row(row.fields)
        self._plan = Plan(item, task.shows, (), pairs_of(item) if task.shows == PAIR else (), ())
        self._template = prompts.judging(row, task)
        check_reference(item, self._template)
        if task.shows == PAIR:
            _check_preference(row.fields)
        reference = item.reference if "reference" in template.slots(self._template) else ""
        self._prompt = f"{task.name}\0{item.question}\0{reference}"
        self._own = f"{row.fields.get('id')}\0{row.fields.get('model')}\0{row.fields.get('sample')}"
        self._judge = _text(row.fields.get("judge"))

    @property
    def numbers(self) -> list[int]:
        """Of the judgments for which a judge was asked; raises RowError where one is none."""
        judgments = self._fields["judgments"]
        if not all(isinstance(judgment, dict) for judgment in judgments):
            raise RowError("bad_judgments", "a judgment is no object; leave them as libra judge wrote them")
        return [number for number, judgment in enumerate(judgments) if "gate" not in judgment]

    def messages(self, sample: Sample) -> Messages:
        """What the judge was asked for a vote."""
        assert sample.ask is not None
        return self._task.prompt(slot_values(self._plan, sample.ask.shown), self._template)

    @cached_property
    def _empty(self) -> list[bool]:
        """Which responses are no answer at all."""
        return [no_answer(response) is not None for response in self._plan.item.responses]

    def read(self, number: int) -> Sample:
        """The vote of this number; raises RowError where it lacks what is needed."""
        judgment = self._fields["judgments"][number]
        ask = asked(self._plan, judgment)
        text, response, reason = _written(judgment)
        correct: bool | None = True
        said = None
        if self._rule is not None and reason is None:
            said, reason = self._task.judged(response, text, judgment.get("finish_reason"))
        if self._rule is not None:
            correct, reason = self._checked(ask, said, reason, self._rule)
        seen = sorted(ask.shown)
        shown = "\0".join(self._plan.item.responses[at] for at in seen)
        name = f"{self._own}\0{self._judge}\0{ask.vote}\0{ask.shown}"
        return Sample(
            self._task.name, f"{self._prompt}\0{shown}", name, self._judge, self._label(ask), text, response, correct,
            reason, judgment.get("finish_reason"), _count(judgment.get("n_tokens")),
            correct is True and said is not None and self._accepts_nothing(ask, said), number, ask,
        )  # fmt: skip

    def _checked(
        self, ask: Ask, said: Outcome | None, reason: str | None, rule: Rule
    ) -> tuple[bool | None, str | None]:
        """Whether a verdict is right, or why nobody knows."""
        outcome = in_own_order(self._plan, ask, said)
        correct = None if outcome is None else rule(outcome, self._fields)
        if correct is None:
            return None, reason or (OUT_OF_RANGE if outcome is None else "unlabelled")
        return correct, None

    def _label(self, ask: Ask) -> str:
        """The golden verdict of what was shown, as it was shown."""
        if self._plan.shows == RESPONSE:
            label = self._fields.get("label")
            return str(int(label)) if label in (0, 1) else ""
        if self._plan.shows == PAIR:
            golden = rank.golden_of(self._fields)
            first = ask.shown in self._plan.pairs
            return "" if golden is None else SHOWN_AS[golden if first else -golden]
        golden = best.golden_of(self._fields)
        return f"{ask.shown.index(golden) + 1}/{len(ask.shown)}" if golden in ask.shown else ""

    def _accepts_nothing(self, ask: Ask, said: Outcome) -> bool:
        """Whether a correct verdict is for a response that is no answer, whatever the label says of that."""
        if self._plan.shows == LIST:
            accepted = [ask.shown[int(said) - 1]]
        elif self._plan.shows == PAIR:
            ahead = rank.preferred(said)
            accepted = [ask.shown[0 if ahead == 1 else 1]] if ahead else []
        else:
            accepted = list(ask.shown) if self._fields.get("label") == 1 else []
        return any(self._empty[at] for at in accepted)


def _written(judgment: Record) -> tuple[str, str | None, str | None]:
    """All that a judge wrote, what of it follows the thinking, and why it wrote nothing."""
    if "error" in judgment and "text" not in judgment:
        return "", None, "engine_error"
    if "text" not in judgment:
        raise RowError("no_text", "a judgment has no text: run libra judge without --no-texts")
    response, text = judgment["text"], judgment.get("text_with_cot")
    if text is None:
        if response is None or judgment.get("thinking_chars"):
            raise RowError("no_thinking_text", "what the judge thought is not in the row: run libra judge again")
        text = response
    if type(text) is not str or not (response is None or type(response) is str):
        raise RowError("bad_judgments", "what a judge wrote is no text; leave judgments as libra judge wrote them")
    return text, response, None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
