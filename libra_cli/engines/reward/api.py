"""The format of vLLM's `/classify` for reward models: a conversation's body, and what an answer means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.engines.openai.chat_api import Body, Refusal, answer_of, error_of, not_its_own, own_error
from libra_cli.engines.openai.retry import Failure
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.rows import RowError

OWN = ("messages", "input", "model", "use_activation", "add_generation_prompt", "truncate_prompt_tokens")
"""Fields that decide what a score is, and are not for --engine-arg."""


@dataclass(frozen=True)
class Numbers:
    """What the outputs of a head are; nan where a number is not finite."""

    values: list[float]
    n_tokens: int
    model: str | None


Found = Numbers | RowError | Failure | Refusal


class RewardFormat:
    """Bodies for one reward model; raises Fatal(2) where `extra` names a field that is not free."""

    def __init__(self, model: str, chat_template_args: Mapping[str, Any], extra: Mapping[str, Any]):
        taken = [name for name in OWN if name in extra]
        if taken:
            raise Fatal(Exit.USAGE, f"--engine-arg {taken[0]}: libra sets it itself; leave it out")
        kwargs = {"chat_template_kwargs": dict(chat_template_args)} if chat_template_args else {}
        self._fixed: Body = {"model": model, "add_generation_prompt": False, **kwargs, **extra}

    def body(self, messages: list[dict[str, str]]) -> Body:
        """A conversation to be scored, without the sigmoid or softmax that vLLM applies unless told not to."""
        return {**self.tokenize_body(messages), "use_activation": False}

    def tokenize_body(self, messages: list[dict[str, str]]) -> Body:
        """For vLLM's `/tokenize`, which shows what the chat template makes of the messages."""
        return {**self._fixed, "messages": messages}


def found(status: int, headers: Mapping[str, str], content: bytes, _body: Body) -> Found:
    """What an HTTP answer means; raises Fatal where it ends the run."""
    if 200 <= status < 300:
        answer = answer_of(content)
        return answer if isinstance(answer, Failure) else _numbers(answer)
    return not_its_own(status, headers, content) or own_error(status, *error_of(content, status))


def _numbers(answer: Mapping[str, Any]) -> Numbers | RowError:
    data, usage = answer.get("data"), answer.get("usage") or {}
    first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    values = first.get("probs")  # so called whether or not an activation made probabilities of them
    if not (isinstance(values, list) and values):
        return RowError("no_score", "the server answered without a score; is it vLLM with a reward model?")
    numbers = [float(value) if isinstance(value, (int, float)) else math.nan for value in values]
    return Numbers(numbers, int(usage.get("prompt_tokens") or 0), answer.get("model"))
