"""The two kinds of judge: a model that writes a verdict, and a reward model that gives a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from libra_cli.engines.base import Messages, Request
from libra_cli.engines.reward.base import RewardRequest
from libra_cli.records.forms import Item
from libra_cli.sampling.judge_prompts import RESPONSE, Ask, Plan, check_reference, slot_values
from libra_cli.sampling.judgments import failed, judgment
from libra_cli.sampling.options import SamplingOptions
from libra_cli.sampling.response_fields import response_fields
from libra_cli.stages.judge.aggregate import Rule
from libra_cli.stages.judge.votes import MEAN
from libra_cli.stream.jobs import Answer
from libra_cli.stream.rows import RowError
from libra_cli.tasks import JUDGING, JudgeTask, slots, template


def default_task(item: Item) -> str:
    """`score` for one response, `rank` for two, `best` for a list.

    Of a list with several pairs to compare, which a benchmark's chosen and rejected responses are, each is rated: it
    may have more than one right response.
    """
    n = len(item.responses)
    return "score" if n == 1 else "rank" if n == 2 else "rate" if item.pairs else "best"


def template_text(path: str, task: str) -> str:
    """The template at `path` for the reader of `task`; raises ValueError where it cannot serve it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({error})") from None
    slots.check(text, JUDGING[task].shows)
    return text


@dataclass(frozen=True)
class Generative:
    """A judge that is asked a task and writes its verdict."""

    task: JudgeTask
    sampling: SamplingOptions
    template: str | None = None
    """Text that replaces the task's own prompt."""
    keeps_texts: bool = True

    @property
    def name(self) -> str:
        """What `judge_task` says."""
        return self.task.name

    @property
    def shows(self) -> str:
        return self.task.shows

    @cached_property
    def prompt_sha256(self) -> str:
        return template.digest(self._text)

    @cached_property
    def _text(self) -> str:
        return self.template or template.load(self.task.template)

    @property
    def threshold(self) -> float | None:
        """The score above which a response counts as correct, where nobody says another."""
        return 0.5 if self._verifies else self.task.threshold

    @property
    def _verifies(self) -> bool:
        return self.task.name == "verify"

    def rule(self, reduce: str, threshold: float | None) -> Rule:
        """How its votes become a decision."""
        verifies = self._verifies
        lowest = 0 if verifies else self.task.scale[0] if self.task.scale else None
        return Rule(reduce, threshold, lowest, verifies)

    def check(self, item: Item) -> None:
        """Raises RowError where the prompt shows what the item has not."""
        check_reference(item, self._text)

    def conversations(self, plan: Plan) -> list[Messages]:
        """The conversation of each request; requests that show the same share one (engines see it by that)."""
        made: dict[tuple[int, ...], Messages] = {}
        for ask in plan.asks:
            if ask.shown not in made:
                made[ask.shown] = self.task.prompt(slot_values(plan, ask.shown), self.template)
        return [made[ask.shown] for ask in plan.asks]

    def request(self, messages: Messages, seed: int, name: str, number: int, shows: str) -> Request:
        return Request(messages, seed, name, number, shows=shows)

    def read(self, plan: Plan, ask: Ask, request: Request, answer: Answer) -> dict[str, Any]:
        """The judgment that an answer is."""
        if isinstance(answer, RowError):
            return failed(plan, ask, answer, seed=request.seed)
        wrote = response_fields(answer, self.sampling)
        text, whole, ended = wrote["response"], wrote["response_with_cot"], answer.finish_reason
        outcome, reason = self.task.judged(text, whole, ended)
        # All of it, byte for byte, where it is more than its answer: what libra rs-filter makes training data of.
        thoughts = whole if whole.strip() != text else None
        more = {"text": text, "text_with_cot": thoughts} if self.keeps_texts else {}
        thought = len(whole) - len(text or "")
        return judgment(
            plan, ask, outcome, reason, **more, thinking_chars=thought or None, finish_reason=ended,
            n_tokens=answer.n_tokens, seed=request.seed,
        )  # fmt: skip


@dataclass(frozen=True)
class Scalar:
    """A reward model, which gives each response one number: there are no votes, no orders and no verdicts to read."""

    name = "scalar"
    shows = RESPONSE
    prompt_sha256 = None
    threshold = None

    def rule(self, _reduce: str, threshold: float | None) -> Rule:
        """Its numbers have no lowest: a response that is no answer has no score."""
        return Rule(MEAN, threshold)

    def check(self, item: Item) -> None:
        """It reads any conversation."""

    def conversations(self, plan: Plan) -> list[Messages]:
        """The item's own conversation with each response as its last message."""
        responses = (plan.item.responses[ask.shown[0]] for ask in plan.asks)
        return [[*plan.item.messages, {"role": "assistant", "content": response}] for response in responses]

    def request(self, messages: Messages, _seed: int, name: str, number: int, _shows: str) -> RewardRequest:
        return RewardRequest(messages, name, number)

    def read(self, plan: Plan, ask: Ask, _request: RewardRequest, answer: Answer) -> dict[str, Any]:
        """The judgment that a number is."""
        if isinstance(answer, RowError):
            return failed(plan, ask, answer)
        return judgment(plan, ask, answer.value, None, n_tokens=answer.n_tokens)


Judge = Generative | Scalar
