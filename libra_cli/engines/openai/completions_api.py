"""vLLM's `/completions` for prompts of token ids: the body of a request, and the tokens that it is answered with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.engines.base import RequestError, Sampling
from libra_cli.engines.openai.chat_api import Body, Refusal, end_in, json_or_error, typed
from libra_cli.engines.openai.content_parts import MalformedAnswer
from libra_cli.engines.openai.http_answer import HttpAnswer, malformed
from libra_cli.engines.openai.retry import Failure, Trouble

_IDS = 1 << 31


@dataclass(frozen=True)
class GeneratedTokens:
    """What a server generated after a prompt of token ids."""

    finish_reason: str
    token_ids: tuple[int, ...]
    """[T]"""
    logprobs: tuple[float, ...]
    """[T] in nats"""


CompletionAnswer = GeneratedTokens | RequestError | Failure | Refusal


def completion_body(model: str, sampling: Sampling, prompt_ids: Sequence[int], seed: int, max_tokens: int) -> Body:
    """The body of one sample; it names what else a server would take from the model's generation_config.json."""
    return {
        "model": model,
        "prompt": list(prompt_ids),
        "seed": seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": -1 if sampling.top_k is None else sampling.top_k,
        "min_p": sampling.min_p or 0.0,
        "repetition_penalty": 1.0,
        "max_tokens": max_tokens,
        "stop": list(sampling.stop),
        "logprobs": 0,  # of the sampled token only
        "return_token_ids": True,
        **sampling.extra,
    }


def read_completion_answer(answer: HttpAnswer, body: Body) -> CompletionAnswer:
    """The meaning of an HTTP answer to `body`; raises Fatal if it ends the run."""
    fields = json_or_error(answer)
    if not isinstance(fields, dict):
        return fields
    try:
        first = typed({"choice": (typed(fields, "choices", list) or [None])[0]}, "choice", dict) or {}
        return _tokens(answer, first, body)
    except MalformedAnswer as error:
        return malformed(error)


def _tokens(answer: HttpAnswer, choice: Mapping[str, Any], body: Body) -> GeneratedTokens | Failure:
    """Raises MalformedAnswer unless there is a log-probability for each of 1 to max_tokens tokens."""
    reason = end_in(answer, choice)
    if reason in ("abort", "error"):
        return Failure(Trouble.BROKEN, f"the server ended the request with {reason!r}")
    ids, logprobs = choice.get("token_ids"), (typed(choice, "logprobs", dict) or {}).get("token_logprobs")
    if not isinstance(ids, list) or not all(type(each) is int and 0 <= each < _IDS for each in ids):
        raise MalformedAnswer("it has no token_ids, which vLLM returns since 0.10.2")
    if not isinstance(logprobs, list) or not all(type(each) in (int, float) for each in logprobs):
        raise MalformedAnswer("it has no log-probabilities")
    if not 0 < len(ids) == len(logprobs) <= body["max_tokens"] or not all(map(math.isfinite, logprobs)):
        raise MalformedAnswer(f"it has {len(ids)} tokens and {len(logprobs)} log-probabilities")
    if choice.get("prompt_token_ids") != body["prompt"]:
        raise MalformedAnswer("its prompt has other tokens than the one that was sent")
    return GeneratedTokens(reason, tuple(ids), tuple(map(float, logprobs)))
