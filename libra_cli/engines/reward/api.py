"""The format of vLLM's `/classify` for reward models: the body of a conversation, the meaning of an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.engines.base import RequestError
from libra_cli.engines.openai.chat_api import Body, Refusal, json_or_error, n_tokens_in, name_in, typed
from libra_cli.engines.openai.content_parts import MalformedAnswer
from libra_cli.engines.openai.http_answer import HttpAnswer, malformed
from libra_cli.engines.openai.retry import Failure
from libra_cli.engines.reward.base import RewardRequest
from libra_cli.engines.template_coverage import Calls, spelled
from libra_cli.exits import Exit, Fatal
from libra_cli.tasks import slots

_AS_LOADED = {"add_generation_prompt": False, "add_special_tokens": False}
"""What vLLM adds to a conversation: nothing, as where libra loads the model itself."""
OWN = ("messages", "input", "model", "use_activation", "truncate_prompt_tokens", *_AS_LOADED)
"""Fields that decide the score; --engine-arg cannot set them."""


@dataclass(frozen=True)
class HeadOutputs:
    """The outputs of a reward head; nan for one that the server did not send as a number."""

    values: list[float]
    n_tokens: int
    model: str | None


ClassifyAnswer = HeadOutputs | RequestError | Failure | Refusal


class RewardFormat:
    """Makes bodies for one reward model; raises Fatal(2) if `extra` names a field that libra sets."""

    def __init__(self, model: str, chat_template_args: Mapping[str, Any], extra: Mapping[str, Any]):
        taken = [name for name in OWN if name in extra]
        if taken:
            raise Fatal(Exit.USAGE, f"--engine-arg {taken[0]}: libra sets it itself; leave it out")
        kwargs = {"chat_template_kwargs": dict(chat_template_args)} if chat_template_args else {}
        self._fixed: Body = {"model": model, **_AS_LOADED, **kwargs, **extra}

    def body(self, request: RewardRequest) -> Body:
        """The body for a conversation to score, without the sigmoid or softmax that vLLM applies by default."""
        return {**self.tokenize_body(request), "use_activation": False}

    def tokenize_body(self, request: RewardRequest) -> Body:
        """The body for vLLM's `/tokenize`, which shows the server's rendering of the messages.

        Raises RequestError for tools, which `/classify` does not take. Control tokens in the messages get a blank.
        """
        if request.tools:
            cure = "name the model's directory instead of the server, or leave the field out"
            raise RequestError("tools_not_taken", f"vLLM's /classify does not take the tools of a row; {cure}")
        plain = [{**slots.all_plain(message), "role": message["role"]} for message in request.messages]
        named = {**self._fixed.get("chat_template_kwargs", {}), **request.template_args}
        kwargs = {"chat_template_kwargs": named} if named else {}
        return {**self._fixed, **kwargs, "messages": [spelled(one, Calls(True, True)) for one in plain]}


def read_classify_answer(answer: HttpAnswer, _body: Body) -> ClassifyAnswer:
    """The meaning of an HTTP answer; raises Fatal if it ends the run."""
    fields = json_or_error(answer)
    if not isinstance(fields, dict):
        return fields
    try:
        data = typed(fields, "data", list)
        first = typed({"data": data and data[0]}, "data", dict) or {}
        values = typed(first, "probs", list)  # vLLM calls them so even if no activation was applied
        if not values:
            return RequestError("no_score", "the server answered without a score; is it vLLM with a reward model?")
        n_tokens, model = n_tokens_in(fields, "prompt_tokens") or 0, name_in(answer, fields, "model")
    except MalformedAnswer as error:
        return malformed(error)
    return HeadOutputs([_number(value) for value in values], n_tokens, model)


def _number(value: Any) -> float:
    try:
        return float(value) if type(value) in (int, float) else math.nan
    except OverflowError:  # an integer beyond any float
        return math.inf
