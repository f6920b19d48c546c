"""The openai engine: a model that generates text behind any OpenAI-compatible server (vLLM, hosted, ...)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libra_cli.engines.base import Completion, Rendered, Request, RequestError, Sampling
from libra_cli.engines.chat_template import ends_inside
from libra_cli.engines.openai.chat_api import (
    ChatFormat,
    LimitRenamed,
    LowerLimit,
    Refusal,
    ServerCompletion,
    with_thinking,
)
from libra_cli.engines.openai.chat_client import ChatClient, Facts
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.http_answer import MAX_RESPONSE_BYTES
from libra_cli.engines.openai.retry import Backoff, Failure
from libra_cli.engines.openai.servers import RETRY_BUDGET, ServerRequest, Servers
from libra_cli.tasks.thinking import DEFAULT

QUEUE_SECONDS, SECONDS_PER_TOKEN = 600.0, 0.1
"""A request may take 10 minutes for its queue and prompt, and 0.1 s per token that it asks for."""
_DEMANDS = 5
"""How often a request is sent with another limit of tokens on demand: of its name, of the model's, of the prompt's."""


class OpenAIEngine(Servers):
    """Servers that answer `POST BASE_URL/chat/completions`; several base URLs share the load.

    `timeout` of one request: by default QUEUE_SECONDS + SECONDS_PER_TOKEN x max_tokens. `extra` goes into every body as
    it is; `note` takes lines for people. Log-probabilities are never returned: not every server has them.
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
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        proxy: str | None = None,
        note: Callable[[str], None] = lambda _line: None,
        backoff: Backoff | None = None,
    ):
        self._markers = markers
        self._format = ChatFormat(model, sampling, chat_template_args or {}, extra or {})
        seconds = timeout or QUEUE_SECONDS + SECONDS_PER_TOKEN * sampling.max_tokens
        client = ChatClient(base_urls, api_key, seconds, proxy, concurrency, note, max_response_bytes)
        super().__init__(model, client, concurrency, retry_budget, note, backoff)

    def render(self, request: Request) -> Rendered:
        """The messages, and the server's rendering of them if it shows it (vLLM does)."""
        endpoint = self._endpoints.all[0]
        self._run(self._learn(endpoint, request))
        text, ids = self._prompt(endpoint, self._format.tokenize_body(request, with_prefill=True))
        return Rendered(text, ids, request.messages)

    async def _ask(self, sent: ServerRequest, endpoint: Endpoint) -> Completion | RequestError | Failure:
        request: Request = sent.pending.request
        for _demand in range(_DEMANDS):
            answer = await self._client.ask(endpoint.url, self._format.body(request, sent.max_tokens))
            if isinstance(answer, Failure):
                return answer
            now = time.monotonic()
            if isinstance(answer, Refusal):
                return await self._after_refusal(endpoint, answer)
            endpoint.answered(now)
            if isinstance(answer, ServerCompletion):
                await self._learn(endpoint, request)
                self._reported = answer.model or self._reported
                text = with_thinking(answer, self._markers, request.prefill)
                return Completion(text, answer.finish_reason, answer.n_tokens, self._facts.opened_thinking)
            if isinstance(answer, RequestError):
                return answer
            self._adapt(sent, answer)
        cause = f"the server demanded another limit of tokens {_DEMANDS} times"
        return RequestError("bad_request", f"{cause}; give one that it takes with --max-tokens")

    def _adapt(self, sent: ServerRequest, demand: LowerLimit | LimitRenamed) -> None:
        """Changes the limit of tokens as the server demands."""
        if isinstance(demand, LimitRenamed):
            self._format.limit_name = "max_completion_tokens"
        elif not demand.always:
            sent.max_tokens = demand.max_tokens
        elif demand.max_tokens < self._format.max_tokens:
            self._format.max_tokens = demand.max_tokens
            self._note(f"{self._model} can write {demand.max_tokens} tokens at most; --max-tokens is lowered to that")

    async def _study(self, endpoint: Endpoint, version: str | None, request: Request) -> Facts:
        """Also whether the server's chat template opens the thinking, if it shows that (vLLM does)."""
        if version is None:
            return Facts(version)
        shown = await self._client.prompt(endpoint.url, self._format.tokenize_body(request, with_prefill=False))
        last_content = request.messages[-1]["content"].strip()
        return Facts(version, None if shown is None else ends_inside(shown[0], last_content, self._markers))
