"""Judging tasks: a judge is shown a response, a pair or a list, and closes with a verdict in double brackets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from libra_cli.tasks import slots
from libra_cli.tasks import template as templates
from libra_cli.tasks.labels import label_or_none
from libra_cli.tasks.task import Messages, Outcome, Record, Task, with_system
from libra_cli.tasks.verdicts import VerdictForm, number


@dataclass(frozen=True)
class JudgeTask(Task):
    """A task whose outcome is a verdict on the responses that its prompt shows."""

    template: str
    """Name of the built-in prompt: `prompts/NAME.txt`."""
    shows: str
    """What a prompt shows at once: `response`, `pair` or `list`."""
    scale: tuple[int, int] | None = None
    """Lowest and highest rating; None if the outcome is no rating."""
    threshold: float | None = None
    """A response counts as correct if its rating is above this."""

    def with_threshold(self, threshold: float | None) -> JudgeTask:
        """The task with another threshold; itself for None, and if its outcome is no rating."""
        if threshold is None or self.threshold is None:
            return self
        return replace(self, threshold=threshold, is_correct=partial(_is_rated_correctly, threshold))


def judge_task(
    name: str,
    form: VerdictForm,
    is_correct: Callable[[Outcome, Record], bool | None],
    shows: str,
    scale: tuple[int, int] | None = None,
    threshold: float | None = None,
) -> JudgeTask:
    """Makes the task whose prompt is `prompts/NAME.txt` and whose verdicts are written in a form."""

    def prompt(record: Record, template: str | None = None, system: str | None = None) -> Messages:
        text = templates.load(name) if template is None else template
        return with_system(system, slots.messages(text, record))

    return JudgeTask(name, prompt, form.read, is_correct, name, shows, scale, threshold)


def rating_task(name: str, key: str, scale: tuple[int, int], threshold: float) -> JudgeTask:
    """Makes the task that rates one response with `[[KEY=N]]`."""
    rule = partial(_is_rated_correctly, threshold)
    return judge_task(name, number(key, scale), rule, "response", scale, threshold)


VERIFY = "verify"
HALF = 0.5
"""Share of the votes of `verify` that a correct response has more of, unless another threshold is asked for."""


def is_tie(score: Any, threshold: Any, task: str) -> Any:
    """Whether as many votes of `verify` say correct as say wrong, and the majority decides: there is no verdict.

    Takes numbers, or arrays of them. Any other threshold on the share of votes decides a tie, too.
    """
    return (task == VERIFY) & (score == HALF) & (threshold == HALF)


def is_above(score: Any, threshold: Any) -> Any:
    """The rule of every threshold: a score above it means correct, the threshold itself means wrong.

    Takes numbers, or arrays of them.
    """
    return score > threshold


def agrees_with_label(says_correct: bool, record: Record) -> bool | None:
    """Whether a verdict of correct or wrong agrees with `label`; None if that says neither."""
    label = label_or_none(record.get("label"))
    return None if label is None else says_correct == bool(label)


def _is_rated_correctly(threshold: float, rating: Outcome, record: Record) -> bool | None:
    return agrees_with_label(is_above(int(rating), threshold), record)
