"""vLLM servers as a trainer's sampler: on other GPUs or nodes, with weights that the trainer replaces.

Weights go through vLLM's own weight-transfer API (its endpoints of that name, which a server has with
VLLM_SERVER_DEV_MODE=1): by NCCL between GPUs, else in the bodies of HTTP requests, which `vllm_weight_receiver` reads.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from libra_cli.engines.base import Completion, PromptTooLong, Rendered, Request, RequestError, Requests, Sampling
from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.engines.openai.addresses import server_address
from libra_cli.engines.openai.chat_api import Body, Refusal
from libra_cli.engines.openai.chat_client import ChatClient
from libra_cli.engines.openai.completions_api import GeneratedTokens, completion_body
from libra_cli.engines.openai.endpoints import Endpoint
from libra_cli.engines.openai.retry import Failure, Trouble
from libra_cli.engines.openai.server_request import ServerRequest
from libra_cli.engines.openai.servers import Answered, Servers
from libra_cli.engines.weight_digest import HeldWeight
from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    import torch

HTTP_BACKEND = "libra"
"""The weight-transfer backend of `vllm_weight_receiver`, by its name in --weight-transfer-config."""
NCCL_BACKEND = "nccl"
EXTENSION = "libra_cli.engines.vllm_weight_receiver.WorkerExtension"
SILENCE = 45.0
"""Seconds without any answer after which a server is given up; one that refuses connections is, after GONE."""
GONE = 10.0
_LOOK_EVERY, _LOOK_SECONDS = 2.5, 10.0
_ANSWER_SECONDS = 86_400.0
"""Of one request: those of a whole rollout queue up in the server, and `SILENCE` says whether it is alive."""
_FACT_SECONDS, _WEIGHT_SECONDS = 60.0, 600.0
_OTHER_MODEL = "start it anew with the model that is trained"
_SPELLED = "Zählt 12345 <think>\n\tλ = 7</think> 等 🙂"
"""A text that few tokenizers cut alike."""


@dataclass(frozen=True)
class ServerFacts:
    """What the trainer needs to know of its servers."""

    model: str
    """Their name for the model."""
    max_model_len: int
    """Tokens of a prompt and its response, at most."""
    sequences: int
    """Sequences that all of them generate at once."""
    backend: str
    workers: tuple[int, ...]
    """Workers of each server, which hold a part or a copy of the weights."""
    tells_weights: bool
    """Whether the weights that they compute with can be read."""


class ServerRefused(Fatal):
    """A server is there, and answers a request about weights with an error."""


class WeightTransfer(Protocol):
    """Brings weights to the servers, between the start and the end of an update."""

    def connect(self) -> None:
        """Called once, before the first update."""

    def send(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Sends all weights, in the order of the model."""


def serve_line(backend: str = NCCL_BACKEND) -> str:
    """How a server is started that can sample for a trainer."""
    config = f'--weight-transfer-config \'{{"backend": "{backend}"}}\''
    extension = f" --worker-extension-cls {EXTENSION}" if backend == HTTP_BACKEND else ""
    modes = "--generation-config vllm --logprobs-mode processed_logprobs"
    return f"VLLM_SERVER_DEV_MODE=1 vllm serve MODEL {modes} {config}{extension}"


