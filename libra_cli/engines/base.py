"""What every engine is: messages in, completions out, in any order, with failures named row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import RowError
from libra_cli.tasks.thinking import DEFAULT

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Sampling:
    """How to sample; None leaves an engine's own default out of it: what is None is not sent."""

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
    """The `work` of a Job for an engine: one sample of one prompt."""

    messages: Messages
    seed: int
    """In [0, 2^53), made from stream.rows.seed_for: the same whatever the shard, order or resume."""
    record_id: str
    sample: int
    prefill: str = ""
    """Text that the response must begin with; it is part of the completion's text."""
    shows: str = ""
    """Names which of its record's responses the request is about, where it has several (`engines.replay`)."""


@dataclass(frozen=True)
class Completion:
    """What a model wrote."""

    text: str
    """All of it, the thinking and its markers included, special tokens of the chat excluded."""
    finish_reason: str
    """`stop` or `length`, or the server's own word where it is neither."""
    n_tokens: int | None
    """Generated tokens; None where the engine does not say."""
    opened_thinking: bool | None = None
    """The prompt, as the chat template made it, ended inside the thinking; None where only a server saw it."""


@dataclass(frozen=True)
class Rendered:
    """A prompt as the model sees it; None where only a server knows."""

    text: str | None
    token_ids: list[int] | None
    messages: Messages


@dataclass(frozen=True)
class LocalModel:
    """A model that this machine loads, and how."""

    name: str
    """As the user gave it; it stands in `provenance`."""
    path: str
    """What is loaded: a directory, or a name of a hub."""
    revision: str | None = None
    dtype: str = "auto"
    max_model_len: int | None = None
    """Longest prompt and response together, in tokens; None is the model's own limit."""
    trust_remote_code: bool = False
    small: bool = False
    """An embedded miniature: one CPU thread is faster than several, and a few MB of cache are enough."""
    chat_template: str | None = None
    """Jinja text that replaces the model's own."""
    chat_args: Mapping[str, Any] = field(default_factory=dict)
    markers: tuple[str, str] = DEFAULT
    """What opens and closes the thinking."""
    args: Mapping[str, Any] = field(default_factory=dict)
    """Further engine arguments, by the engine's own names."""


class PromptTooLong(RowError):
    """The prompt and one token do not fit into the model's context."""

    def __init__(self, n_prompt: int, limit: int):
        cure = "leave the row out or use a longer context"
        super().__init__("prompt_too_long", f"the prompt has {n_prompt} tokens, the context holds {limit}; {cure}")


class Engine(Protocol):
    """One loaded model.

    `generate` takes jobs (whose `work` is a Request) from the feed, keeps as many at work as it can use, and yields
    (job, Completion) or (job, RowError) as each ends, in any order, and None at least once a second while nothing does.
    It ends when the feed has ended and all its jobs are answered. An engine that breaks as a whole raises
    Fatal(Exit.BACKEND); a job that broke it twice is answered with RowError("poison", ...).
    """

    def describe(self) -> dict[str, Any]:
        """For `provenance`: `engine`, `engine_version`, `model`, `revision`, `template_sha256` (of the chat template).

        The last two are None where they are not known. It may be asked before `generate`, and says more afterwards.
        """
        ...

    def render(self, request: Request) -> Rendered:
        """The prompt exactly as `generate` would feed it."""
        ...

    def generate(self, feed: Feed) -> Iterator[tuple[Job, Completion | RowError] | None]: ...

    def close(self) -> None:
        """Ends processes and frees memory; safe to call twice."""
        ...
