"""Answers of a server over HTTP: received and unpacked within a limit, decoded, and without secrets.

A server may send without end, or send few bytes that unpack to many. Whatever it sends, an answer takes a bounded
amount of memory, and what is wrong with it concerns the one request that it answers.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http.client import responses
from typing import Any, Protocol

from libra_cli.engines.base import RequestError
from libra_cli.engines.openai import event_stream
from libra_cli.engines.openai.content_parts import MalformedAnswer
from libra_cli.engines.openai.event_stream import EventStream
from libra_cli.engines.openai.redaction import Redactor
from libra_cli.engines.openai.reported_error import reported

MAX_RESPONSE_BYTES = 16 << 20
"""Beyond any honest response: 131,072 tokens that are escaped in JSON take 2 MB at most."""
CODING = "gzip"
"""The one content coding that libra asks for."""
_MAX_ERROR_BYTES = 1 << 20
"""Of an answer other than 2xx, whose status says what counts."""
_MOST_CODINGS = 4
_PIECE = 64 << 10
_LARGE, _LARGE_AT_ONCE = 1 << 20, 4
"""So many answers at once may be larger than _LARGE bytes; others that want to wait for them."""
_SHOWN = 500
NO_CREDIT = frozenset(
    (
        *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"),  # OpenAI
        *("exceeded_current_quota_error", "budget_exceeded"),  # Moonshot, LiteLLM
        *("arrearage", "accountoverdueerror", "billing_error"),  # DashScope, Ark, Anthropic
        *("insufficient_balance", "insufficient_credits", "insufficient_user_quota"),  # gateways
    )
)
"""Codes and types, in small letters, of an account without credit."""
_STATUSES = {
    **dict.fromkeys(NO_CREDIT, 402),
    **dict.fromkeys(("badrequesterror", "bad_request", "invalid_request_error", "context_length_exceeded"), 400),
    **dict.fromkeys(("exceed_context_size_error", "invalid_parameter", "invalid_request"), 400),
    **dict.fromkeys(("authentication_error", "authenticationerror", "invalid_api_key", "unauthorized"), 401),
    **dict.fromkeys(("permission_error", "permission_denied"), 403),
    **dict.fromkeys(("not_found_error", "notfounderror", "model_not_found"), 404),
    **dict.fromkeys(("rate_limit_error", "ratelimiterror", "rate_limit_exceeded"), 429),
    **dict.fromkeys(("overloaded_error", "service_unavailable"), 503),
    **dict.fromkeys(("api_error", "server_error", "internalservererror", "internal_error"), 500),
}
"""The status for which an error by this code or type stands."""


class HttpResponse(Protocol):
    """The parts of an httpx.Response that are read here; its stream has no content coding undone."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def stream(self) -> AsyncIterable[bytes]: ...


@dataclass(frozen=True)
class HttpAnswer:
    """An answer as the server sent it. Only `words`, `text` and `error` are fit to leave the client."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    refused: RequestError | None
    """Why the content was not read to its end; `content` is empty then."""
    redact: Redactor

    def json(self) -> Any:
        """The decoded content; raises ValueError, MalformedAnswer among it, if it is not JSON."""
        return self._decoded

    @cached_property
    def _decoded(self) -> Any:
        return decoded(self.content)

    def words(self, text: str, limit: int = _SHOWN) -> str:
        """A text of the server's in one line, for people: printable, without secrets, `limit` characters at most."""
        line = " ".join(text.split())
        return self.redact(line if line.isprintable() else "".join(filter(str.isprintable, line)))[:limit].rstrip()

    def text(self, text: str) -> str:
        """A text that a model wrote, without secrets."""
        return self.redact.of_model(text)

    def as_reported(self) -> HttpAnswer:
        """The answer with the status that an error in its content has, where the server had sent 200 before it."""
        if not 200 <= self.status < 300 or self.refused is not None:
            return self
        try:
            answer = self.json()
        except (ValueError, MalformedAnswer):
            return self
        error = reported(answer) if isinstance(answer, dict) else None
        names = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
        statuses = (int(str(name)) if str(name).isdecimal() else _STATUSES.get(str(name).lower(), 0) for name in names)
        own = next((status for status in statuses if 400 <= status < 600), None)
        return self if own is None else replace(self, status=own)

    @cached_property
    def _error_fields(self) -> dict[str, Any]:
        """The object that reports the error; Gemini sends it in a list."""
        try:
            answer = self.json()
        except (ValueError, MalformedAnswer):
            answer = None
        if isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]
        error = (reported(answer) or answer) if isinstance(answer, dict) else None
        return error if isinstance(error, dict) else {"message": error}

    @property
    def error_names(self) -> frozenset[str]:
        """The code and the type of the error, in small letters; either may say what the other does not."""
        names = (self._error_fields.get(name) for name in ("code", "type", "status"))
        return frozenset(name.lower() for name in names if isinstance(name, str))

    @cached_property
    def error(self) -> tuple[str, str]:
        """The server's own message in one line, and its code."""
        error = self._error_fields
        message = error.get("message") or error.get("detail")
        text = self.words(message if isinstance(message, str) else self.content.decode("utf-8", "replace")).rstrip(".")
        code = error.get("code") or error.get("type")
        name = f"{self.status} {responses.get(self.status, 'error')}"
        return f"{name}: {text}" if text else name, code if isinstance(code, str) else ""


