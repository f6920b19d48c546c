"""The chat-completions format of OpenAI-compatible servers: a request's body, and what an answer means.

Only standard fields are sent unless something else was asked for, because strict servers refuse what they do not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any

from libra_cli.engines.base import Request, Sampling
from libra_cli.engines.openai.retry import Failure, Trouble, retry_after
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.rows import RowError

Body = dict[str, Any]

_OWN = ("messages", "model", "n", "seed", "stream", "temperature", "top_p", "max_tokens", "max_completion_tokens")
"""Fields that have an option of their own, or decide which row an answer belongs to and how it arrives."""
_SHOWN = 500
_TOO_LONG = re.compile(r"context.?(length|window|size)|max_model_len|prompt is too long|too many (input )?tokens", re.I)
_CONTEXT = re.compile(r"(?:context length (?:is|of)|max_model_len\s*=|supports at most)\s*(\d+)", re.I)
_PROMPT = re.compile(r"\b(\d{1,18})(?: tokens)? (?:in the messages|input tokens|from the input)", re.I)
_TROUBLES = {408: Trouble.TIMEOUT, 409: Trouble.BROKEN, 504: Trouble.TIMEOUT}
_TROUBLES |= dict.fromkeys((425, 429, 502, 503, 529), Trouble.BUSY)
_THINKING = ("reasoning_content", "reasoning")
_REFUSALS = (401, 402, 403, 404, 405)


@dataclass(frozen=True)
class Written:
    """What a model wrote; a server with a reasoning parser takes the thinking out of it."""

    content: str | None
    """None where the text ends inside the thinking."""
    thinking: str | None
    """None where there is none, or where it stands in `content`."""
    finish_reason: str
    n_tokens: int | None
    model: str | None


@dataclass(frozen=True)
class Refusal:
    """An answer that every other request would get too: a wrong key, model or address."""

    status: int
    message: str


@dataclass(frozen=True)
class Smaller:
    """The request fits if it asks for no more than `max_tokens`; `always` says that this holds for every prompt."""

    max_tokens: int
    always: bool


class LimitRenamed:
    """The server wants `max_completion_tokens` instead of `max_tokens`."""


Meaning = Written | RowError | Failure | Refusal | Smaller | LimitRenamed


class ChatFormat:
    """Bodies for one model with one way of sampling; raises Fatal(2) where `extra` names a field that is not free."""

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
        """The body of one request; `max_tokens` where its prompt leaves no room for as many as usual."""
        limit = self.max_tokens if max_tokens is None else min(max_tokens, self.max_tokens)
        own: Body = {"model": self._model, self.limit_name: limit, "seed": request.seed}
        return {**own, **self._fixed, **self._conversation(request)}

    def tokenize_body(self, request: Request, with_prefill: bool) -> Body:
        """For vLLM's `/tokenize`, which shows what the chat template makes of the messages."""
        conversation = self._conversation(request) if with_prefill else {"messages": request.messages}
        return {"model": self._model, **self._chat, **conversation}

    def _conversation(self, request: Request) -> Body:
        if not request.prefill:
            return {"messages": request.messages}
        # Not of the standard: vLLM, SGLang and others continue a last message of the assistant when told to.
        messages = [*request.messages, {"role": "assistant", "content": request.prefill}]
        return {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}


def meaning(status: int, headers: Mapping[str, str], content: bytes, body: Body) -> Meaning:
    """What an HTTP answer to `body` means; raises Fatal where it ends the run."""
    if 200 <= status < 300:
        return _success(content)
    return not_its_own(status, headers, content) or _bad_request(status, *error_of(content, status), body)


