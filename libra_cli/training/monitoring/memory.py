"""Estimates the memory of a training run, on each device and its host, before anything is loaded.

The states of model and optimizer follow what DeepSpeed 0.19.8 allocates with bf16 or fp32 weights and fp32 gradients
(`stage_1_and_2.py`, `stage3.py`, `bf16_optimizer.py`, `fp16/fused_optimizer.py`); tests/training/test_memory.py
compares them with running engines. DeepSpeed's transfer buffers are counted at their default sizes. Activations are an
estimate of what autograd keeps of a decoder layer as transformers writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.training.monitoring.flops import empty_model

GB = 1e9
"""Bytes of a gigabyte, as makers of memory count."""
MASTER_BYTES, MOMENTS_BYTES, GRADIENT_BYTES = 4, 8, 4
"""Of a trainable weight: its fp32 copy, both moments of Adam, its gradient summed in fp32."""
BUCKET, LIVE = 500_000_000, 1_000_000_000
"""DeepSpeed's reduce_bucket_size, and stage3_max_live_parameters: elements."""
RESERVED = 4 * GB
"""CUDA's context, NCCL's buffers, kernels' workspaces, fragmentation: an empirical value."""
GPU_LIBRARIES = "CUDA and NCCL"
"""RESERVED in a table."""
LOGIT_CHUNK = 3 * 4 * (1 << 26)
"""Logits of a chunk in fp32, and the softmax and gradient computed from them (`lm_head.CHUNK_ELEMENTS`)."""


@dataclass(frozen=True)
class MemoryPlan:
    """How a run is distributed; the names are those of the options."""

    ranks: int
    zero: int
    tokens: int
    """Of one micro-batch, over all ranks that share it (--micro-tokens)."""
    dtype: str = "bf16"
    offload: str = "none"
    sequence_parallel: int = 1
    activation_checkpointing: bool = False
    lora_rank: int | None = None
    lora_target: Sequence[str] = ()
    reference: bool = False
    """A second, frozen copy of the weights, distributed as those in training."""

    @property
    def bytes(self) -> int:
        """Bytes of a weight."""
        return 2 if self.dtype == "bf16" else 4

    @property
    def rank_tokens(self) -> int:
        """Tokens whose activations one rank holds."""
        return -(-self.tokens // self.sequence_parallel)


@dataclass(frozen=True)
class Sizes:
    """Counts of weights, and the sizes of activations."""

    parameters: int
    trainable: int
    """All of them, or those of the adapters."""
    layers: int
    hidden: int
    attention: int
    """Elements of queries, keys and values of one token in one layer."""
    widest: int
    """Elements of a token inside the feed-forward part of a layer."""
    head: int
    """Weights of the output head."""
    head_trainable: bool

    @classmethod
    def of(cls, config: Any, plan: MemoryPlan) -> Sizes:
        """The sizes of the model of a transformers config. Raises ValueError if it is no causal language model."""
        model, text = empty_model(config), config.get_text_config()
        parameters = sum(parameter.numel() for parameter in model.parameters())
        adapters = None
        if plan.lora_rank:
            layers = _adapted_layers(model, plan.lora_target)
            adapters = sum(plan.lora_rank * (layer.in_features + layer.out_features) for layer in layers)
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


def _adapted_layers(model: Any, targets: Sequence[str]) -> list[Any]:
    """The linear layers that LoRA adapts: those named, by default all but the head."""
    import torch

    head = model.get_output_embeddings()
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
        if not targets or any(name == target or name.endswith("." + target) for target in targets)
    ]


def _widest(config: Any) -> int:
    """Elements of a token inside the feed-forward part; in a mixture of experts, in all experts that it is sent to."""
    plain = next(
        (
            value
            for name in ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
            if (value := getattr(config, name, None))
        ),
        4 * config.hidden_size,
    )
    chosen = getattr(config, "num_experts_per_tok", None)
    if not chosen:
        return int(plain)
    shared = getattr(config, "shared_expert_intermediate_size", None) or 0
    return int(chosen * (getattr(config, "moe_intermediate_size", None) or plain) + shared)


def rounded_gb(size: float) -> float:
    """Gigabytes as people read them: to a tenth, and below 1 GB to two digits."""
    return round(size, 1) if size >= 1 else float(f"{size:.2g}")


