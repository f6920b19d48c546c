"""The two kinds of judge: a model that writes a verdict, and a reward model that gives a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from libra_cli.engines.base import Messages, Request
from libra_cli.engines.reward.base import RewardRequest
from libra_cli.records.forms import JudgeItem
from libra_cli.sampling.aggregate import AggregationRule
from libra_cli.sampling.asked_prompts import digest
from libra_cli.sampling.judge_prompts import RESPONSE, JudgePlan, JudgePrompt, check_reference, slot_values
from libra_cli.sampling.judgments import failed_judgment, judgment
from libra_cli.sampling.options import SamplingOptions
from libra_cli.sampling.requests import provenance
from libra_cli.sampling.response_fields import response_fields
from libra_cli.sampling.votes import MEAN
from libra_cli.stream.jobs import Answer
from libra_cli.stream.rows import RowError
from libra_cli.tasks import GeneratedText, JudgeTask, template
from libra_cli.tasks.grading import read_verdict
from libra_cli.tasks.judge import HALF, VERIFY


def default_task(item: JudgeItem) -> str:
    """`score` for one response, `rank` for two, `best` for a list.

    A list with pairs to compare (a benchmark's chosen and rejected responses) may have more than one right response: it
    gets `rate`, one response at a time.
    """
    n = len(item.responses)
    return "score" if n == 1 else "rank" if n == 2 else "rate" if item.pairs else "best"


@dataclass(frozen=True)
class GenerativeJudge:
    """A judge that is asked a task and writes its verdict."""

    task: JudgeTask
    sampling: SamplingOptions
    template: str | None = None
    """Replaces the task's own prompt."""
    keeps_texts: bool = True

    @property
    def name(self) -> str:
        """The value of `judge_task`."""
        return self.task.name

    @property
    def shows(self) -> str:
        """What a prompt shows at once."""
        return self.task.shows

    @cached_property
    def _template(self) -> str:
        return self.template or template.load(self.task.template)

    def provenance(
        self, engine: Mapping[str, Any], votes: int, orders: str, reduce: str, system: str | None = None
    ) -> dict[str, Any]:
        """How its votes came about, for `judge_provenance`; `system` is the row's own system prompt, if it has one."""
        asked = {"votes": votes, "orders": orders, "reduce": reduce}
        return {**provenance(engine, self.sampling.to_sampling(), digest(self._template, system)), **asked}

    @property
    def threshold(self) -> float | None:
        """The task's own threshold: a response counts as correct if its score is above it."""
        return HALF if self.task.name == VERIFY else self.task.threshold

    def rule(self, reduce: str, threshold: float | None) -> AggregationRule:
        """How its votes become a score and a prediction."""
        lowest = 0 if self.task.name == VERIFY else self.task.scale[0] if self.task.scale else None
        return AggregationRule(reduce, threshold, lowest, self.task.name)

    def check(self, item: JudgeItem) -> None:
        """Raises RowError if the prompt shows a reference and the item has none."""
        check_reference(item, self._template)

    def conversations(self, plan: JudgePlan) -> list[Messages]:
        """The conversation of each request; equal ones are one object, so that engines see a shared prompt."""
        by_order: dict[tuple[int, ...], Messages] = {}
        for prompt in plan.prompts:
            if prompt.order not in by_order:
                by_order[prompt.order] = self.task.prompt(slot_values(plan, prompt.order), self.template)
        return [by_order[prompt.order] for prompt in plan.prompts]

    def request(
        self, _item: JudgeItem, messages: Messages, seed: int, name: str, number: int, shows: str, keys: tuple[str, ...]
    ) -> Request:
        """The request of one vote."""
        return Request(messages, seed, name, number, shows=shows, record_keys=keys)

    def read(self, plan: JudgePlan, prompt: JudgePrompt, request: Request, answer: Answer) -> dict[str, Any]:
        """Reads the judgment in an answer."""
        if isinstance(answer, RowError):
            return failed_judgment(plan, prompt, answer, seed=request.seed)
        fields = response_fields(answer, self.sampling.thinking_markers, self.sampling.thinking)
        text, whole = fields["response"], fields["response_with_cot"]
        outcome, reason = read_verdict(self.task, GeneratedText(text, whole, answer.finish_reason))
        # The whole text, byte for byte, if it is more than the response: libra rs-filter makes training data of it.
        texts = {"text": text, "text_with_cot": whole if whole.strip() != text else None} if self.keeps_texts else {}
        return judgment(
            plan,
            prompt,
            outcome,
            reason,
            **texts,
            thinking_chars=len(whole) - len(text or "") or None,
            finish_reason=answer.finish_reason,
            n_tokens=answer.n_tokens,
            seed=request.seed,
        )


@dataclass(frozen=True)
class ScalarJudge:
    """A reward model, which gives each response one number: it has no votes, no orders and no verdicts to read."""

    name = "scalar"
    shows = RESPONSE
    threshold = None

    def provenance(
        self, engine: Mapping[str, Any], _votes: int, _orders: str, _reduce: str, _system: str | None = None
    ) -> dict[str, Any]:
        """How its numbers came about."""
        return provenance(engine)

    def rule(self, _reduce: str, threshold: float | None) -> AggregationRule:
        """Its numbers have no lowest: a non-answer has no score."""
        return AggregationRule(MEAN, threshold)

    def check(self, item: JudgeItem) -> None:
        """It reads any conversation."""

    def conversations(self, plan: JudgePlan) -> list[Messages]:
        """The item's own conversation with each response as its last message."""
        return [[*plan.item.messages, plan.item.turn(prompt.order[0])] for prompt in plan.prompts]

    def request(
        self,
        item: JudgeItem,
        messages: Messages,
        _seed: int,
        name: str,
        number: int,
        _shows: str,
        _keys: tuple[str, ...],
    ) -> RewardRequest:
        """The request of one number."""
        return RewardRequest(messages, name, number, item.tools, item.template_args)

    def read(self, plan: JudgePlan, prompt: JudgePrompt, _request: RewardRequest, answer: Answer) -> dict[str, Any]:
        """The number as a judgment."""
        if isinstance(answer, RowError):
            return failed_judgment(plan, prompt, answer)
        steps = None if answer.steps is None else list(answer.steps)
        return judgment(plan, prompt, answer.value, None, steps=steps, n_tokens=answer.n_tokens)


Judge = GenerativeJudge | ScalarJudge