def decoded(content: bytes) -> Any:
    """The JSON value that a server wrote; raises ValueError, MalformedAnswer among it.

    Half of a surrogate pair costs no answer: it is kept, and becomes U+FFFD where a row is written.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise MalformedAnswer("it is nested too deeply") from None


def malformed(error: MalformedAnswer) -> RequestError:
    """The error of the request that got such an answer."""
    return RequestError(
        "bad_response", f"the server's answer is malformed: {error}; is it an OpenAI-compatible server?"
    )


class AnswerReader:
    """Reads the content of answers, of at most `max_bytes` as they come and as many when they are unpacked."""

    def __init__(self, max_bytes: int, redact: Redactor):
        self._max_bytes, self._redact = max_bytes, redact
        self._turns = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def read(self, response: HttpResponse) -> HttpAnswer:
        """The whole answer. Raises zlib.error if it cannot be unpacked, and what its connection raises."""
        ok = 200 <= response.status_code < 300
        limit = self._max_bytes if ok else min(self._max_bytes, _MAX_ERROR_BYTES)
        content, refused = b"", None
        try:
            content = await self._content(response, limit)
        except MalformedAnswer as error:
            refused = malformed(error)
        except _TooLarge:
            cause = f"the server's answer is larger than {limit} bytes (--max-response-bytes)"
            refused = RequestError("response_too_large", f"{cause}; raise that limit if the server is honest")
        return HttpAnswer(response.status_code, response.headers, content, refused, self._redact).as_reported()

    async def _content(self, response: HttpResponse, limit: int) -> bytes:
        stream = EventStream() if response.headers.get("content-type", "").startswith(event_stream.TYPE) else None
        content = bytearray()
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise _TooLarge
        unpackers = [_Unpacker(coding, limit) for coding in reversed(_codings(response.headers))]
        received = 0
        taken = False
        try:
            async for chunk in response.stream:
                received += len(chunk)
                if received > limit and stream is None:
                    raise _TooLarge
                for piece in _unpacked(chunk, unpackers):
                    if stream is not None:
                        stream.add(piece)
                        if stream.size > limit:
                            raise _TooLarge
                        continue
                    content += piece
                    if len(content) > limit:
                        raise _TooLarge
                    if len(content) > _LARGE and not taken:
                        taken = await self._turns.acquire()
        finally:
            if taken:
                self._turns.release()
        return bytes(content) if stream is None else stream.content()


class _TooLarge(Exception):
    """The content is larger than the limit."""


class _Unpacker:
    """Undoes one gzip, up to `limit` bytes of output: a later coding may shrink what this one makes large."""

    def __init__(self, coding: str, limit: int):
        if coding not in (CODING, f"x-{CODING}"):
            raise MalformedAnswer(f"its Content-Encoding is another than {CODING}, which alone is asked for")
        self._zlib, self._left = zlib.decompressobj(zlib.MAX_WBITS | 16), limit

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` unpacks to, in pieces of at most _PIECE bytes."""
        if self._zlib.eof:
            return
        piece = self._zlib.decompress(chunk, _PIECE)
        while piece:
            self._left -= len(piece)
            if self._left < 0:
                raise _TooLarge
            yield piece
            piece = self._zlib.decompress(self._zlib.unconsumed_tail, _PIECE)


def _codings(headers: Mapping[str, str]) -> list[str]:
    codings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if len(codings) > _MOST_CODINGS:
        raise MalformedAnswer(f"it is packed {len(codings)} times over")
    return codings


def _unpacked(chunk: bytes, unpackers: list[_Unpacker]) -> Iterator[bytes]:
    if not unpackers:
        yield chunk
        return
    for piece in unpackers[0].pieces(chunk):
        yield from _unpacked(piece, unpackers[1:])
