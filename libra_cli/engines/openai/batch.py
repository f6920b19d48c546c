"""Batches of an OpenAI-compatible server: a request is a line of a file, and so is its result.

The format is that of OpenAI's Batch API, which vLLM (`vllm run-batch`) and other providers read as well.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from libra_cli.engines.base import Completion, Request, RequestError, Sampling
from libra_cli.engines.openai.chat_api import (
    ChatFormat,
    FieldRefused,
    LimitRenamed,
    Refusal,
    ServerCompletion,
    StreamDemanded,
    finished,
    read_chat_answer,
    with_thinking,
)
from libra_cli.engines.openai.credit import NoCredit
from libra_cli.engines.openai.end_words import EndWords
from libra_cli.engines.openai.http_answer import HttpAnswer, decoded
from libra_cli.engines.openai.redaction import Redactor
from libra_cli.engines.openai.retry import Failure, Trouble
from libra_cli.engines.openai.token_limits import LengthRefused, Room, size_of
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.exits import Fatal

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""Of one file, as OpenAI limits it."""
REQUEST_KEYS = ("custom_id", "method", "url", "body")
_LONGEST_ID, _DIGITS = 32, 16
"""Characters of a custom_id that come from the record's id, and of the hash; providers allow 64 in all."""
_AGAIN = "ask it again (--batch-out)"
_HTTP = range(100, 600)
"""The statuses of HTTP."""
_NAMED = re.compile(rb'"custom_id"\s*:\s*"([A-Za-z0-9_-]+)"')
"""The request that a line is about, as BatchFormat names it."""
_HOLDS = re.compile(rb'"(?:response|error)"\s*:')


class BatchFormat:
    """Makes the lines of requests to one model, and reads the lines of their results; arguments as for ChatFormat.

    No server can say what it refuses before the whole batch is done. The limit of tokens goes by the name that models
    with and without reasoning take (`max_completion_tokens`), unless `extra` takes that away.
    """

    def __init__(
        self,
        model: str,
        sampling: Sampling,
        chat_template_args: Mapping[str, Any],
        extra: Mapping[str, Any],
        defaults: Collection[str],
        markers: tuple[str, str],
        usage: TokenUsage | None = None,
        finish_reasons: Mapping[str, str] | None = None,
        note: Callable[[str], None] = lambda _line: None,
    ):
        self._model, self._markers = model, markers
        self._format = ChatFormat(model, sampling, chat_template_args, extra, defaults)
        self._format.streams = False
        if self._format.sends("max_tokens") and self._format.sends("max_completion_tokens"):
            self._format.limit_name = "max_completion_tokens"
        self._usage = TokenUsage() if usage is None else usage
        self._ends, self._note = EndWords(finish_reasons or {}, self._usage), note
        self._told: set[str] = set()

    def describe(self) -> dict[str, Any]:
        """As Engine.describe; each answer names the model that wrote it."""
        unsent = self._format.unsent_sampling
        return {
            "engine": "openai",
            "engine_version": None,
            "model": self._model,
            "revision": None,
            "template_sha256": None,
            **({"unsent": unsent} if unsent else {}),
        }

    def line(self, request: Request) -> dict[str, Any]:
        """The line that asks for one sample."""
        body = self._format.body(request)
        custom_id = self._custom_id(request, body)
        return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}

    def custom_id(self, request: Request) -> str:
        """Identifies a request by its record, sample and body: an answer to another prompt or model is not its own."""
        return self._custom_id(request, self._format.body(request))

    def _custom_id(self, request: Request, body: Mapping[str, Any]) -> str:
        identity = json.dumps([request.record_id, request.sample, request.shows, body], sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGITS]
        name = re.sub(r"[^A-Za-z0-9_-]", "_", request.record_id)[:_LONGEST_ID]
        return f"{name}-{request.sample}-{digest}"

    def read(self, result: Mapping[str, Any], request: Request) -> Completion | RequestError:
        """The answer in the line of a result; errors as those of a server that is asked at once."""
        answer = _http_answer(result)
        self._usage.add(None if isinstance(answer, RequestError) else answer)
        if isinstance(answer, RequestError):
            return answer
        try:
            body = self._format.body(request)
            meant = read_chat_answer(answer, body)
        except Fatal as error:  # one that would end a run with a server: of a batch the other answers count
            return RequestError("refused", str(error))
        if isinstance(meant, ServerCompletion):
            kept = finished(meant, self._format.stops, partial(self._ends.read, tell=self._tell), self._tell)
            text = with_thinking(kept, self._markers, request.prefill)
            return Completion(text, kept.finish_reason, kept.n_tokens, model=kept.model, tool_calls=kept.tool_calls)
        if isinstance(meant, RequestError):
            return meant
        if isinstance(meant, Failure):
            return RequestError(meant.trouble.value, f"{meant.reason}; {_AGAIN}")
        if isinstance(meant, Refusal):
            return RequestError("refused", f"the server refuses the request: {meant.message}")
        if isinstance(meant, LengthRefused):
            return Room(meant.context).batch_error(meant, size_of(body))
        return RequestError("bad_request", f"the server refuses the request: {_demanded(meant, answer)}")

    def _tell(self, line: str) -> None:
        """Tells people about the answers of the batch, once."""
        if line not in self._told:
            self._told.add(line)
            self._note(line)