class VllmServers(Servers):
    """A PolicyEngine of vLLM servers that share the requests; one of the trainer's ranks gives them new weights.

    A server that dies or falls silent ends the run: one that comes back would have other weights.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        sampling: Sampling,
        template: ChatTemplate,
        api_key: str | None,
        note: Callable[[str], None],
    ):
        self._sampling, self._template, self._tell = sampling, template, note
        given = [server_address(url, "--sampler-url") for url in base_urls]
        urls = [url if url.endswith("/v1") else f"{url}/v1" for url in given]
        client = ChatClient(urls, api_key, _ANSWER_SECONDS, None, 256, note, flag="--sampler-url")
        # A server that is gone ends the run soon (`_watch`), so nothing is to be said of further tries.
        super().__init__(template.model.name, client, 64, _ANSWER_SECONDS, lambda _line: None)
        self._server: ServerFacts | None = None
        self._transfer: WeightTransfer | None = None
        self._run_id, self._updates = uuid.uuid4().hex[:12], 0

    # -- what the servers are ------------------------------------------------------------------------------------------

    def facts(self, dtype: str, longest: int, on_gpu: bool) -> ServerFacts:
        """Asks the servers what they are. Raises Fatal(2) if they cannot sample for this trainer, Fatal(6) if one is
        not there.

        `dtype`: as vLLM names it; `longest`: tokens of a prompt and its response.
        """
        found = [self._facts_of(endpoint, dtype, longest, on_gpu) for endpoint in self._endpoints.all]
        for endpoint, other in zip(self._endpoints.all, found, strict=True):
            if (other.model, other.backend) != (found[0].model, found[0].backend):
                what = f"it serves {other.model} and takes weights by {other.backend}"
                cure = "start all servers alike"
                raise Fatal(Exit.USAGE, f"{endpoint.name}: {what}, {self._endpoints.all[0].name} does not; {cure}")
            if not other.tells_weights:
                what = f"its weights cannot be read back without --worker-extension-cls {EXTENSION}"
                self._tell(f"{endpoint.name}: {what}: only log-probabilities prove hand-overs")
        return ServerFacts(
            found[0].model,
            min(each.max_model_len for each in found),
            sum(each.sequences for each in found),
            found[0].backend,
            tuple(each.workers[0] for each in found),
            all(each.tells_weights for each in found),
        )

    def use(self, facts: ServerFacts, ranks: int, transfer: WeightTransfer | None) -> None:
        """Samples from servers of which this is known, beside `ranks` - 1 other ranks; `transfer` is None on those
        that do not give weights."""
        self._server, self._transfer, self._model = facts, transfer, facts.model
        self._concurrency = max(8, 2 * facts.sequences // ranks)

    def _facts_of(self, endpoint: Endpoint, dtype: str, longest: int, on_gpu: bool) -> ServerFacts:
        names = self._run(self._client.models(endpoint.url))
        if not names:
            listed = self._run(self._client.control(endpoint.url, "GET", "/v1/models", None, _FACT_SECONDS))
            if isinstance(listed, Failure):
                cure = f"start it with: {serve_line(NCCL_BACKEND if on_gpu else HTTP_BACKEND)}"
                raise Fatal(Exit.BACKEND, f"{endpoint.name}: {_plain(listed)}; {cure}")
            refusal = Refusal(listed.status, listed.error[0])
            raise Fatal(Exit.USAGE, f"{endpoint.name}: {refusal.message}; {self._run(self._cure(endpoint, refusal))}")
        cure = f"start it with: {serve_line(NCCL_BACKEND if on_gpu else HTTP_BACKEND)}"
        shown = self._json(endpoint, "GET", "/server_info?config_format=json", None, _FACT_SECONDS, cure)
        config: Mapping[str, Any] = shown.get("vllm_config") or {}
        model, transfer = config.get("model_config") or {}, config.get("weight_transfer_config") or {}
        backend = transfer.get("backend")
        wanted = {
            "--generation-config vllm": model.get("generation_config") == "vllm",
            "--logprobs-mode processed_logprobs": model.get("logprobs_mode") == "processed_logprobs",
            "--weight-transfer-config": backend in (NCCL_BACKEND, HTTP_BACKEND),
            f"--dtype {dtype}": model.get("dtype") == f"torch.{dtype}",
            f"--max-model-len {longest}, or more": (model.get("max_model_len") or 0) >= longest,
        }
        missing = [flag for flag, given in wanted.items() if not given]
        if missing:
            raise Fatal(Exit.USAGE, f"{endpoint.name}: this server lacks {', '.join(missing)}; {cure}")
        if backend == NCCL_BACKEND and not on_gpu:
            what = "this server takes weights by NCCL, and the trainer has no GPU"
            raise Fatal(Exit.USAGE, f"{endpoint.name}: {what}; start it with: {serve_line(HTTP_BACKEND)}")
        self._refuse_other_tokenizer(endpoint, names[0])
        workers = int(self._json(endpoint, "GET", "/get_world_size", None, _FACT_SECONDS)["world_size"])
        sequences = int((config.get("scheduler_config") or {}).get("max_num_seqs") or 128)
        tells_weights = (config.get("parallel_config") or {}).get("worker_extension_cls") == EXTENSION
        return ServerFacts(names[0], int(model["max_model_len"]), sequences, str(backend), (workers,), tells_weights)

    def _refuse_other_tokenizer(self, endpoint: Endpoint, name: str) -> None:
        """Raises Fatal(2) if the server cuts a text into other tokens than the trainer."""
        body: Body = {"model": name, "prompt": _SPELLED, "add_special_tokens": False}
        theirs = self._json(endpoint, "POST", "/tokenize", body, _FACT_SECONDS).get("tokens")
        if theirs != self._template.tokenizer.encode(_SPELLED, add_special_tokens=False):
            cure = "serve the model that is trained"
            raise Fatal(Exit.USAGE, f"{endpoint.name}: {name} there has another tokenizer than {self._model}; {cure}")

    def _json(
        self, endpoint: Endpoint, method: str, path: str, body: Body | None, seconds: float, cure: str = ""
    ) -> dict[str, Any]:
        return self._run(self._call(endpoint, method, path, body, seconds, cure))

    async def _call(
        self, endpoint: Endpoint, method: str, path: str, body: Body | None, seconds: float, cure: str = ""
    ) -> dict[str, Any]:
        """The JSON object that an endpoint outside the API answers with; {} for another answer. Raises Fatal."""
        answer = await self._client.control(endpoint.url, method, path, body, seconds)
        cure = cure or "start it again, and the same command continues"
        what = f"{endpoint.name}: {path.partition('?')[0]}"
        if isinstance(answer, Failure):
            raise Fatal(Exit.BACKEND, f"{what}: {_plain(answer)}; {cure}")
        if answer.status != 200:
            status = Exit.USAGE if answer.status in (404, 405) else Exit.BACKEND
            raise ServerRefused(status, f"{what}: {answer.error[0]}; {cure}")
        try:
            fields = answer.json()
        except ValueError:
            fields = None
        return fields if isinstance(fields, dict) else {}

    # -- weights -------------------------------------------------------------------------------------------------------

    def update_weights(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Replaces the weights of all servers; raises Fatal(6), or Fatal(2) if they serve another model."""
        assert self._transfer is not None
        try:
            if not self._updates:
                self._transfer.connect()
            self.everywhere("/pause?mode=abort")  # nothing of this run is at work; what another left there is stale
            self._start_update()
            self._transfer.send(named)
            self._updates += 1
            self.everywhere("/finish_weight_update", {"weight_version": self._version})
        except ServerRefused as refused:
            if self._updates > 1:
                raise
            raise Fatal(Exit.USAGE, f"{str(refused).rpartition(';')[0]}; {_OTHER_MODEL}") from None
        self.everywhere("/reset_prefix_cache")  # it holds keys and values of the old weights
        self.everywhere("/resume")

    @property
    def tells_weights(self) -> bool:
        """Whether all servers let `held_weights` read them."""
        assert self._server is not None
        return self._server.tells_weights

    def held_weights(self, draw: int) -> dict[str, list[list[HeldWeight]]]:
        body: Body = {"method": "held_weights", "kwargs": {"draw": str(draw)}}
        held = {}
        for endpoint in self._endpoints.all:
            workers = self._json(endpoint, "POST", "/collective_rpc", body, _FACT_SECONDS)["results"]
            held[endpoint.name] = [[HeldWeight(*each) for each in worker] for worker in workers]
        return held

    def check_version(self) -> None:
        """Raises Fatal(6) if a server has other weights than it was given last."""
        for endpoint in self._endpoints.all:
            version = self._json(endpoint, "GET", "/weight_info", None, _FACT_SECONDS).get("weight_version")
            if version != self._version:
                what = "its weights are no longer those of this run: it was restarted, or another run uses it"
                raise Fatal(Exit.BACKEND, f"{endpoint.name}: {what}; the same command continues")

    def everywhere(self, path: str, body: Body | None = None, bodies: Sequence[Body] | None = None) -> None:
        """Posts to all servers at once: the same, or to each its own. Raises Fatal for the first that fails."""
        each: Sequence[Body | None] = bodies or [body] * len(self._endpoints.all)

        async def post() -> None:
            calls = zip(self._endpoints.all, each, strict=True)
            await asyncio.gather(*(self._call(one, "POST", path, its, _WEIGHT_SECONDS) for one, its in calls))

        self._run(post())

    @property
    def _version(self) -> str:
        return f"{self._run_id}-{self._updates}"

    def _start_update(self) -> None:
        try:
            self.everywhere("/start_weight_update")
        except ServerRefused as refused:
            if "already active" not in str(refused):
                raise
            self.everywhere("/finish_weight_update")  # a trainer was killed in the middle of an update
            self.everywhere("/start_weight_update")

    def sleep(self) -> None:
        """Does nothing: the servers have devices of their own."""

    def wake(self) -> None:
        """Does nothing."""

    # -- requests ------------------------------------------------------------------------------------------------------

    def render(self, request: Request) -> Rendered:
        prompt = self._template.render(request)
        return Rendered(prompt.text, prompt.token_ids, request.messages)

    def sample_of_each(self, requests: Sequence[Request], max_tokens: int) -> list[list[Completion]]:
        """The completions of the same requests by each server, cut after `max_tokens`. Raises Fatal(6)."""

        async def sample(endpoint: Endpoint, request: Request) -> Completion:
            answer = await self._complete(endpoint, request, max_tokens)
            if isinstance(answer, Completion):
                return answer
            reason = _plain(answer) if isinstance(answer, Failure) else str(answer)
            raise Fatal(Exit.BACKEND, f"{endpoint.name}: {reason}; start it again, and the same command continues")

        async def all_samples() -> list[list[Completion]]:
            one = lambda endpoint: asyncio.gather(*(sample(endpoint, request) for request in requests))  # noqa: E731
            return await asyncio.gather(*map(one, self._endpoints.all))

        return self._guarded(all_samples())

    @property
    def names(self) -> list[str]:
        """Addresses of the servers, for people."""
        return [endpoint.name for endpoint in self._endpoints.all]

    def generate(self, requests: Requests) -> Iterator[Answered | None]:
        watches = [self._loop.create_task(self._watch(endpoint)) for endpoint in self._endpoints.all]
        try:
            for answered in super().generate(requests):
                for watch in watches:
                    if watch.done():
                        watch.result()  # raises
                yield answered
        finally:
            self._end(watches)

    async def _ask(self, sent: ServerRequest, endpoint: Endpoint) -> Completion | RequestError | Failure:
        return await self._complete(endpoint, sent.pending.request, self._sampling.max_tokens)

    async def _complete(
        self, endpoint: Endpoint, request: Request, max_tokens: int
    ) -> Completion | RequestError | Failure:
        assert self._server is not None
        try:
            prompt = self._template.render(request)
        except RequestError as error:
            return error
        room = self._server.max_model_len - len(prompt.token_ids)
        if room < 1:
            return PromptTooLong(len(prompt.token_ids), self._server.max_model_len)
        limit = min(room, max_tokens)
        body = completion_body(self._model, self._sampling, prompt.token_ids, request.seed, limit)
        answer = await self._client.complete(endpoint.url, body)
        if isinstance(answer, Refusal):
            return await self._after_refusal(endpoint, answer)
        if not isinstance(answer, GeneratedTokens):
            return answer
        endpoint.answered(time.monotonic())
        return Completion(
            self._template.decode(prompt.token_ids, answer.token_ids),
            answer.finish_reason,
            len(answer.token_ids),
            prompt.opened_thinking,
            token_ids=answer.token_ids,
            logprobs=answer.logprobs,
        )

    # -- servers that die ----------------------------------------------------------------------------------------------

    async def _watch(self, endpoint: Endpoint) -> None:
        """Returns never; raises Fatal(6) once the server, or the engine inside it, has been silent for too long."""
        heard = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            answer = await self._client.control(endpoint.url, "GET", "/is_paused", None, _LOOK_SECONDS)
            now = time.monotonic()
            if isinstance(answer, Failure) or answer.status != 200:
                gone = isinstance(answer, Failure) and answer.trouble is Trouble.UNREACHABLE
                reason = _plain(answer) if isinstance(answer, Failure) else answer.error[0]
                if now - heard >= (GONE if gone else SILENCE):
                    cure = "start it again, and the same command continues"
                    raise Fatal(Exit.BACKEND, f"{endpoint.name}: the sampler is gone ({reason}); {cure}")
            else:
                heard = now

    def _guarded(self, work: Any) -> Any:
        """The result of `work`, unless a server dies meanwhile."""

        async def guarded() -> Any:
            watches = [asyncio.ensure_future(self._watch(endpoint)) for endpoint in self._endpoints.all]
            task = asyncio.ensure_future(work)
            try:
                await asyncio.wait([task, *watches], return_when=asyncio.FIRST_COMPLETED)
                for watch in watches:
                    if watch.done():
                        watch.result()  # raises
                return await task
            finally:
                for each in (task, *watches):
                    each.cancel()
                await asyncio.gather(task, *watches, return_exceptions=True)

        return self._run(guarded())

    def _end(self, watches: Sequence[asyncio.Task[None]]) -> None:
        for watch in watches:
            watch.cancel()
        self._run(asyncio.wait(watches))
        for watch in watches:
            if not watch.cancelled():
                watch.exception()  # retrieved, or asyncio warns


def _plain(failure: Failure) -> str:
    """Why an answer is missing; no option sets the time that a server has here."""
    return failure.reason.removesuffix(" (--request-timeout)")