def not_its_own(status: int, headers: Mapping[str, str], content: bytes) -> Failure | Refusal | None:
    """What an HTTP error means that is not about this one request; None where it is, and Fatal where it ends the run.

    It is the same whatever the server was asked for.
    """
    message, code = error_of(content, status)
    if status in (301, 302, 303, 307, 308):
        # Never followed: the key and the prompts go to the address that was given, and nowhere else.
        where = headers.get("location", "elsewhere").partition("?")[0]
        raise Fatal(Exit.USAGE, f"the server redirects to {where}; if you trust that address, give it as --base-url")
    if code == "insufficient_quota":
        raise Fatal(Exit.BACKEND, f"the account has no credit left ({message}); the same command continues when it has")
    if status in _TROUBLES or status >= 500:
        return Failure(_TROUBLES.get(status, Trouble.BROKEN), message, retry_after(headers.get("retry-after")))
    return Refusal(status, message) if status in _REFUSALS else None


def _bad_request(status: int, message: str, code: str, body: Body) -> Meaning:
    if "max_completion_tokens" in message and "instead" in message and "max_tokens" in body:
        return LimitRenamed()
    asked = body.get("max_tokens") or body["max_completion_tokens"]
    error = own_error(status, message, code)
    return (_smaller(message, asked) if error.kind == "prompt_too_long" else None) or error


def own_error(status: int, message: str, code: str) -> RowError:
    """The error of the one request that a server refuses."""
    if code == "context_length_exceeded" or status == 413 or _TOO_LONG.search(message) or _CONTEXT.search(message):
        return RowError("prompt_too_long", f"{message}; leave the row out or use a longer context")
    return RowError("bad_request", f"the server refuses the request: {message}")


def _smaller(message: str, asked: int) -> Smaller | None:
    """A limit that the server would accept, where only the response asked for is too long and not the prompt."""
    context, prompt = _CONTEXT.search(message), _PROMPT.search(message)
    if context is None:
        return None
    room = int(context[1]) - (int(prompt[1]) if prompt else 0)
    return Smaller(room, always=prompt is None) if 0 < room < asked else None


def _success(content: bytes) -> Written | RowError | Failure:
    answer = answer_of(content)
    if isinstance(answer, Failure):
        return answer
    choices = answer.get("choices")
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        return RowError("no_choice", "the server answered without a choice; run the same command again")
    return _chosen(choices[0], answer)


def answer_of(content: bytes) -> dict[str, Any] | Failure:
    """The JSON object that a server answered with."""
    try:
        answer = json.loads(content)
    except ValueError:
        return Failure(Trouble.BROKEN, "the answer is cut off or not JSON")
    if not isinstance(answer, dict):
        return Failure(Trouble.BROKEN, "the answer is not a JSON object")
    if answer.get("error"):  # some gateways report errors of the server behind them like this
        return Failure(Trouble.BROKEN, error_of(content, 200)[0])
    return answer


def _chosen(choice: Mapping[str, Any], answer: Mapping[str, Any]) -> Written | RowError | Failure:
    message = choice.get("message") or {}
    reason = str(choice.get("finish_reason") or "stop")
    if reason in ("abort", "error"):
        return Failure(Trouble.BROKEN, f"the server ended the request with {reason!r}")
    content = message["content"] if isinstance(message.get("content"), str) else None
    thinking = next((message[name] for name in _THINKING if isinstance(message.get(name), str)), None)
    if content is None and thinking is None:
        return RowError("no_content", f"the server answered without text (finish_reason {reason!r}); see the prompt")
    if thinking and not content and reason == "length":
        content = None  # cut inside the thinking; some servers say so with an empty text
    n_tokens = (answer.get("usage") or {}).get("completion_tokens")
    return Written(content, thinking or None, reason, n_tokens, answer.get("model"))


def joined(written: Written, markers: tuple[str, str], prefill: str) -> str:
    """One text again of what the server took apart, as the model wrote it; thinking that did not end stays open."""
    if written.thinking is None:
        return prefill + (written.content or "")
    opening, closing = markers
    opened = opening in prefill and closing not in prefill
    text = prefill + ("" if opened else f"{opening}\n") + written.thinking.strip("\n")
    return text if written.content is None else f"{text}\n{closing}\n\n" + written.content.lstrip("\n")


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
