"""What a training run is told, in the groups that every trainer shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")


def take(kind: type[T], options: Mapping[str, Any]) -> T:
    """The group of settings `kind` from options of the same names."""
    return kind(**{field.name: options[field.name] for field in fields(kind)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class ModelSettings:
    """The model that is trained."""

    model: str
    from_scratch: bool = False
    """Its configuration alone, with weights drawn from the seed."""
    tokenizer: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    dtype: str = "auto"
    packing: bool | None = None
    """None: where the model can."""
    activation_checkpointing: bool = False
    liger: bool = False
    lora_rank: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float = 0.0
    lora_target: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class OptimizerSettings:
    """How weights move."""

    lr: float = 1e-5
    min_lr: float = 1e-6
    schedule: str = "cosine"
    warmup: float = 0.03
    clip: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True)
class EngineSettings:
    """How the model, its gradients and its optimiser are spread over the ranks."""

    zero: int | None = None
    """None: 0 on one rank, 2 on several."""
    offload: str = "none"
    sequence_parallel: int = 1
    deepspeed: str | None = None
    """The user's own configuration, a JSON file."""


@dataclass(frozen=True)
class BatchSettings:
    """What a step learns from."""

    batch_size: int = 256
    epochs: float = 3.0
    max_steps: int | None = None
    max_length: int = 32_768
    micro_tokens: int | None = None
    """Tokens of a forward pass; None: as many as the longest sample may have."""
    shuffle: bool = True
    seed: int = 0


@dataclass(frozen=True)
class SaveSettings:
    """What is kept, and when."""

    output: str
    save_every: int | None = None
    keep: int = 2
    resume: str = "auto"
    eval_every: int | None = None