def as_result(line: bytes) -> dict[str, Any] | None:
    """The result on a line, decoded as a server's answer is; None if it is none, or cannot be read."""
    try:
        fields = decoded(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and is_result(fields) else None


def request_named(line: bytes) -> str | None:
    """The custom_id on a line that cannot be read and is the result of a request all the same; None if it is not."""
    named = _NAMED.search(line) if _HOLDS.search(line) else None
    return named and named[1].decode()


def unreadable(problem: str) -> RequestError:
    """The error of a request whose result cannot be read."""
    return RequestError("bad_response", f"its result cannot be read: {problem}; mend that line, or {_AGAIN}")


def is_result(fields: Mapping[str, Any]) -> bool:
    """Whether a line is that of a result, with an answer or an error."""
    return isinstance(fields.get("custom_id"), str) and ("response" in fields or "error" in fields)


def has_answer(result: Mapping[str, Any]) -> bool:
    """Whether a result is a success: one with a text, not an error or nothing under the status 200."""
    answer = _http_answer(result)
    if not isinstance(answer, HttpAnswer) or not 200 <= answer.status < 300:
        return False
    try:
        return isinstance(read_chat_answer(answer, {}), ServerCompletion)
    except NoCredit:
        return False


def _http_answer(result: Mapping[str, Any]) -> HttpAnswer | RequestError:
    """The HTTP answer that the line of a result holds; an error if the request was never answered."""
    response, error = result.get("response"), result.get("error")
    redact = Redactor([])
    if isinstance(response, Mapping):
        body, status = response.get("body"), response.get("status_code")
        if body is None and error:
            body = {"error": error}
        if type(status) is int and status in _HTTP and body is not None:  # OpenAI writes 0 for what was never answered
            return HttpAnswer(status, {}, json.dumps(body).encode(), None, redact)
    answer = HttpAnswer(500, {}, json.dumps({"error": error or "it holds no response"}).encode(), None, redact)
    message, code = answer.error
    kind = Trouble.TIMEOUT if "expired" in code else Trouble.BROKEN
    reason = message.partition(": ")[2] or message
    return RequestError(kind.value, f"the batch has no answer ({reason}); {_AGAIN}")


def _demanded(demand: FieldRefused | LimitRenamed | StreamDemanded, answer: HttpAnswer) -> str:
    """What the server said, and the option that meets it in the next batch."""
    if isinstance(demand, FieldRefused):
        return f"{demand.message}; --engine-arg {demand.name}=null leaves it out"
    message, _code = answer.error
    if isinstance(demand, LimitRenamed):
        return f"{message}; leave out --engine-arg max_completion_tokens=null"
    return f"{message}; a batch cannot stream, ask the server at once (--base-url)"
