"""The chat-completions format of OpenAI-compatible servers: the body of a request, the meaning of an answer.

Only standard fields are sent unless the user asks for others, because strict servers refuse unknown fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any

from libra_cli.engines.base import Request, RequestError, Sampling
from libra_cli.engines.openai.retry import Failure, Trouble, retry_after
from libra_cli.exits import Exit, Fatal

Body = dict[str, Any]

_OWN = ("messages", "model", "n", "seed", "stream", "temperature", "top_p", "max_tokens", "max_completion_tokens")
"""Fields that have an option of their own, or decide which request an answer belongs to and how it arrives."""
_SHOWN = 500
_TOO_LONG = re.compile(r"context.?(length|window|size)|max_model_len|prompt is too long|too many (input )?tokens", re.I)
_CONTEXT = re.compile(r"(?:context length (?:is|of)|max_model_len\s*=|supports at most)\s*(\d+)", re.I)
_PROMPT = re.compile(r"\b(\d{1,18})(?: tokens)? (?:in the messages|input tokens|from the input)", re.I)
_TROUBLES = {408: Trouble.TIMEOUT, 409: Trouble.BROKEN, 504: Trouble.TIMEOUT}
_TROUBLES |= dict.fromkeys((425, 429, 502, 503, 529), Trouble.BUSY)
_THINKING = ("reasoning_content", "reasoning")
_REFUSALS = (401, 402, 403, 404, 405)


@dataclass(frozen=True)
class ServerCompletion:
    """A completion as the server sent it; a server with a reasoning parser separates the thinking."""

    content: str | None
    """None if the text ends inside the thinking."""
    thinking: str | None
    """None if there is none, or if it is part of `content`."""
    finish_reason: str
    n_tokens: int | None
    model: str | None


@dataclass(frozen=True)
class Refusal:
    """An error that every other request would get too: a wrong key, model or address."""

    status: int
    message: str


@dataclass(frozen=True)
class LowerLimit:
    """The request fits if it asks for at most `max_tokens`; `always`: that limit holds for every prompt."""

    max_tokens: int
    always: bool


class LimitRenamed:
    """The server wants `max_completion_tokens` instead of `max_tokens`."""


ChatAnswer = ServerCompletion | RequestError | Failure | Refusal | LowerLimit | LimitRenamed


class ChatFormat:
    """Makes bodies for one model and its sampling; raises Fatal(2) if `extra` names a field that libra sets."""

    def __init__(self, model: str, sampling: Sampling, chat_template_args: Mapping[str, Any], extra: Mapping[str, Any]):
        taken = [name for name in _OWN if name in {**sampling.extra, **extra}]
        if taken:
            raise Fatal(Exit.USAGE, f"--engine-arg {taken[0]}: libra sets it from its own options; leave it out")
        self.max_tokens, self.limit_name = sampling.max_tokens, "max_tokens"
        self._model = model
        self._chat: Body = {"chat_template_kwargs": dict(chat_template_args)} if chat_template_args else {}
        self._chat |= {"chat_template": extra["chat_template"]} if "chat_template" in extra else {}
        self._fixed: Body = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        given = {"top_k": sampling.top_k, "min_p": sampling.min_p, "stop": list(sampling.stop) or None}
        self._fixed |= {name: value for name, value in given.items() if value is not None}
        self._fixed |= {**self._chat, **sampling.extra, **extra}

    def body(self, request: Request, max_tokens: int | None = None) -> Body:
        """The body of one request; `max_tokens` lowers the limit if its prompt leaves less room than usual."""
        limit = self.max_tokens if max_tokens is None else min(max_tokens, self.max_tokens)
        own: Body = {"model": self._model, self.limit_name: limit, "seed": request.seed}
        return {**own, **self._fixed, **self._conversation(request)}

    def tokenize_body(self, request: Request, with_prefill: bool) -> Body:
        """The body for vLLM's `/tokenize`, which shows the server's rendering of the messages."""
        conversation = self._conversation(request) if with_prefill else {"messages": request.messages}
        return {"model": self._model, **self._chat, **conversation}

    def _conversation(self, request: Request) -> Body:
        if not request.prefill:
            return {"messages": request.messages}
        # Outside the standard: vLLM, SGLang and others continue a last message of the assistant with these flags.
        messages = [*request.messages, {"role": "assistant", "content": request.prefill}]
        return {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}


def read_chat_answer(status: int, headers: Mapping[str, str], content: bytes, body: Body) -> ChatAnswer:
    """The meaning of an HTTP answer to `body`; raises Fatal if it ends the run."""
    if 200 <= status < 300:
        return _completion(content)
    general = general_error(status, headers, content)
    if general is not None:
        return general
    message, code = error_of(content, status)
    if "max_completion_tokens" in message and "instead" in message and "max_tokens" in body:
        return LimitRenamed()
    error = request_error(status, message, code)
    if error.kind == "prompt_too_long":
        # If the prompt fits, and only prompt and max_tokens together do not, the server accepts a lower limit.
        context, prompt = _CONTEXT.search(message), _PROMPT.search(message)
        room = int(context[1]) - (int(prompt[1]) if prompt else 0) if context else 0
        if 0 < room < (body.get("max_tokens") or body["max_completion_tokens"]):
            return LowerLimit(room, always=prompt is None)
    return error


def general_error(status: int, headers: Mapping[str, str], content: bytes) -> Failure | Refusal | None:
    """The meaning of an HTTP error that any request would meet; None if the error is about this request.

    The same for every endpoint. Raises Fatal for a redirect, and for an account without credit.
    """
    message, code = error_of(content, status)
    if status in (301, 302, 303, 307, 308):
        # Never followed: the key and the prompts go to the address that was given, and nowhere else.
        target = headers.get("location", "elsewhere").partition("?")[0]
        raise Fatal(Exit.USAGE, f"the server redirects to {target}; if you trust that address, give it as --base-url")
    if code == "insufficient_quota":
        raise Fatal(
            Exit.BACKEND, f"the account has no credit left ({message}); add some, and the same command continues"
        )
    if status in _TROUBLES or status >= 500:
        return Failure(_TROUBLES.get(status, Trouble.BROKEN), message, retry_after(headers.get("retry-after")))
    return Refusal(status, message) if status in _REFUSALS else None


def request_error(status: int, message: str, code: str) -> RequestError:
    """The error of the one request that a server refuses."""
    if code == "context_length_exceeded" or status == 413 or _TOO_LONG.search(message) or _CONTEXT.search(message):
        return RequestError("prompt_too_long", f"{message}; leave the row out or use a longer context")
    return RequestError("bad_request", f"the server refuses the request: {message}")


def json_answer(content: bytes) -> dict[str, Any] | Failure:
    """The JSON object that a server answered with."""
    try:
        answer = json.loads(content)
    except ValueError:
        return Failure(Trouble.BROKEN, "the reply is truncated or not JSON")
    if not isinstance(answer, dict):
        return Failure(Trouble.BROKEN, "the answer is not a JSON object")
    if answer.get("error"):  # some gateways report errors of the server behind them like this
        return Failure(Trouble.BROKEN, error_of(content, 200)[0])
    return answer


def _completion(content: bytes) -> ServerCompletion | RequestError | Failure:
    answer = json_answer(content)
    if isinstance(answer, Failure):
        return answer
    choices = answer.get("choices")
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        return RequestError("no_choice", "the server answered without a choice; run the same command again")
    message = choices[0].get("message") or {}
    reason = str(choices[0].get("finish_reason") or "stop")
    if reason in ("abort", "error"):
        return Failure(Trouble.BROKEN, f"the server ended the request with {reason!r}")
    text = message["content"] if isinstance(message.get("content"), str) else None
    thinking = next((message[name] for name in _THINKING if isinstance(message.get(name), str)), None)
    if text is None and thinking is None:
        cause = f"the server answered without text (finish_reason {reason!r})"
        return RequestError("no_content", f"{cause}; see the prompt")
    if thinking and not text and reason == "length":
        text = None  # cut inside the thinking; some servers report that as an empty text
    n_tokens = (answer.get("usage") or {}).get("completion_tokens")
    return ServerCompletion(text, thinking or None, reason, n_tokens, answer.get("model"))


def with_thinking(completion: ServerCompletion, markers: tuple[str, str], prefill: str) -> str:
    """The whole text as the model generated it, its thinking included; thinking that did not end stays open."""
    if completion.thinking is None:
        return prefill + (completion.content or "")
    opening, closing = markers
    opened = opening in prefill and closing not in prefill
    text = prefill + ("" if opened else f"{opening}\n") + completion.thinking.strip("\n")
    return text if completion.content is None else f"{text}\n{closing}\n\n" + completion.content.lstrip("\n")


def error_of(content: bytes, status: int) -> tuple[str, str]:
    """The server's own message in one line, and its code."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    error = answer.get("error", answer) if isinstance(answer, dict) else None
    error = error if isinstance(error, dict) else {"message": error}
    message = error.get("message") or error.get("detail") or content.decode("utf-8", "replace")
    text = " ".join(str(message).split())[:_SHOWN].rstrip(".")
    name = f"{status} {responses.get(status, 'error')}"
    return f"{name}: {text}" if text else name, str(error.get("code") or error.get("type") or "")
