"""Predicts how long a rollout and its training take on GPUs, from the arithmetic and the bytes that they need.

Sampling reads all weights and the keys and values of all running sequences for every token, or computes, whichever
takes longer (Pope et al. 2022, Efficiently Scaling Transformer Inference); training is arithmetic alone. What hardware
reaches of its published peaks is assumed, in round figures that were not checked on a GPU: this tells one GPU from
eight, and hours from minutes, not 10 % from 20 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.training.monitoring.flops import ModelShape

TRAINING_SHARE, PREFILL_SHARE, BANDWIDTH_SHARE = 0.35, 0.5, 0.6
"""Of the published peaks, that training, reading a prompt, and the memory reach."""
ASSUMED = f"H100s at {TRAINING_SHARE:.0%} of their arithmetic in training and {BANDWIDTH_SHARE:.0%} of their bandwidth"
STEP_OVERHEAD = 0.005
"""Seconds that an engine takes for a token of all running sequences, besides the device's work."""


@dataclass(frozen=True)
class Accelerator:
    """One device."""

    name: str
    flops: float
    """Operations a second in bf16, dense."""
    bandwidth: float
    """Bytes a second of its memory."""
    memory: float
    """Bytes."""


H100 = Accelerator("H100 80 GB", 989e12, 3.35e12, 80e9)


@dataclass(frozen=True)
class RolloutWork:
    """What one rollout asks for."""

    responses: int
    prompt_tokens: float
    """Mean length of a prompt."""
    mean_tokens: float
    longest: int
    """Of a response, at most."""
    reference: bool
    """A frozen model computes log-probabilities, too."""
    recompute: bool
    """Activation checkpointing."""
    frozen: bool
    """Only adapters are trained."""


@dataclass(frozen=True)
class SamplerPlan:
    """How a model is held for sampling: over `tensor_parallel` devices, with `share` of their memory."""

    tensor_parallel: int
    share: float
    bytes: int = 2
    """Of a weight, and of an element of the cache."""


def kv_bytes(config: Any, bytes_each: int = 2) -> int:
    """Bytes of the keys and values of one token in all layers."""
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return int(2 * text.num_hidden_layers * heads * size * bytes_each)


def cache_tokens(shape: ModelShape, kv: int, plan: SamplerPlan, device: Accelerator) -> int:
    """Tokens whose keys and values fit beside the weights of one engine; 0 if not even the weights do."""
    room = plan.share * device.memory * plan.tensor_parallel - shape.parameters * plan.bytes
    return max(0, int(room / kv))


def predict(
    shape: ModelShape, kv: int, work: RolloutWork, plan: SamplerPlan, devices: int, device: Accelerator = H100
) -> dict[str, float] | None:
    """Seconds of the phases of a rollout with all its steps, and their sum; None if no engine can hold a sequence."""
    engines = max(1, devices // plan.tensor_parallel)
    sequence = work.prompt_tokens + work.mean_tokens
    running = min(-(-work.responses // engines), int(cache_tokens(shape, kv, plan, device) / sequence))
    if devices < plan.tensor_parallel or running < 1:
        return None
    bandwidth = BANDWIDTH_SHARE * device.bandwidth * plan.tensor_parallel
    compute = PREFILL_SHARE * device.flops * plan.tensor_parallel

    def token_seconds(sequences: float) -> float:
        read = shape.parameters * plan.bytes + sequences * (work.prompt_tokens + work.mean_tokens / 2) * kv
        return (
            max(read / bandwidth, 2 * (shape.layer_weights + shape.head_weights) * sequences / compute) + STEP_OVERHEAD
        )

    in_turn = work.responses / engines / running * work.mean_tokens * token_seconds(running)
    sample = (
        max(in_turn, work.longest * token_seconds(1))
        + shape.forward([round(work.prompt_tokens)]) * work.responses / engines / compute
    )
    lengths = [round(sequence)]
    whole = TRAINING_SHARE * device.flops * devices
    train = (
        shape.training(lengths, round(work.mean_tokens), recompute=work.recompute, frozen=work.frozen).hardware
        * work.responses
        / whole
    )
    forward = (shape.forward(lengths) + 2 * shape.head_weights * work.mean_tokens) * work.responses / whole
    phases = {"sample": sample, "reference": forward if work.reference else 0.0, "train": train}
    return {**phases, "rollout": sum(phases.values())}


def table(
    shape: ModelShape, kv: int, work: RolloutWork, plan: SamplerPlan, devices: Sequence[int]
) -> dict[str, dict[str, float] | None]:
    """`predict` for several numbers of devices; seconds to three digits."""
    predicted = {str(n): predict(shape, kv, work, plan, n) for n in devices}
    return {
        n: phases and {name: float(f"{seconds:.3g}") for name, seconds in phases.items()}
        for n, phases in predicted.items()
    }
