"""Scalar reward models: what they are asked, what they answer, and how to tell them from models that write."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from libra_cli import miniature
from libra_cli.cli.engine_options import EngineOptions
from libra_cli.engines.base import LocalModel, Messages, Rendered
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import RowError

_SCALAR = re.compile(r"ForSequenceClassification|Reward")
"""In the name of a model's class; reward models outside the transformers library carry their purpose in it."""


@dataclass(frozen=True)
class RewardRequest:
    """The `work` of a Job for an engine of a reward model: one conversation, the response as its last message."""

    messages: Messages
    record_id: str
    number: int
    """Which of the record's responses it is."""


@dataclass(frozen=True)
class Reward:
    """What a reward model says of a response."""

    value: float
    """The number that the head gives, before any sigmoid or softmax; always finite."""
    n_tokens: int
    """Length of the conversation as the model read it."""


class RewardEngine(Protocol):
    """One loaded reward model; as engines.base.Engine, with RewardRequests for work and Rewards for answers."""

    def describe(self) -> dict[str, Any]:
        """As Engine.describe, and `num_labels`: how many numbers the head gives; None while that is not known."""
        ...

    def render(self, request: RewardRequest) -> Rendered:
        """The conversation exactly as the model reads it."""
        ...

    def generate(self, feed: Feed) -> Iterator[tuple[Job, Reward | RowError] | None]: ...

    def close(self) -> None: ...


def is_scalar(model: str, options: EngineOptions) -> bool:
    """Whether `model` gives a number instead of writing: as --scalar or --generative says, else by its config.json.

    A model behind a server, a recording or an embedded one is taken to write. Raises Fatal where the config of a
    model cannot be read.
    """
    if options.scalar is not None:
        return options.scalar
    if options.base_url or options.replay or options.engine in ("openai", "replay") or miniature.resolve(model):
        return False
    return has_head(_config(model, options.revision))


def has_head(config: Mapping[str, Any]) -> bool:
    """Whether a config.json names a class of models that give a number."""
    return any(_SCALAR.search(str(name)) for name in config.get("architectures") or [])


def _config(model: str, revision: str | None) -> Mapping[str, Any]:
    """The model's config.json; {} where its directory has none, about which the engine says more."""
    path = os.path.join(os.path.expanduser(model), "config.json")
    if not os.path.isdir(os.path.dirname(path)):
        return _config_of_hub(model, revision)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error}); is the model whole?") from None
    return found if isinstance(found, dict) else {}


def _config_of_hub(model: str, revision: str | None) -> Mapping[str, Any]:
    try:
        from transformers import PretrainedConfig
    except ImportError:
        return {}  # the engine says what is missing
    from libra_cli.engines import chat

    chat.quieten()
    try:
        return dict(PretrainedConfig.get_config_dict(model, revision=revision)[0])
    except (OSError, ValueError) as error:
        raise chat.cannot_load(LocalModel(model, model), error) from None


def check_head(model: LocalModel, index: int | None) -> None:
    """Refuses, before any weights are read, a model that has no reward head, or whose score is not known.

    Raises Fatal(2). A class of the model's own (`...RewardModel`) may have another head than its config says.
    """
    config = _config(model.path, model.revision)
    names = ", ".join(map(str, config.get("architectures") or ["no class of models"]))
    if not has_head(config):
        cure = "a reward model's class ends in ForSequenceClassification; leave out --scalar for a model that writes"
        raise Fatal(Exit.USAGE, f"{model.name}: its config.json names {names}, which has no reward head; {cure}")
    if "ForSequenceClassification" in names:
        score_index(model.name, len(config.get("id2label") or range(config.get("num_labels") or 2)), index)


def score_index(model: str, n_labels: int, chosen: int | None) -> int:
    """Which of a head's `n_labels` numbers is the score; raises Fatal(2) where that is not clear."""
    if chosen is None and n_labels != 1:
        cure = f"say which of them is the score: --score-index 0 to {n_labels - 1}"
        raise Fatal(Exit.USAGE, f"{model}: the model's head has {n_labels} outputs; {cure}")
    if chosen is not None and chosen >= n_labels:
        outputs = "one output" if n_labels == 1 else f"{n_labels} outputs"
        raise Fatal(Exit.USAGE, f"--score-index {chosen}: the head of {model} has {outputs}, counted from 0")
    return chosen or 0


def reward_of(value: float, n_tokens: int) -> Reward | RowError:
    """The answer to a request; a number that overflowed is no score."""
    if math.isfinite(value):
        return Reward(value, n_tokens)
    return RowError("not_finite", f"the model's score is {value}; use --dtype bfloat16 or float32")
