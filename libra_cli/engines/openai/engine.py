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
    LowerLimit,
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
from libra_cli.engines.openai.servers import ServerRequest, Servers
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
        if endpoint.max_model_len:
            self._lower_limit(endpoint.max_model_len, "tokens, prompt and response together")
        for _demand in range(_DEMANDS):
            answer: Any = await self._client.ask(endpoint.url, self._format.body(request, sent.max_tokens))
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
            endpoint.answered(now, isinstance(answer, (ServerCompletion, RequestError)))
            if isinstance(answer, ServerCompletion):
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
            self._adapt(sent, answer)
            self._usage.asks_again()
        cause = f"the server demanded another form of the request {_DEMANDS} times"
        return RequestError("bad_request", f"{cause}; give a limit that it takes with --max-tokens")

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

    def _adapt(self, sent: ServerRequest, demand: LimitRenamed | StreamDemanded | LowerLimit) -> None:
        """Changes what is sent as the server demands."""
        if isinstance(demand, LimitRenamed):
            self._format.limit_name = "max_completion_tokens"
        elif isinstance(demand, StreamDemanded):
            self._format.streams = True
        elif not demand.always:
            sent.max_tokens = demand.max_tokens
        else:
            self._lower_limit(demand.max_tokens, "tokens at most")

    def _lower_limit(self, max_tokens: int, what: str) -> None:
        """Lowers the limit of every request to what the server can do."""
        if max_tokens < self._format.max_tokens and self._format.sends(self._format.limit_name):
            self._format.max_tokens = max_tokens
            self._note(f"{self._model} has room for {max_tokens:,} {what}; --max-tokens is lowered to that")

    async def _study(self, endpoint: Endpoint, version: str | None, request: Request) -> Facts:
        """Also whether the server's chat template opens the thinking, if it shows that (vLLM does)."""
        if version is None:
            return Facts(version)
        shown = await self._client.prompt(endpoint.url, self._format.tokenize_body(request, with_prefill=False))
        last_content = request.messages[-1]["content"].strip()
        return Facts(version, None if shown is None else ends_inside(shown[0], last_content, self._markers))
