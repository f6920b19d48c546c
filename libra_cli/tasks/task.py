"""Tasks: answering a problem, scoring, ranking and checking each have a prompt, a reader and a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from libra_cli.tasks import thinking

Record = Mapping[str, Any]
Messages = list[dict[str, str]]
Outcome = str | int

_CALLS = frozenset(("tool_calls", "tool_use", "function_call"))
_FINISHED = _CALLS | {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "word"}
_CUT = frozenset(
    ("length", "max_tokens", "max_length", "max_output_tokens", "model_length", "model_context_window_exceeded",
     "time_limit", "insufficient_system_resource", "content_filter", "content_filtered", "guardrail_intervened",
     "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "pause_turn", "abort", "error")
)  # fmt: skip
_KNOWN = _FINISHED | _CUT
UNKNOWN_END = "unknown"
"""The finish reason of a text of which its server does not say why it ended."""
NO_REASONS = frozenset(("", "null", "none"))
"""What servers write that give no finish reason, but for null."""


def is_cut_short(finish_reason: str | None) -> bool:
    """Whether a text ended before its model did: by `length`, a filter, or any word that means no end of its own.

    Servers have many words for both (`max_tokens`, `MAX_TOKENS`, `model_length`, `content_filter`); one that nobody
    knows is no proof of an end. A row without a reason is taken to be whole.
    """
    return finish_reason is not None and finish_reason.lower() not in _FINISHED


def is_known_end(finish_reason: str) -> bool:
    """Whether it is certain what a finish reason means: that a text is whole, or that it is not."""
    return finish_reason.lower() in _KNOWN


def is_call(finish_reason: str | None) -> bool:
    """Whether a text ended with a call of a tool, so that the answer is yet to come."""
    return finish_reason is not None and finish_reason.lower() in _CALLS


class GeneratedText(NamedTuple):
    """What a model wrote in answer to a task's prompt."""

    response: str | None
    """The text after the thinking; None if the text ends inside the thinking."""
    whole: str | None = None
    """The whole text; None if only `response` is known."""
    finish_reason: str | None = None
    """Why generation ended; None if unknown."""

    @classmethod
    def of(cls, whole: str, finish_reason: str | None = None) -> GeneratedText:
        """Cuts a whole text at the first known pair of thinking markers in it."""
        return cls(thinking.split_any(whole).response, whole, finish_reason)


class Verdict(NamedTuple):
    """What a text decides, or why that cannot be read."""

    outcome: Outcome | None
    reason: str | None = None
    """A stable word for counting. Beside an outcome: why it is not wrong for certain if it is not the reference."""


quick_text: Callable[[tuple[str | None, str | None, str | None]], GeneratedText] = partial(tuple.__new__, GeneratedText)
quick_verdict: Callable[[tuple[Outcome | None, str | None]], Verdict] = partial(tuple.__new__, Verdict)
"""Make these from all their fields in half the time: for what every row of a run needs."""


class PromptMaker(Protocol):
    """Makes the conversation that a model is asked."""

    def __call__(self, record: Record, template: str | None = None, system: str | None = None) -> Messages:
        """Fills the slots of `template` (None: the built-in one) from `record`; `system` is the first message.

        Raises KeyError for a slot that the record cannot fill.
        """


@dataclass(frozen=True)
class Task:
    """What a model is asked, how its text is read, and when the outcome is correct.

    Only `libra_cli.tasks.grading` calls `read` and `is_correct`. It compares the answers of an AnswerTask by `pair`,
    which `is_correct` uses too.
    """

    name: str
    prompt: PromptMaker
    read: Callable[[GeneratedText], Verdict]
    is_correct: Callable[[Outcome, Record], bool | None]
    """Whether an outcome agrees with the record's golden reference; None if there is none, or it cannot be compared."""


@dataclass(frozen=True)
class AnswerTask(Task):
    """A task whose outcome is an answer, which is correct if it equals the golden one."""

    answer: Callable[[GeneratedText, Record], Verdict]
    """Reads the outcome like `read`, in view of what the record asks for."""
    pair: Callable[[Outcome, Record, str | None], tuple[str, str]]
    """The golden answer and the outcome: what `libra_cli.answers` compares."""
    wrong_reasons: frozenset[str] = frozenset()
    """Why a text without an outcome is wrong; with any other reason it stays undecided."""
    excludes: Callable[[GeneratedText, Record, str | None], bool] | None = None
    """Whether a text that is undecided for a reason cannot give the golden answer, whatever it gives."""


def with_system(system: str | None, messages: Messages) -> Messages:
    """`messages` after the system prompt, if there is one."""
    return [{"role": "system", "content": system}, *messages] if system else messages
