"""Settings of a training run, in groups that every trainer composes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

from libra_cli.masking import without_secrets
from libra_cli.training.rewards.judge import shaping_of

T = TypeVar("T")


def take(kind: type[T], options: Mapping[str, Any]) -> T:
    """The group of settings `kind`, from options of the same names."""
    return kind(**{each.name: options[each.name] for each in fields(kind)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class ModelSettings:
    """The model to train."""

    model: str
    from_scratch: bool = False
    """Use its configuration only, with random weights drawn from the seed."""
    tokenizer: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    dtype: str = "auto"
    packing: bool | None = None
    """None: pack if the model allows it."""
    activation_checkpointing: bool = False
    liger: bool = False
    lora_rank: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float = 0.0
    lora_target: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class DataSettings:
    """The rows to train on, and how they become tokens."""

    inputs: tuple[str, ...] = ()
    eval_data: tuple[str, ...] = ()
    chat_template: str | None = None
    chat_template_arg: tuple[tuple[str, Any], ...] = ()
    assistant: Literal["template", "verbatim"] = "template"
    too_long: Literal["drop", "refuse"] = "drop"
    max_length: int = 32_768
    errors: str | None = None
    workers: int = 1


@dataclass(frozen=True)
class OptimizerSettings:
    """The optimizer and its learning rate."""

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
    def final_lr(self) -> float:
        """Learning rate of the last step."""
        return self.lr / 10 if self.min_lr is None else self.min_lr


@dataclass(frozen=True)
class EngineSettings:
    """How model, gradients and optimizer state are distributed over the ranks."""

    zero: int | None = None
    """None: the lowest stage that the run needs (`deepspeed_engine.zero_stage`)."""
    offload: str = "none"
    sequence_parallel: int = 1
    deepspeed: str | None = None
    """The user's own DeepSpeed configuration, a JSON file."""


MIN_MICRO_TOKENS = 2048
"""Default floor of a micro-batch: with fewer tokens a device waits for the next call longer than it computes."""


@dataclass(frozen=True)
class BatchSettings:
    """What a step learns from."""

    batch_size: int = 256
    epochs: float = 3.0
    max_steps: int | None = None
    max_length: int = 32_768
    micro_tokens: int | None = None
    """Tokens of a micro-batch, if given."""
    shuffle: bool = True
    seed: int = 0

    @property
    def micro_batch_tokens(self) -> int:
        """Tokens of a micro-batch: by default the longest sample fits, and at least MIN_MICRO_TOKENS do."""
        return self.micro_tokens or max(self.max_length, MIN_MICRO_TOKENS)


@dataclass(frozen=True)
class SaveSettings:
    """What is saved and evaluated, and when."""

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
    eval_start: bool | None = None
    """Measure the model before the first step, too; None: if the best step is chosen."""
    score: tuple[str, ...] = ()
    score_every: int | None = None
    score_with: str = ""
    """More options for `libra judge`."""


@dataclass(frozen=True)
class WatchSettings:
    """Where the run reports."""

    quiet: bool = False
    log_format: str = "text"
    tensorboard: str | None = None
    wandb: str | None = None


