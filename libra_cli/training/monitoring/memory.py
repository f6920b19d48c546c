"""Memory arithmetic of a training run: what each device and its host will hold, before anything is loaded.

The states of model and optimiser follow what DeepSpeed 0.19.8 allocates with bf16 or fp32 weights and fp32 gradients
(`stage_1_and_2.py`, `stage3.py`, `bf16_optimizer.py`, `fp16/fused_optimizer.py`); tests/train/test_arithmetic.py
compares them with engines that run. Its transfer buffers are taken at their default sizes. Activations are an estimate
of what autograd keeps of a decoder layer as transformers writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.training.monitoring.flops import empty_model

GB = 1e9
"""A gigabyte as makers of memory count."""
MASTER_BYTES, MOMENTS_BYTES, GRADIENT_BYTES = 4, 8, 4
"""Of a learned weight: its fp32 copy, both moments of Adam, its gradient summed in fp32."""
BUCKET, LIVE = 500_000_000, 1_000_000_000
"""DeepSpeed's reduce_bucket_size, and stage3_max_live_parameters: elements."""
RESERVED = 4 * GB
"""CUDA's context, NCCL's buffers, kernels' workspaces, what the allocator cannot use: from experience, not counted."""
LOGIT_CHUNK = 3 * 4 * (1 << 26)
"""Logits of a chunk of the loss in fp32, and the softmax and gradient made of them (`head.CHUNK_ELEMENTS`)."""


