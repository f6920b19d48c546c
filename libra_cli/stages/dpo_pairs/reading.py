"""One judged or labelled response: what was decided about it, and its text."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from libra_cli.sampling.asked_prompts import Prompts
from libra_cli.stream import rows
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.wrong_rows import near_column, part_hint, type_name, wrong_row
from libra_cli.tasks import JUDGING
from libra_cli.tasks.judge import HALF, is_above, is_tie
from libra_cli.tasks.labels import why_not

_ONE_BY_ONE = ("score", "rate", "verify", "scalar")
"""Tasks of judges that say something of each response by itself."""


class Opinion(NamedTuple):
    """What one judge, or the rule, says about one response."""

    query: str
    """Identifies the prompt."""
    text: str
    """All that the policy wrote, thinking included."""
    name: str
    """Tells the response from others with the same text."""
    judge: str
    """Empty for the rule."""
    value: float
    """1 or 0, or a score; nan if there is none."""
    n_tokens: int
    """-1 if the row does not say."""


class OpinionReader:
    """Reads rows of `libra judge` (by `prediction` or `score`) or of `libra verify` (by `label`)."""

    def __init__(self, prompts: Prompts, by: str, threshold: float | None = None):
        """By `prediction`, a score above `threshold` (None: that of the judge's task) stands for a missing verdict."""
        self._prompts, self._by, self._threshold = prompts, by, threshold
        self.n_without_threshold = 0
        """Rows with a score that no threshold makes a verdict of."""

    def read(self, row: Row) -> Opinion:
        """The opinion of a row; raises RowError if it has none, or if its prompt cannot be made."""
        text, fields = self._text(row), row.fields
        n_tokens, judge = fields.get("n_tokens"), "" if self._by == "label" else fields.get("judge")
        if self._by != "label":
            self._check_judged(row)
        return Opinion(
            self._prompts.key(row, _task_of(row), text),
            text,
            rows.response_name(fields),
            str(judge or ""),
            self._value(row),
            n_tokens if type(n_tokens) is int and 0 <= n_tokens < 1 << 31 else -1,
        )

    def prompt(self, row: Row) -> list[dict[str, str]]:
        """The conversation that the response of a row answers."""
        return self._prompts.of_response(row, _task_of(row), self._text(row))

    def completion(self, row: Row) -> list[dict[str, Any]]:
        """The response as a conversation of one turn."""
        return [self._prompts.answer(row, _task_of(row), self._text(row))]

    def shown(self, row: Row) -> dict[str, Any]:
        """What the chat template was given besides the conversation."""
        return self._prompts.shown(row)

    def _check_judged(self, row: Row) -> None:
        task = row.fields.get("judge_task")
        if self._by not in row.fields:
            cure = f"run libra judge first, or --by label{near_column(row.fields, self._by)}"
            raise RowError("missing_field", f'no "{self._by}": {cure}')
        if task is not None and task not in _ONE_BY_ONE:
            cure = "judge each response by itself (libra judge --task score)"
            raise RowError("wrong_task", f"the judge was asked to {task} several responses; {cure}")

    def _value(self, row: Row) -> float:
        if self._by not in row.fields:
            cure = f"run libra verify first{near_column(row.fields, self._by)}"
            raise RowError("missing_field", f'no "{self._by}": {cure}')
        value = row.fields[self._by]
        if self._by == "score":
            return _score(value)
        if value is None and self._by == "prediction":
            name = row.fields.get("judge_task", "")
            task = JUDGING.get(name)
            threshold = task.threshold if self._threshold is None and task else self._threshold
            score = _score(row.fields.get("score"))
            if is_tie(score, HALF if threshold is None else threshold, name):
                return math.nan
            if threshold is None or math.isnan(score):
                self.n_without_threshold += not math.isnan(score)
                return math.nan
            return float(is_above(score, threshold))
        if value is None:
            return math.nan
        if value not in (0, 1):
            raise RowError("bad_label", why_not(self._by, value))
        return float(value)

    def _text(self, row: Row) -> str:
        """The text that the policy wrote: with its thinking, if the row has it."""
        for name in ("response_with_cot", "response"):
            if (text := row.fields.get(name)) is not None:
                if not isinstance(text, str):
                    raise RowError("wrong_type", f'"{name}" is {type_name(text)}, not a string{part_hint(name, text)}')
                return text
        cure = wrong_row(row.fields) or "run libra rollout first"
        raise RowError("missing_field", f'no "response_with_cot" and no "response": {cure}')


def _score(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RowError("wrong_type", why_not("score", value))
    return float(value)


def _task_of(row: Row) -> str:
    plain = "question" not in row.fields and ("messages" in row.fields or "prompt" in row.fields)
    return "general" if plain or row.fields.get("task") == "general" else "reason"