@dataclass(frozen=True)
class TrainSettings:
    """The groups that every trainer has."""

    model: ModelSettings
    data: DataSettings
    batch: BatchSettings
    optimizer: OptimizerSettings
    engine: EngineSettings
    save: SaveSettings
    watch: WatchSettings
    grace: float = 30.0

    @classmethod
    def groups_of(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The shared groups, from options by their names."""
        kinds = {
            "model": ModelSettings,
            "data": DataSettings,
            "batch": BatchSettings,
            "optimizer": OptimizerSettings,
            "engine": EngineSettings,
            "save": SaveSettings,
            "watch": WatchSettings,
        }
        return {**{name: take(kind, options) for name, kind in kinds.items()}, "grace": options["grace"]}

    @property
    def models(self) -> dict[str, str]:
        """The models that the run loads, by the option that names them."""
        return {"--model": self.model.model}

    @property
    def trains_scores(self) -> bool:
        """The model in training gives scores instead of text."""
        return False

    @property
    def shaping(self) -> dict[str, Any]:
        """The settings that determine the weights, as JSON: a run can be continued only with the same."""
        model, batch = asdict(self.model), asdict(self.batch)
        for name in ("packing", "activation_checkpointing", "liger", "trust_remote_code"):
            del model[name]
        del batch["micro_tokens"]
        data = {
            name: getattr(self.data, name) for name in ("chat_template", "chat_template_arg", "assistant", "too_long")
        }
        return json.loads(json.dumps({**model, **data, **batch, **asdict(self.optimizer)}))

    @property
    def recorded(self) -> dict[str, Any]:
        """What is written of `shaping`: all but secrets."""
        recorded: dict[str, Any] = without_secrets(self.shaping)
        return recorded


@dataclass(frozen=True)
class SftSettings(TrainSettings):
    """All settings of `libra sft`."""

    learn: Literal["last", "all"] = "last"
    """The assistant's turns that are targets."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SftSettings:
        """From options by their names."""
        return cls(**cls.groups_of(options), learn=options["learn"])

    @property
    def shaping(self) -> dict[str, Any]:
        """Those of every trainer, and the turns."""
        return {**super().shaping, "learn": self.learn}


@dataclass(frozen=True)
class RolloutSettings:
    """How responses are sampled from the model in training, and how they are graded."""

    prompts: int = 256
    """Prompts of a rollout."""
    samples: int = 8
    """Responses to each prompt: a group."""
    temperature: float = 1.0
    max_tokens: int = 32_768
    """Of a response."""
    task: str | None = None
    template: tuple[tuple[str, str], ...] = ()
    """Files of prompts that replace the built-in ones, by task."""
    system: str | None = None
    thinking_markers: str = "think"
    sampler: str = "auto"
    sampler_arg: tuple[tuple[str, Any], ...] = ()
    sampler_batch_size: int | None = None
    sampler_url: tuple[str, ...] = ()
    """vLLM servers that sample, instead of an engine in the training processes."""
    sampler_ranks: int = 0
    """The last ranks, which sample with servers of their own and do not train."""
    api_key_env: str | None = None
    api_key_file: str | None = None
    old_log_probs: Literal["sampler", "trainer"] = "sampler"
    async_steps: int = 0
    """Steps that learn from a rollout while the next one is sampled."""
    max_gap: float | None = None
    """Largest mean difference, in nats, between the log-probabilities of sampler and trainer; None: by the dtype."""
    refills: int = 0
    """Further rounds of sampling that replace prompts and responses which a filter leaves out."""
    save_rollouts: bool = False
    save_token_ids: bool = False

    @property
    def has_servers(self) -> bool:
        """Whether servers sample, the user's or those of sampling ranks."""
        return bool(self.sampler_url or self.sampler_ranks)

    @property
    def server_devices(self) -> int:
        """Devices, and ranks, of each server of the sampling ranks."""
        return int(dict(self.sampler_arg).get("tensor_parallel_size") or 1)

    @property
    def responses(self) -> int:
        """Responses of a rollout."""
        return self.prompts * self.samples


_SAMPLING_PLACE = ("sampler_arg", "sampler_batch_size", "sampler_url", "sampler_ranks", "api_key_env",
                   "api_key_file", "max_gap", "save_rollouts", "save_token_ids")  # fmt: skip
"""Settings that say where and how responses are sampled, not which: a run continues with others."""


@dataclass(frozen=True)
class GrpoLossSettings:
    """The objective of `libra grpo` (paper, section 5)."""

    policy_loss: str = "clip"
    aggregate: str = "seq-mean-token-mean"
    clip_low: float = 0.2
    clip_high: float = 0.28
    kl: float = 1e-3
    importance_cap: float = 2.0


@dataclass(frozen=True)
class GrpoRunSettings(TrainSettings):
    """All settings of `libra grpo`."""

    rollout: RolloutSettings = RolloutSettings()
    loss: GrpoLossSettings = GrpoLossSettings()
    rewards: Mapping[str, Any] = field(default_factory=dict)
    """The reward recipe; empty: the paper's."""

    rewards_file: str = ""
    """Where the recipe was read from, for messages."""

    @property
    def step_size(self) -> int:
        """Responses of a step."""
        return min(self.batch.batch_size, self.rollout.responses)

    @property
    def rollout_steps(self) -> int:
        """Steps that learn from one rollout."""
        return -(-self.rollout.responses // self.step_size)

    def asked(self, prompts: int) -> int:
        """Prompts asked in `epochs` passes over so many, each time counted."""
        return round(prompts * self.batch.epochs)

    def for_data(self, prompts: int) -> GrpoRunSettings:
        """These settings with rollouts of no more prompts than there are, and than all passes ask."""
        size = min(self.rollout.prompts, prompts, self.asked(prompts))
        return replace(self, rollout=replace(self.rollout, prompts=size))

    def steps_of(self, asked: int) -> int:
        """Steps that learn from so many prompts: from whole rollouts, then from a smaller one with what is left."""
        whole, left = divmod(asked, self.rollout.prompts)
        return whole * self.rollout_steps + math.ceil(left * self.rollout.samples / self.step_size)

    @classmethod
    def of(cls, options: Mapping[str, Any], rewards: Mapping[str, Any], file: str | None = None) -> GrpoRunSettings:
        """From options by their names, and the content of the reward recipe in `file`."""
        return cls(
            **cls.groups_of(options),
            rollout=take(RolloutSettings, options),
            loss=take(GrpoLossSettings, options),
            rewards=rewards,
            rewards_file=file or "",
        )

    @property
    def shaping(self) -> dict[str, Any]:
        """Those of every trainer, and what determines rollouts, rewards and the loss."""
        rollout = asdict(self.rollout)
        for name in _SAMPLING_PLACE:
            del rollout[name]
        more = {**rollout, **asdict(self.loss), "rewards": shaping_of(self.rewards)}
        return json.loads(json.dumps({**super().shaping, **more}))
