"""Reward models behind vLLM servers, through `/classify`, which is not part of the OpenAI-compatible API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libra_cli.engines.base import Rendered, RequestError
from libra_cli.engines.openai.chat_api import Refusal
from libra_cli.engines.openai.chat_client import ChatClient, Facts, Header
from libra_cli.engines.openai.content_parts import MalformedAnswer
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.engine import QUEUE_SECONDS
from libra_cli.engines.openai.http_answer import MAX_RESPONSE_BYTES, malformed
from libra_cli.engines.openai.retry import Backoff, Failure
from libra_cli.engines.openai.server_request import ServerRequest
from libra_cli.engines.openai.servers import Servers
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.engines.reward.api import HeadOutputs, RewardFormat
from libra_cli.engines.reward.base import Reward, RewardRequest, reward_of, score_index
from libra_cli.exits import Exit, Fatal

RAW_SINCE = (0, 11, 1)
"""The version of vLLM from which `use_activation` works (pull request 25524); older ones ignore it."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(\.?(?:a|b|rc|dev)\d)?")
"""The numbers of a version, and the beginning of what makes it a pre-release."""


class ServerRewards(Servers):
    """Servers that answer `POST /classify`; failures are retried as for a model that generates text.

    The server applies its own chat template and takes the output at the last token. It would obey control tokens
    inside a message, so a blank is put into each one that a response spells out. `timeout` defaults to QUEUE_SECONDS.
    """

    def __init__(
        self,
        model: str,
        base_urls: Sequence[str],
        index: int | None = None,
        *,
        concurrency: int = 64,
        api_key: str | None = None,
        timeout: float | None = None,
        retry_budget: float | None = None,
        chat_template_args: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        proxy: str | None = None,
        note: Callable[[str], None] = lambda _line: None,
        backoff: Backoff | None = None,
        headers: Sequence[Header] = (),
        usage: TokenUsage | None = None,
    ):
        self._index = index
        self._n_labels: int | None = None
        self._format = RewardFormat(model, chat_template_args or {}, extra or {})
        seconds = timeout or QUEUE_SECONDS
        client = ChatClient(
            base_urls, api_key, seconds, proxy, concurrency, note, max_response_bytes, headers=headers, usage=usage
        )
        super().__init__(model, client, concurrency, retry_budget, note, backoff)

    def describe(self) -> dict[str, Any]:
        named = {} if self._index is None else {"score_index": self._index}
        return {**super().describe(), "num_labels": self._n_labels, **named}

    def render(self, request: RewardRequest) -> Rendered:
        """The messages, and the server's rendering of them if it shows it."""
        endpoint, body = self._endpoints.all[0], self._format.tokenize_body(request)
        self._run(self._learn(endpoint, request))
        return Rendered(*self._prompt(endpoint, body), body["messages"])

    async def _ask(self, sent: ServerRequest, endpoint: Endpoint) -> Reward | RequestError | Failure:
        request: RewardRequest = sent.pending.request
        try:
            body = self._format.body(request)
        except RequestError as error:
            return error
        answer = await self._client.classify(endpoint.url, body)
        if isinstance(answer, Failure):
            return answer
        if isinstance(answer, Refusal):
            return await self._after_refusal(endpoint, answer)
        endpoint.answered(time.monotonic())
        if not isinstance(answer, HeadOutputs):
            return answer
        if self._n_labels not in (None, len(answer.values)):
            counts = f"{len(answer.values)} outputs of the head, and had {self._n_labels} before"
            return malformed(MalformedAnswer(f"it has {counts}"))
        await self._learn(endpoint, request)
        self._reported, self._n_labels = answer.model or self._reported, len(answer.values)
        return reward_of(answer.values[score_index(self._model, self._n_labels, self._index)], answer.n_tokens)

    async def _study(self, endpoint: Endpoint, version: str | None, request: Any) -> Facts:
        match = _VERSION.match(version or "")
        numbers = tuple(int(number or 0) for number in match.groups()[:3]) if match else None
        is_pre_release = match is not None and match[4] is not None  # it may lack what its release has
        if numbers and (numbers < RAW_SINCE or (numbers == RAW_SINCE and is_pre_release)):
            needed = ".".join(map(str, RAW_SINCE))
            cure = f"its sigmoid cannot be turned off; use {needed} or newer, or name the model's directory"
            raise Fatal(Exit.USAGE, f"{endpoint.name}: the server is vLLM {version}: {cure}")
        return await super()._study(endpoint, version, request)

    async def _cure(self, endpoint: Endpoint, refusal: Refusal) -> str:
        if refusal.status in (404, 405) and self._model in (await self._client.models(endpoint.url) or ()):
            return "it has no /classify for this model; serve a reward model with vLLM, or name its directory"
        return await super()._cure(endpoint, refusal)