@dataclass(frozen=True)
class Memory:
    """Bytes by purpose: of the fullest device at its peak, and of the host for one device."""

    device: dict[str, float]
    host: dict[str, float]

    @property
    def device_gb(self) -> float:
        return sum(self.device.values()) / GB

    @property
    def host_gb(self) -> float:
        return sum(self.host.values()) / GB

    def fits(self, capacity_gb: float) -> bool:
        """A device of `capacity_gb` GB holds it."""
        return self.device_gb <= capacity_gb

    def sentence(self, capacity_gb: float = 80) -> str:
        """`fits in 80 GB: yes, 53.1 GB a device`, with the host's share if there is one."""
        verdict = "yes" if self.fits(capacity_gb) else "no"
        host = f", {rounded_gb(self.host_gb)} GB of the host's memory for each" if self.host else ""
        return f"fits in {capacity_gb:g} GB: {verdict}, {rounded_gb(self.device_gb)} GB a device{host}"

    @property
    def cpu_gb(self) -> float:
        """What a run on a CPU needs: all of it but what a GPU's own libraries take."""
        return sum(size for name, size in (*self.device.items(), *self.host.items()) if name != GPU_LIBRARIES) / GB

    def table(self) -> dict[str, float]:
        """GB of each item; items of the host begin with `host`, and totals come last."""
        items = {**self.device, **{f"host {name}": size for name, size in self.host.items()}}
        items |= {"device total": sum(self.device.values()), "host total for each device": sum(self.host.values())}
        return {name: rounded_gb(size / GB) for name, size in items.items()}


def estimate(config: Any, plan: MemoryPlan) -> Memory:
    """The memory of a run of `plan` on the model of a transformers config. Raises ValueError (see `Sizes.of`)."""
    sizes = Sizes.of(config, plan)
    device, host = states(sizes, plan)
    if plan.zero and plan.ranks > 1:  # DeepSpeed gathers weights and reduces gradients in buffers
        if plan.zero == 3:
            buffers = min(LIVE, sizes.parameters) + min(BUCKET, sizes.trainable)
        else:
            buffers = 2 * min(BUCKET, sizes.trainable)  # one fills while the other is sent
        device["ZeRO buffers"] = buffers * plan.bytes
    tokens = plan.rank_tokens
    # Autograd keeps of one layer: norms in fp32 and in the dtype, queries, keys and values before and after their
    # positions, attention's result, and four times the width of a gated feed-forward part.
    of_a_layer = tokens * (
        2 * 4 * sizes.hidden + plan.bytes * (7 * sizes.hidden + 2 * sizes.attention + 4 * sizes.widest)
    )
    if plan.activation_checkpointing:
        device["layer inputs"] = sizes.layers * tokens * sizes.hidden * plan.bytes
        recomputed = of_a_layer
    else:
        device["activations"] = sizes.layers * of_a_layer
        recomputed = 0
    layer = recomputed + tokens * plan.bytes * 3 * sizes.widest  # its recomputed part, and its widest gradients
    # The chunked head: its gradient in fp32 and in the dtype of the weights, hidden states and their gradient.
    head_gradient = sizes.head * (4 + plan.bytes) if sizes.head_trainable else 0
    head = LOGIT_CHUNK + head_gradient + 2 * tokens * sizes.hidden * plan.bytes
    device["layer at work, or head"] = max(layer, head)
    if plan.reference:
        device["reference"] = sizes.parameters * plan.bytes / (plan.ranks if plan.zero == 3 else 1)
    device[GPU_LIBRARIES] = RESERVED
    return Memory({name: size for name, size in device.items() if size}, host)


def states(sizes: Sizes, plan: MemoryPlan) -> tuple[dict[str, float], dict[str, float]]:
    """Bytes of weights, gradients and optimizer on a device at the end of the backward pass, and on the host."""
    device: dict[str, float] = {"weights": sizes.parameters * plan.bytes / (plan.ranks if plan.zero == 3 else 1)}
    host: dict[str, float] = {}
    optimizer = host if plan.offload != "none" and plan.zero else device
    parts = plan.ranks if plan.zero else 1
    if plan.zero or plan.dtype == "bf16":  # ZeRO keeps a flat copy even of fp32 weights
        optimizer["fp32 weights"] = sizes.trainable * MASTER_BYTES / parts
    optimizer["Adam's moments"] = sizes.trainable * MOMENTS_BYTES / parts
    if plan.zero == 0:
        gradients: float = sizes.trainable * plan.bytes
    elif plan.zero == 1 and plan.dtype == "bf16" and plan.offload == "none":
        gradients = sizes.trainable * (GRADIENT_BYTES + plan.bytes)  # whole sums in fp32, and those of the last pass
    else:
        gradients = sizes.trainable * GRADIENT_BYTES / plan.ranks
    # An optimizer on the host has its gradients there, too: the sums, and a copy in its own form.
    optimizer["gradients"] = gradients * (2 if optimizer is host else 1)
    if plan.offload == "all" and plan.zero == 3:
        host["weights"] = device.pop("weights")
    return device, host