@dataclass(frozen=True)
class MemoryPlan:
    """How a run is spread out; the names are those of `libra sft`'s options."""

    ranks: int
    zero: int
    tokens: int
    """Of one forward pass over all ranks that share it (--micro-tokens)."""
    dtype: str = "bf16"
    offload: str = "none"
    sequence_parallel: int = 1
    activation_checkpointing: bool = False
    lora_rank: int | None = None
    lora_target: Sequence[str] = ()

    @property
    def bytes(self) -> int:
        """Of a weight."""
        return 2 if self.dtype == "bf16" else 4

    @property
    def rank_tokens(self) -> int:
        """Tokens whose activations one rank has."""
        return -(-self.tokens // self.sequence_parallel)


@dataclass(frozen=True)
class Sizes:
    """Numbers of weights, and the sizes that activations have."""

    parameters: int
    learned: int
    """Those that the optimiser moves: all, or those of the adapters."""
    layers: int
    hidden: int
    attention: int
    """Elements of queries, keys and values of one token in one layer."""
    widest: int
    """Elements of a token inside the feed-forward part of a layer."""
    head: int
    """Weights of the output head."""
    head_learned: bool

    @classmethod
    def of(cls, config: Any, plan: MemoryPlan) -> Sizes:
        """The sizes of the model of a transformers config. Raises ValueError where it is no causal language model."""
        model, text = empty_model(config), config.get_text_config()
        parameters = sum(parameter.numel() for parameter in model.parameters())
        adapters = _adapters(model, plan.lora_rank, plan.lora_target) if plan.lora_rank else None
        heads, size = text.num_attention_heads, getattr(text, "head_dim", None)
        size = size or text.hidden_size // heads
        keys = getattr(text, "num_key_value_heads", None) or heads
        return cls(
            parameters + (adapters or 0),
            parameters if adapters is None else adapters,
            text.num_hidden_layers,
            text.hidden_size,
            size * (heads + 2 * keys),
            _widest(text),
            model.get_output_embeddings().weight.numel(),
            adapters is None,
        )


def _adapters(model: Any, rank: int, targets: Sequence[str]) -> int:
    """Weights of LoRA adapters of `rank` on the linear layers named, all but the head by default."""
    import torch

    head = model.get_output_embeddings()
    chosen = [
        module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
        if not targets or any(name == target or name.endswith("." + target) for target in targets)
    ]
    return sum(rank * (module.in_features + module.out_features) for module in chosen)


def _widest(config: Any) -> int:
    """Elements of a token inside the feed-forward part; of a mixture, in all experts that it meets."""
    plain = next(
        (value for name in ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
         if (value := getattr(config, name, None))), 4 * config.hidden_size,
    )  # fmt: skip
    chosen = getattr(config, "num_experts_per_tok", None)
    if not chosen:
        return int(plain)
    shared = getattr(config, "shared_expert_intermediate_size", None) or 0
    return int(chosen * (getattr(config, "moe_intermediate_size", None) or plain) + shared)


@dataclass(frozen=True)
class Memory:
    """Bytes by what they are for, on the fullest device at the fullest moment, and on the host for one device."""

    device: dict[str, float]
    host: dict[str, float]

    @property
    def device_gb(self) -> float:
        return sum(self.device.values()) / GB

    @property
    def host_gb(self) -> float:
        return sum(self.host.values()) / GB

    def fits(self, capacity_gb: float) -> bool:
        """Whether a device of so many GB holds it."""
        return self.device_gb <= capacity_gb

    def sentence(self, capacity_gb: float = 80) -> str:
        """`fits in 80 GB: yes, 53.1 GB a device`, with what the host holds where it holds any."""
        verdict = "yes" if self.fits(capacity_gb) else "no"
        host = f", {self.host_gb:.1f} GB of the host's memory for each" if self.host else ""
        return f"fits in {capacity_gb:g} GB: {verdict}, {self.device_gb:.1f} GB a device{host}"

    def table(self) -> dict[str, float]:
        """GB of each item, to a tenth; the host's are called `host ...`, and the totals come last."""
        items = {**self.device, **{f"host {name}": size for name, size in self.host.items()}}
        table = {name: round(size / GB, 1) for name, size in items.items()}
        return {**table, "device total": round(self.device_gb, 1), "host total for each device": round(self.host_gb, 1)}


def estimate(config: Any, plan: MemoryPlan) -> Memory:
    """What a run of `plan` on the model of a transformers config holds. Raises ValueError (see `Sizes.of`)."""
    sizes = Sizes.of(config, plan)
    device, host = states(sizes, plan)
    device["ZeRO buffers"] = _buffers(sizes, plan)
    device["layer inputs" if plan.activation_checkpointing else "activations"] = _kept(sizes, plan)
    device["layer at work, or head"] = max(_layer(sizes, plan), _head(sizes, plan))
    device["CUDA and NCCL"] = RESERVED
    return Memory({name: size for name, size in device.items() if size}, host)


def states(sizes: Sizes, plan: MemoryPlan) -> tuple[dict[str, float], dict[str, float]]:
    """Bytes of weights, gradients and optimiser on a device at the end of the backward pass, and on the host."""
    device: dict[str, float] = {"weights": sizes.parameters * plan.bytes / (plan.ranks if plan.zero == 3 else 1)}
    host: dict[str, float] = {}
    optimizer = host if plan.offload != "none" and plan.zero else device
    parts = plan.ranks if plan.zero else 1
    if plan.zero or plan.dtype == "bf16":  # ZeRO flattens a copy for itself even where the weights are fp32
        optimizer["fp32 weights"] = sizes.learned * MASTER_BYTES / parts
    optimizer["Adam's moments"] = sizes.learned * MOMENTS_BYTES / parts
    # With the optimiser on the host, its gradients are there, too: summed, and as it takes them.
    optimizer["gradients"] = _gradients(sizes, plan) * (2 if optimizer is host else 1)
    if plan.offload == "all" and plan.zero == 3:
        host["weights"] = device.pop("weights")
    return device, host


def _gradients(sizes: Sizes, plan: MemoryPlan) -> float:
    if plan.zero == 0:
        return sizes.learned * plan.bytes
    if plan.zero == 1 and plan.dtype == "bf16" and plan.offload == "none":
        return sizes.learned * (GRADIENT_BYTES + plan.bytes)  # whole sums in fp32 beside those of the last pass
    return sizes.learned * GRADIENT_BYTES / plan.ranks


def _buffers(sizes: Sizes, plan: MemoryPlan) -> float:
    """What DeepSpeed gathers weights and reduces gradients in."""
    if not plan.zero or plan.ranks == 1:
        return 0.0
    if plan.zero == 3:
        return min(LIVE, sizes.parameters) * plan.bytes + min(BUCKET, sizes.learned) * plan.bytes
    return 2 * min(BUCKET, sizes.learned) * plan.bytes  # two in turn: one fills while the other travels


def _kept(sizes: Sizes, plan: MemoryPlan) -> float:
    """Between forward and backward: the input of each layer, or all that its backward pass needs."""
    if plan.activation_checkpointing:
        return sizes.layers * plan.rank_tokens * sizes.hidden * plan.bytes
    return sizes.layers * _saved(sizes, plan)


def _saved(sizes: Sizes, plan: MemoryPlan) -> float:
    """What autograd keeps of one layer: norms in fp32 and out of it, queries, keys and values before and after their
    positions, attention's result, and four times the width of a gated feed-forward part.
    """
    in_fp32 = 2 * 4 * sizes.hidden
    elements = 7 * sizes.hidden + 2 * sizes.attention + 4 * sizes.widest
    return plan.rank_tokens * (in_fp32 + plan.bytes * elements)


def _layer(sizes: Sizes, plan: MemoryPlan) -> float:
    """The layer whose backward pass runs: what it needs, where that was not kept, and gradients of its widest part."""
    again = _saved(sizes, plan) if plan.activation_checkpointing else 0.0
    return again + plan.rank_tokens * plan.bytes * 3 * sizes.widest


def _head(sizes: Sizes, plan: MemoryPlan) -> float:
    """The chunked loss: the head's gradient in fp32 and in the weights' type, hidden states and their gradient."""
    gradient = sizes.head * (4 + plan.bytes) if sizes.head_learned else 0.0
    return LOGIT_CHUNK + gradient + 2 * plan.rank_tokens * sizes.hidden * plan.bytes
