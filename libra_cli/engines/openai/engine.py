"""Any OpenAI-compatible server (vLLM, `transformers serve`, hosted) of a model that writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libra_cli.engines.base import Completion, Rendered, Request, Sampling
from libra_cli.engines.chat import ends_inside
from libra_cli.engines.openai.chat_api import ChatFormat, LimitRenamed, Refusal, Smaller, Written, joined
from libra_cli.engines.openai.chat_client import ChatClient, Facts
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.retry import Backoff, Failure
from libra_cli.engines.openai.servers import RETRY_BUDGET, Flight, Servers
from libra_cli.stream.rows import RowError
from libra_cli.tasks.thinking import DEFAULT

QUEUE_SECONDS, SECONDS_PER_TOKEN = 600.0, 0.1
"""A request may take 10 minutes for its queue and prompt and 0.1 s for each token that it asks for."""


class OpenAIEngine(Servers):
    """Servers that answer `POST BASE_URL/chat/completions`; several base URLs share the load.

    `timeout` of one request: by default QUEUE_SECONDS + SECONDS_PER_TOKEN for each of the most tokens it may write.
    `extra` goes into every body as it is; `note` takes lines for people.
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
        retry_budget: float = RETRY_BUDGET,
        chat_template_args: Mapping[str, Any] | None = None,
        markers: tuple[str, str] = DEFAULT,
        extra: Mapping[str, Any] | None = None,
        proxy: str | None = None,
        note: Callable[[str], None] = lambda _line: None,
        backoff: Backoff | None = None,
    ):
        self._markers = markers
        self._format = ChatFormat(model, sampling, chat_template_args or {}, extra or {})
        seconds = timeout or QUEUE_SECONDS + SECONDS_PER_TOKEN * sampling.max_tokens
        client = ChatClient(base_urls, api_key, seconds, proxy, concurrency, note)
        super().__init__(model, client, concurrency, retry_budget, note, backoff)

    def render(self, request: Request) -> Rendered:
        """The messages, and where the server shows it (vLLM does) what its chat template makes of them."""
        endpoint = self._endpoints.all[0]
        self._run(self._learn(endpoint, request))
        text, ids = self._prompt(endpoint, self._format.tokenize_body(request, with_prefill=True))
        return Rendered(text, ids, request.messages)

    async def _ask(self, flight: Flight, endpoint: Endpoint) -> Completion | RowError | Failure:
        request: Request = flight.job.work
        while True:
            found = await self._client.ask(endpoint.url, self._format.body(request, flight.max_tokens))
            if isinstance(found, Failure):
                return found
            now = time.monotonic()
            if isinstance(found, Refusal):
                return await self._after_refusal(endpoint, found)
            endpoint.answered(now)
            if isinstance(found, Written):
                await self._learn(endpoint, request)
                self._reported = found.model or self._reported
                text = joined(found, self._markers, request.prefill)
                return Completion(text, found.finish_reason, found.n_tokens, self._facts.opened_thinking)
            if isinstance(found, RowError):
                return found
            self._adapt(flight, found)

    def _adapt(self, flight: Flight, found: Smaller | LimitRenamed) -> None:
        """Asks as the server wants to be asked."""
        if isinstance(found, LimitRenamed):
            self._format.limit_name = "max_completion_tokens"
        elif not found.always:
            flight.max_tokens = found.max_tokens
        elif found.max_tokens < self._format.max_tokens:
            self._format.max_tokens = found.max_tokens
            self._note(f"{self._model} can write {found.max_tokens} tokens at most; --max-tokens is lowered to that")

    async def _study(self, endpoint: Endpoint, version: str | None, request: Request) -> Facts:
        """Also whether its chat template opens the thinking, where it shows that (vLLM does)."""
        return Facts(version, None if version is None else await self._opens_thinking(endpoint, request))

    async def _opens_thinking(self, endpoint: Endpoint, request: Request) -> bool | None:
        shown = await self._client.prompt(endpoint.url, self._format.tokenize_body(request, with_prefill=False))
        return None if shown is None else ends_inside(shown[0], request.messages[-1]["content"].strip(), self._markers)
