"""The openai engine: a model that generates text behind any OpenAI-compatible server (vLLM, hosted, ...)."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from libra_cli.engines.base import Completion, Rendered, Request, RequestError, Sampling
from libra_cli.engines.chat_template import ends_inside
from libra_cli.engines.openai.chat_api import (
    ChatFormat,
    FieldRefused,
    LimitRenamed,
    Refusal,
    ServerCompletion,
    StreamDemanded,
    finished,
    with_thinking,
)
from libra_cli.engines.openai.chat_client import ChatClient, Facts, Header
from libra_cli.engines.openai.end_words import EndWords
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.http_answer import MAX_RESPONSE_BYTES
from libra_cli.engines.openai.retry import Backoff, Failure
from libra_cli.engines.openai.server_request import ServerRequest
from libra_cli.engines.openai.servers import Servers
from libra_cli.engines.openai.token_limits import LengthRefused, Room, asked_in, size_of
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.tasks.thinking import DEFAULT

QUEUE_SECONDS, SECONDS_PER_TOKEN = 600.0, 0.1
"""A request may take 10 minutes for its queue and prompt, and 0.1 s per token that it asks for."""
_DEMANDS = 10
"""How often a request is sent in another form on demand: another limit of tokens, a field less, as a stream."""


class OpenAIEngine(Servers):
    """Servers that answer `POST BASE_URL/chat/completions`; several base URLs share the load.

    `timeout` of one request: by default QUEUE_SECONDS + SECONDS_PER_TOKEN x max_tokens. `extra` goes into every body as
    it is, null in it leaves a field out; `defaults` are the fields that may be left out where a server refuses them;
    `finish_reasons`: what words of the servers mean; `note` takes lines for people. Log-probabilities are never
    returned: not every server has them.
    """

    def __init__(
        self,
        model: str,
        base_urls: Sequence[str],
        sampling: Sampling,
        *,
        concurrency: int = 64,
        api_key: str | None = None,
        timeout: float | None = None,
        retry_budget: float | None = None,
        chat_template_args: Mapping[str, Any] | None = None,
        markers: tuple[str, str] = DEFAULT,
        extra: Mapping[str, Any] | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        proxy: str | None = None,
        note: Callable[[str], None] = lambda _line: None,
        backoff: Backoff | None = None,
        defaults: Collection[str] = (),
        headers: Sequence[Header] = (),
        usage: TokenUsage | None = None,
        finish_reasons: Mapping[str, str] | None = None,
    ):
        self._markers = markers
        self._usage = usage = TokenUsage() if usage is None else usage
        self._ends = EndWords(finish_reasons or {}, usage)
        self._told: set[str] = set()
        """Lines that people were told."""
        self._rooms: dict[str, Room] = {}
        """By the address of a server."""
        self._format = ChatFormat(model, sampling, chat_template_args or {}, extra or {}, defaults)
        seconds = timeout or QUEUE_SECONDS + SECONDS_PER_TOKEN * sampling.max_tokens
        client = ChatClient(
            base_urls, api_key, seconds, proxy, concurrency, note, max_response_bytes, headers=headers, usage=usage
        )
        super().__init__(model, client, concurrency, retry_budget, note, backoff)

    def render(self, request: Request) -> Rendered:
        """The messages, and the server's rendering of them if it shows it (vLLM does)."""
        endpoint = self._endpoints.all[0]
        self._run(self._learn(endpoint, request))
        text, ids = self._prompt(endpoint, self._format.tokenize_body(request, with_prefill=True))
        return Rendered(text, ids, request.messages)

    async def _ask(self, sent: ServerRequest, endpoint: Endpoint) -> Completion | RequestError | Failure:
        request: Request = sent.pending.request
        room, first = self._room(endpoint), 0
        for demand in range(_DEMANDS):
            body = self._body(room, sent)
            first = first or asked_in(body)
            answer: Any = await self._client.ask(endpoint.url, body)
            if isinstance(answer, Failure):
                return answer
            now = time.monotonic()
            if isinstance(answer, FieldRefused):
                answer = self._without_field(endpoint, answer)
                if answer is None:
                    self._usage.asks_again()
                    continue
            if isinstance(answer, Refusal):
                return await self._after_refusal(endpoint, answer)
            if isinstance(answer, LengthRefused):
                size = size_of(body)
                sent.max_tokens = room.lower(answer, size, demand)
                self._tell_room(room)
                answer = answer if sent.max_tokens else room.error(answer, size, first)
            endpoint.answered(now, isinstance(answer, (ServerCompletion, RequestError)))
            if isinstance(answer, ServerCompletion):
                room.took(asked_in(body), None if sent.max_tokens is None else size_of(body))
                self._tell_room(room)
                await self._learn(endpoint, request)
                self._reported = answer.model or self._reported
                tell = partial(self._tell, endpoint)
                kept = finished(answer, self._format.stops, partial(self._ends.read, tell=tell), tell)
                text = with_thinking(kept, self._markers, request.prefill)
                return Completion(
                    text,
                    kept.finish_reason,
                    answer.n_tokens,
                    self._facts.opened_thinking,
                    model=answer.model,
                    tool_calls=kept.tool_calls,
                )
            if isinstance(answer, RequestError):
                return answer
            self._adapt(answer)
            self._usage.asks_again()
        cause = f"the server demanded another form of the request {_DEMANDS} times"
        return RequestError("bad_request", f"{cause}; leave out what it refuses with --engine-arg FIELD=null")

    def _body(self, room: Room, sent: ServerRequest) -> dict[str, Any]:
        """The body of a request, with the limit of tokens that its server may take."""
        body = self._format.body(sent.pending.request, sent.max_tokens)
        if sent.max_tokens is not None:
            return body
        limit = room.limit(asked_in(body), size_of(body) if room.is_strict else 0)
        return self._format.body(sent.pending.request, limit) if limit < asked_in(body) else body

    def _room(self, endpoint: Endpoint) -> Room:
        """What is known of a server; nothing but its list of models if that states another context than before."""
        room = self._rooms.get(endpoint.url)
        if room is None or room.stated != endpoint.max_model_len:
            room = self._rooms[endpoint.url] = Room(endpoint.max_model_len)
            self._tell_room(room)
        return room

    def _tell_room(self, room: Room) -> None:
        """Tells people to what the limit of every request is lowered, once."""
        asked = self._format.max_tokens
        if not self._format.sends(self._format.limit_name):
            return
        if room.most is not None and room.most < asked:
            line = f"{self._model} takes {room.most:,} tokens of a response at most; --max-tokens is lowered to that"
        elif room.context is not None and room.context < asked + room.is_strict:
            held = f"{self._model} has room for {room.context:,} tokens, prompt and response together"
            line = f"{held}; --max-tokens is lowered to {'what each prompt leaves of it' if room.is_strict else 'that'}"
        else:
            return
        if line not in self._told:
            self._told.add(line)
            self._note(line)

    def _tell(self, endpoint: Endpoint, line: str) -> None:
        """Tells people about the answers of a server, once."""
        if line not in self._told:
            self._told.add(line)
            self._note(f"{endpoint.name}: {line}")

    def _without_field(self, endpoint: Endpoint, refused: FieldRefused) -> Refusal | RequestError | None:
        """Leaves out a field that a server refuses, if nobody asked for it; else what that means for the request."""
        cure = f"--engine-arg {refused.name}=null leaves it out"
        if not self._format.sends(refused.name):  # another request has found out since this one was sent
            return None
        if endpoint.has_answered:  # it took the field before
            return RequestError("bad_request", f"the server refuses the request: {refused.message}; {cure}")
        if not self._format.leave_out(refused.name):
            return Refusal(400, refused.message, cure)
        self._note(f"{endpoint.name}: {refused.message}; it is asked without {refused.name}")
        return None

    def describe(self) -> dict[str, Any]:
        """As `Servers.describe`; `unsent` are sampling parameters that the server was not given."""
        unsent = self._format.unsent_sampling
        return {**super().describe(), **({"unsent": unsent} if unsent else {})}

    def _adapt(self, demand: LimitRenamed | StreamDemanded | LengthRefused) -> None:
        """Changes what is sent as the server demands."""
        if isinstance(demand, LimitRenamed):
            self._format.limit_name = "max_completion_tokens"
        elif isinstance(demand, StreamDemanded):
            self._format.streams = True

    async def _study(self, endpoint: Endpoint, version: str | None, request: Request) -> Facts:
        """Also whether the server's chat template opens the thinking, if it shows that (vLLM does)."""
        if version is None:
            return Facts(version)
        shown = await self._client.prompt(endpoint.url, self._format.tokenize_body(request, with_prefill=False))
        last_content = request.messages[-1]["content"].strip()
        return Facts(version, None if shown is None else ends_inside(shown[0], last_content, self._markers))
