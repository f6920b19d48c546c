"""Scalar reward models: their requests and answers, and how to recognise them by their config."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from libra_cli.engines.architectures import config_of, has_head, unread_head
from libra_cli.engines.base import LocalModel, Messages, Pending, Rendered, RequestError, Requests
from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    from libra_cli.engines.chat_template import ChatTemplate


@dataclass(frozen=True)
class RewardRequest:
    """One conversation to score; the response is its last message."""

    messages: Messages
    record_id: str
    number: int
    """Index of the response in its record."""
    tools: Sequence[Any] | None = None
    """Descriptions of the tools that the model of the response had, for the chat template."""
    template_args: Mapping[str, Any] = field(default_factory=dict)
    """Variables for the chat template, if it has them: they may be those of another model's."""

    @property
    def conversation(self) -> str:
        """All that the score depends on, as JSON: requests with equal ones get one score."""
        return json.dumps((self.messages, self.tools, self.template_args), default=repr)


@dataclass(frozen=True)
class Reward:
    """The score of one response."""

    value: float
    """The output of the head, before any sigmoid or softmax; always finite. Of an implicit reward model: its reward."""
    n_tokens: int
    """Length of the conversation as the model read it."""
    steps: tuple[float, ...] | None = None
    """Rewards of the steps of the response, which add up to `value`; None from a head."""


@dataclass(frozen=True)
class ImplicitReward:
    """How two models become a reward: beta (log pi(y) - log pi_ref(y)), over the tokens of a step or a response."""

    reference: str
    """A directory, a name on a model hub, or an embedded model."""
    beta: float
    separator: str
    """A step ends behind it, and with the response."""


class RewardEngine(Protocol):
    """One loaded reward model; as engines.base.Engine, with RewardRequests in and Rewards out."""

    def describe(self) -> dict[str, Any]:
        """As Engine.describe, and `num_labels`: the number of the head's outputs; None until it is known."""
        ...

    def render(self, request: RewardRequest) -> Rendered:
        """The conversation exactly as the model reads it."""
        ...

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Reward | RequestError] | None]: ...

    def close(self) -> None: ...


def conversation(chat: ChatTemplate, request: RewardRequest) -> tuple[str, list[int]]:
    """Text and token ids of the conversation of a request; raises RequestError."""
    return chat.conversation(request.messages, request.tools, chat.known(request.template_args))


def check_head(model: LocalModel, index: int | None) -> None:
    """Raises Fatal(2), before any weights are read, for a model without a reward head or without a clear score.

    A class of the model's own (`...RewardModel`) may have another head than its config describes.
    """
    config = config_of(model.path, model.revision)
    names = ", ".join(map(str, config.get("architectures") or ["no class of models"]))
    if unread := unread_head(model.path, config):
        raise Fatal(Exit.USAGE, f"{model.name}: {unread}")
    if not has_head(config):
        cure = "a reward model's class ends in ForSequenceClassification; leave out --scalar for a model that writes"
        raise Fatal(Exit.USAGE, f"{model.name}: its config.json names {names}, which has no reward head; {cure}")
    if "ForSequenceClassification" in names:
        score_index(model.name, len(config.get("id2label") or range(config.get("num_labels") or 2)), index)


def score_index(model: str, n_labels: int, chosen: int | None) -> int:
    """The index of the score among a head's `n_labels` outputs; raises Fatal(2) if it is not clear."""
    if chosen is None and n_labels != 1:
        cure = f"say which of them is the score: --score-index 0 to {n_labels - 1}"
        raise Fatal(Exit.USAGE, f"{model}: the model's head has {n_labels} outputs; {cure}")
    if chosen is not None and chosen >= n_labels:
        outputs = "one output" if n_labels == 1 else f"{n_labels} outputs"
        raise Fatal(Exit.USAGE, f"--score-index {chosen}: the head of {model} has {outputs}, counted from 0")
    return chosen or 0


def reward_of(value: float, n_tokens: int) -> Reward | RequestError:
    """The answer to a request; a number that overflowed is no score."""
    if math.isfinite(value):
        return Reward(value, n_tokens)
    return RequestError("not_finite", f"the model's score is {value}; use --dtype bfloat16 or float32")
