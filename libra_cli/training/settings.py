"""What a training run is told, in the groups that every trainer shares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeVar

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
class DataSettings:
    """Which rows are learned from, and what of them."""

    inputs: tuple[str, ...] = ()
    eval_data: tuple[str, ...] = ()
    chat_template: str | None = None
    chat_template_arg: tuple[tuple[str, Any], ...] = ()
    assistant: Literal["template", "verbatim"] = "template"
    learn: Literal["last", "all"] = "last"
    too_long: Literal["drop", "refuse"] = "drop"
    max_length: int = 32_768
    errors: str | None = None
    workers: int = 1


@dataclass(frozen=True)
class OptimizerSettings:
    """How weights move."""

    optimizer: str = "adamw"
    lr: float = 1e-5
    min_lr: float | None = None
    """None: a tenth of `lr`."""
    schedule: str = "cosine"
    warmup: float = 0.03
    clip: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    @property
    def floor(self) -> float:
        """The learning rate of the last step."""
        return self.lr / 10 if self.min_lr is None else self.min_lr


@dataclass(frozen=True)
class EngineSettings:
    """How the model, its gradients and its optimiser are spread over the ranks."""

    zero: int | None = None
    """None: the least that such a run needs (`engine.zero_stage`)."""
    offload: str = "none"
    sequence_parallel: int = 1
    deepspeed: str | None = None
    """The user's own configuration, a JSON file."""


LEAST_PASS = 2048
"""Tokens; shorter passes leave a device waiting for the next call more than computing."""


@dataclass(frozen=True)
class BatchSettings:
    """What a step learns from."""

    batch_size: int = 256
    epochs: float = 3.0
    max_steps: int | None = None
    max_length: int = 32_768
    micro_tokens: int | None = None
    """Tokens of a forward pass, where it was said."""
    shuffle: bool = True
    seed: int = 0

    @property
    def pass_tokens(self) -> int:
        """Tokens that a forward pass holds: the longest sample has room, and no device idles for want of them."""
        return self.micro_tokens or max(self.max_length, LEAST_PASS)


@dataclass(frozen=True)
class SaveSettings:
    """What is kept, and when."""

    output: str
    save_every: int = 500
    keep: int = 2
    final: str = "last"
    """`last`, or `best` on the held-out samples."""
    save_dtype: str = "auto"
    """Of the final model; `auto`: as it was trained."""
    resume: str = "auto"
    overwrite: bool = False
    eval_every: int | None = None
    score: tuple[str, ...] = ()
    score_every: int | None = None
    score_with: str = ""
    """More options of the judge."""


@dataclass(frozen=True)
class WatchSettings:
    """Who is told what."""

    quiet: bool = False
    log_format: str = "text"
    tensorboard: str | None = None
    wandb: str | None = None


@dataclass(frozen=True)
class SftSettings:
    """Everything that `libra sft` is told."""

    model: ModelSettings
    data: DataSettings
    batch: BatchSettings
    optimizer: OptimizerSettings
    engine: EngineSettings
    save: SaveSettings
    watch: WatchSettings
    grace: float = 30.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SftSettings:
        """From options by their names."""
        return cls(
            take(ModelSettings, options), take(DataSettings, options), take(BatchSettings, options),
            take(OptimizerSettings, options), take(EngineSettings, options), take(SaveSettings, options),
            take(WatchSettings, options), options["grace"],
        )  # fmt: skip

    @property
    def shaping(self) -> dict[str, Any]:
        """What decides the weights, as JSON has it: a run that goes on must have the same."""
        model, batch = asdict(self.model), asdict(self.batch)
        for name in ("packing", "activation_checkpointing", "liger", "trust_remote_code"):
            del model[name]
        del batch["micro_tokens"]
        data = {
            name: getattr(self.data, name)
            for name in ("chat_template", "chat_template_arg", "assistant", "learn", "too_long")
        }
        return json.loads(json.dumps({**model, **data, **batch, **asdict(self.optimizer)}))
