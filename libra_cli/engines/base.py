"""The contract between engines and their callers: requests in, completions or errors out, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from libra_cli.engines.weight_digest import HeldWeight
from libra_cli.tasks.thinking import DEFAULT

if TYPE_CHECKING:
    import torch

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters. None: not sent; the engine's default applies."""

    temperature: float
    top_p: float
    max_tokens: int
    top_k: int | None = None
    min_p: float | None = None
    stop: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    """Further parameters by the engine's own names (`repetition_penalty`, ...)."""


@dataclass(frozen=True)
class Request:
    """One sample of one prompt."""

    messages: Messages
    seed: int
    """In [0, 2^53). The same seed gives the same sample, whatever else is generated at the same time."""
    record_id: str
    sample: int
    prefill: str = ""
    """Text that the response must begin with; it is part of the completion's text."""
    shows: str = ""
    """Identifies the prompt among several about one record, for the replay engine."""
    record_keys: tuple[str, ...] = ()
    """Other identifiers of the record that the replay engine may find it by, in order of preference."""
    logprobs: bool = False
    """Return the completion's token ids and their log-probabilities."""
    tools: Sequence[Any] | None = None
    """Descriptions of the tools that the model may call, for the chat template."""
    template_args: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the chat template that go before those of the model."""


@dataclass(frozen=True)
class Completion:
    """The text that a model generated for one request."""

    text: str
    """All of it, the thinking and its markers included; special tokens of the chat format excluded."""
    finish_reason: str
    """`stop` or `length`, or the server's own word if it is neither."""
    n_tokens: int | None
    """Generated tokens; None if the engine does not know."""
    opened_thinking: bool | None = None
    """Whether the rendered prompt ended inside the thinking; None if only a server saw it."""
    token_ids: tuple[int, ...] | None = None
    """The T generated tokens, the one that ended the response included; None unless the request asks for `logprobs`."""
    logprobs: tuple[float, ...] | None = None
    """[T] in nats: the log-probability of each token under the distribution that it was sampled from, that is, after
    temperature, min-p, top-k and top-p. At temperature 0: under the model's own distribution (temperature 1). vLLM
    calls this `processed_logprobs`. None unless the request asks for it."""
    model: str | None = None
    """The server's own name of the model that wrote it; None if it gives none, or no server was asked."""
    tool_calls: Sequence[Any] = ()
    """The calls of tools that a server found in what the model wrote; they are not in `text`."""


@dataclass(frozen=True)
class Rendered:
    """A prompt as the model sees it; None if only a server knows."""

    text: str | None
    token_ids: list[int] | None
    messages: Messages


@dataclass(frozen=True)
class LocalModel:
    """A model that this machine loads, and how to load it."""

    name: str
    """As the user gave it; it appears in `provenance`."""
    path: str
    """A directory, or a name on a model hub."""
    revision: str | None = None
    dtype: str = "auto"
    max_model_len: int | None = None
    """Maximum length of prompt and response together, in tokens; None: the model's own limit."""
    trust_remote_code: bool = False
    small: bool = False
    """An embedded miniature: one CPU thread is faster than several, and a few MB of cache are enough."""
    chat_template: str | None = None
    """Jinja text that replaces the model's own chat template."""
    chat_args: Mapping[str, Any] = field(default_factory=dict)
    markers: tuple[str, str] = DEFAULT
    """The markers that open and close the thinking."""
    args: Mapping[str, Any] = field(default_factory=dict)
    """Further engine arguments, by the engine's own names."""


@dataclass(frozen=True, eq=False)
class Pending:
    """A request that has no answer yet. The engine returns it, with the caller's `token` untouched."""

    request: Any
    """A Request, or a RewardRequest for a reward model."""
    token: Any = None
    """Whatever the caller identifies the request by: a row's job, an index."""


class RequestError(Exception):
    """One request cannot be answered: `kind` is a stable word for counting, the message names cause and cure."""

    def __init__(self, kind: str, message: str, attempts: int = 1):
        super().__init__(message)
        self.kind, self.attempts = kind, attempts


class Deferred(RequestError):
    """The request is written to a file, to be answered later."""

    def __init__(self) -> None:
        super().__init__("asked_in_batch", "the request is written to a file, and not sent", attempts=0)


class PromptTooLong(RequestError):
    """The prompt and one token do not fit into the model's context."""

    def __init__(self, n_prompt: int, limit: int):
        cure = "leave the row out or use a longer context"
        super().__init__("prompt_too_long", f"the prompt has {n_prompt} tokens, the context holds {limit}; {cure}")


class Requests(Protocol):
    """Where an engine takes its requests from."""

    @property
    def ended(self) -> bool:
        """Whether no more requests will come."""
        ...

    @property
    def stopping(self) -> bool:
        """A stop is requested: requests that are not at work yet need not begin."""
        ...

    def take(self, wait: float | None) -> Pending | None:
        """The next request; None if the caller wants answers first, nothing came within `wait` seconds, or `ended`.

        An engine with requests at work passes 0; an idle one passes None.
        """
        ...


class RequestList:
    """Requests that are all known beforehand, such as a trainer's."""

    stopping = False

    def __init__(self, pending: Iterable[Pending]):
        self._rest = iter(pending)
        self.ended = False

    def take(self, _wait: float | None) -> Pending | None:
        """The next request; None after the last one."""
        pending = next(self._rest, None)
        self.ended = pending is None
        return pending


class Engine(Protocol):
    """One loaded model that generates text.

    `generate` takes requests, keeps as many at work as it can use, and yields (pending, Completion) or (pending,
    RequestError) as each ends, in any order. While none ends it yields None at least once a second. It returns when the
    requests have ended and all are answered. An engine that breaks as a whole raises Fatal(Exit.BACKEND); a request
    that broke it twice is answered with RequestError("poison", ...).
    """

    def describe(self) -> dict[str, Any]:
        """For `provenance`: `engine`, `engine_version`, `model`, `revision`, `template_sha256` (of the chat template).

        The last two are None if unknown. Complete only after the model has been loaded, that is, after `generate`.
        """
        ...

    def render(self, request: Request) -> Rendered:
        """The prompt exactly as `generate` would feed it."""
        ...

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError] | None]: ...

    def close(self) -> None:
        """Ends processes and frees memory; safe to call twice."""
        ...


class PolicyEngine(Engine, Protocol):
    """An engine whose weights a trainer replaces between calls of `generate`."""

    def update_weights(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Replaces weights by name, as in `named_parameters()` of the transformers model, in the model's order.

        Each tensor has the full shape and stays unchanged until this returns (no reused buffer).
        """
        ...

    def held_weights(self, draw: int) -> dict[str, list[list[HeldWeight]]]:
        """What the engine computes with, read from there: by server ("" for one in this process), then by worker.

        Of a weight that can only be read in part, the part changes with `draw`.
        """
        ...

    def sleep(self) -> None:
        """Frees device memory while nothing is generated; `wake` must come before the next use."""
        ...

    def wake(self) -> None:
        """Takes the device memory back; the weights are undefined until `update_weights`."""
        ...
