"""The options of every stage that asks a model, as plain data: which models, which engine, and how to sample."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from libra_cli.engines.base import Sampling
from libra_cli.engines.reward.base import ImplicitReward
from libra_cli.exits import InvalidOptions

Options = TypeVar("Options", bound="FromOptions")

TEMPERATURE = {True: 0.6, False: 0.0}
MAX_TOKENS = {True: 32768, False: 4096}
"""Presets of --thinking and --no-thinking (arXiv 2507.21645, appendix on inference)."""

_OPTIONS_OF_THEIR_OWN = {
    "n": "samples", "seed": "seed", "stop": "stop", "temperature": "temperature", "top_p": "top-p", "top_k": "top-k",
    "min_p": "min-p", "max_tokens": "max-tokens",
}  # fmt: skip
"""Sampling parameters that --sampling-arg must not set, and their options."""


class FromOptions:
    """A dataclass whose fields are options of the same names."""

    @classmethod
    def take(cls: type[Options], values: dict[str, Any], **given: Any) -> Options:
        """Moves its own options out of `values`; `given` are those that the stage does not offer."""
        names = [field.name for field in fields(cls) if field.name in values]  # type: ignore[arg-type]
        return cls(**{name: values.pop(name) for name in names}, **given)


@dataclass(frozen=True)
class EngineOptions(FromOptions):
    """Which models, and how to run them."""

    engine: str
    model: tuple[str, ...]
    model_name: tuple[str, ...]
    revision: str | None
    dtype: str
    max_model_len: int | None
    trust_remote_code: bool
    chat_template: str | None
    chat_template_arg: tuple[tuple[str, Any], ...]
    engine_arg: tuple[tuple[str, Any], ...]
    tensor_parallel_size: int | None
    pipeline_parallel_size: int | None
    data_parallel_size: int | None
    concurrency: int | None
    batch_size: int | None
    base_url: tuple[str, ...]
    api_key_env: str | None
    api_key_file: str | None
    request_timeout: float | None
    retry_budget: float | None
    max_response_bytes: int
    proxy: str | None
    replay: tuple[str, ...]
    header: tuple[str, ...] = ()
    finish_reason: tuple[str, ...] = ()
    """WORD=MEANING: what finish reasons of servers mean."""
    price: tuple[str, ...] = ()
    """What tokens cost on servers."""
    batch_out: str | None = None
    """File to write the requests to, instead of asking a model."""
    batch_in: tuple[str, ...] = ()
    """Files with the results of requests that were written so."""
    flag: str = "model"
    """The name of the option for the models, for messages."""
    naming: str = ""
    """The name of the option for the models' other names, if it is not FLAG-name."""
    scalar: bool | None = None
    """The models give a number (True) or generate text (False); None: as each one's config says."""
    score_index: int | None = None
    """Which output of a reward model's head is its score; None: there is only one."""
    implicit: ImplicitReward | None = None
    """The models are implicit reward models; None: they are not."""


@dataclass(frozen=True)
class SamplingOptions(FromOptions):
    """How to sample responses, and which markers enclose their thinking."""

    samples: int
    seed: int
    thinking: bool
    temperature: float | None
    top_p: float
    top_k: int | None
    min_p: float | None
    max_tokens: int | None
    stop: tuple[str, ...]
    sampling_arg: tuple[tuple[str, Any], ...]
    prefill: str
    thinking_markers: str

    @property
    def defaults(self) -> tuple[str, ...]:
        """The parameters that nobody asked for: a server that refuses one is asked without it."""
        left = {"temperature": self.temperature is None, "top_p": self.top_p == 1, "seed": self.seed == 0}
        return tuple(name for name, is_default in left.items() if is_default)

    @property
    def unset(self) -> tuple[str, ...]:
        """The parameters that --sampling-arg takes away (null), which only a server can do without."""
        return tuple(name for name, value in self.sampling_arg if value is None and name in _OPTIONS_OF_THEIR_OWN)

    def to_sampling(self) -> Sampling:
        """The sampling parameters: the preset of --thinking or --no-thinking, overridden by the options that are given.

        Raises InvalidOptions.
        """
        extra = dict(self.sampling_arg)
        for name, flag in _OPTIONS_OF_THEIR_OWN.items():
            if extra.get(name) is not None:
                raise InvalidOptions(f"--sampling-arg {name}: use --{flag}")
        if "" in self.stop:
            raise InvalidOptions("--stop: an empty text would end every response at its beginning; give a text")
        return Sampling(
            temperature=TEMPERATURE[self.thinking] if self.temperature is None else self.temperature,
            top_p=self.top_p,
            max_tokens=MAX_TOKENS[self.thinking] if self.max_tokens is None else self.max_tokens,
            top_k=self.top_k,
            min_p=self.min_p,
            stop=self.stop,
            extra=extra,
        )
