"""Floating-point operations of a training step on documents of given lengths, and model FLOPs utilisation (MFU).

The count covers matrix products, each multiply-add as two operations: all linear layers, the products of attention that
causality (and a sliding window) allow, and the output head. It leaves out norms, activations, softmax, rotary
embeddings and linear recurrences, as the literature does (Chowdhery et al. 2022, PaLM, appendix B).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AttentionShape:
    """The attention of one layer: heads times their size, for queries and for values, and its window."""

    query_width: int
    value_width: int
    window: int | None = None

    def forward(self, length: int) -> int:
        """Operations of one document of `length` tokens: position i sees min(i, window) positions, itself included."""
        reach = length if self.window is None else min(length, self.window)
        pairs = reach * (reach + 1) // 2 + (length - reach) * reach
        return 2 * pairs * (self.query_width + self.value_width)


@dataclass(frozen=True)
class Flops:
    """Operations of one training step."""

    model: int
    """Needed by the mathematics: forward and backward. The basis of MFU."""
    hardware: int
    """Executed, including the recomputation of activation checkpointing. The basis of HFU."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a causal language model that determine its cost."""

    parameters: int
    """All of them, a tied head once."""
    layer_weights: int
    """Weights of linear layers that process a token, without the head; of routed experts, those that it is sent to."""
    head_weights: int
    """Vocabulary size times hidden size, tied or not."""
    attention: tuple[AttentionShape, ...]
    """One for each layer that has any."""
    vocabulary: int = 0
    """Tokens that the head can predict; 0 counts no bytes of logits."""

    @classmethod
    def of(cls, config: Any) -> ModelShape:
        """The shape of the model that transformers builds from `config`, without memory for its weights.

        Raises ValueError if the config is not a causal language model's.
        """
        import torch

        model, text = empty_model(config), config.get_text_config()
        experts = _first(text, "num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
        chosen = _first(text, "num_experts_per_tok", "moe_k", "moe_topk", "top_k_experts")
        embeddings = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
        embeddings.add(id(model.get_output_embeddings().weight))
        layer_weights = 0.0
        for name, parameter in model.named_parameters():  # linear layers and stacks of experts
            if parameter.ndim >= 2 and id(parameter) not in embeddings and "conv1d" not in name:
                share = chosen / experts if ".experts." in name and experts and chosen else 1
                layer_weights += parameter.numel() * share
        return cls(
            sum(parameter.numel() for parameter in model.parameters()),
            round(layer_weights),
            model.get_output_embeddings().weight.numel(),
            tuple(_attention(text)),
            model.get_output_embeddings().weight.shape[0],
        )

    def forward(self, lengths: Iterable[int]) -> int:
        """Operations of all layers on documents of `lengths` tokens, without the head."""
        lengths = list(lengths)
        attended = sum(layer.forward(length) for layer in self.attention for length in lengths)
        return 2 * self.layer_weights * sum(lengths) + attended

    def training(
        self,
        lengths: Sequence[int],
        head_positions: int | None = None,
        *,
        recompute: bool = False,
        frozen: bool = False,
    ) -> Flops:
        """Operations of forward and backward on documents of `lengths` tokens (padding does not count).

        head_positions: positions at which the head is computed, all of them by default.
        recompute: activation checkpointing runs each layer forward a second time.
        frozen: no gradient of the weights themselves is taken (LoRA; its own small matrices are not counted).
        """
        tokens = sum(lengths)
        weights = 2 * self.layer_weights * tokens
        attended = self.forward(lengths) - weights
        head = 2 * self.head_weights * (tokens if head_positions is None else head_positions)
        model = (2 if frozen else 3) * (weights + head) + 3 * attended
        return Flops(model, model + (weights + attended if recompute else 0))


def empty_model(config: Any) -> Any:
    """The causal language model of a transformers config, with parameters that have a shape but no storage.

    Calls the class directly, since `from_config` would hand the parameters to ZeRO-3 if that is on. Raises ValueError.
    """
    import torch
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if kind is None:
        raise ValueError(f"{type(config).__name__} is not the config of a causal language model that transformers has")
    kind = kind[0] if isinstance(kind, tuple) else kind
    with torch.device("meta"):
        return kind(config)


def _attention(config: Any) -> Iterable[AttentionShape]:
    """The attention of each layer; layers without any (linear attention, convolution, state space) are left out."""
    heads = config.num_attention_heads
    size = _first(config, "head_dim") or config.hidden_size // heads
    query = _first(config, "qk_head_dim") or size
    value = _first(config, "v_head_dim") or size
    window = _first(config, "sliding_window") if getattr(config, "use_sliding_window", True) else None
    kinds = getattr(config, "layer_types", None) or ["sliding_attention" if window else "full_attention"]
    kinds = kinds if len(kinds) == config.num_hidden_layers else kinds * config.num_hidden_layers
    for kind in kinds:
        if kind.endswith("attention") and not kind.startswith("linear"):
            yield AttentionShape(heads * query, heads * value, None if kind == "full_attention" else window)


def _first(config: Any, *names: str) -> int | None:
    """The first of these settings that the config has; model families name the same thing differently."""
    return next((value for name in names if (value := getattr(config, name, None)) is not None), None)


_TERA = 10**12
_PEAKS: tuple[tuple[str, float, float, float], ...] = (
    (r"GB200", 2500, 80, 8.0),
    (r"B200", 2250, 75, 7.7),
    (r"GH200|H200 (?!NVL)|H200$", 989, 67, 4.8),
    (r"H[12]00 NVL", 835, 60, 3.9),
    (r"H100 PCIe", 756, 51, 2.0),
    (r"H[18]00", 989, 67, 3.35),
    (r"H20\b", 148, 44, 4.0),
    (r"A[18]00", 312, 19.5, 2.0),
    (r"A40\b", 149.7, 37.4, 0.696),
    (r"A30\b", 165, 10.3, 0.933),
    (r"A10\b", 125, 31.2, 0.6),
    (r"RTX A6000", 154.8, 38.7, 0.768),
    (r"L40S", 362, 91.6, 0.864),
    (r"L40\b", 181, 90.5, 0.864),
    (r"L4\b", 121, 30.3, 0.3),
    (r"RTX 5090$", 209.5, 104.8, 1.79),
    (r"RTX 4090$", 165.2, 82.6, 1.008),
    (r"RTX 3090$", 71, 35.6, 0.936),
    (r"MI3(00|25)X", 1307.4, 163.4, 5.3),
    (r"MI250X", 383, 47.9, 3.28),
)
"""Device name as the driver gives it; published dense peak in TFLOP/s in bf16 (with fp32 sums) and in plain fp32, and
TB/s of its memory.

From the makers' data sheets; where a sheet prints the figure with 2:4 sparsity, half of that.
"""
_PARTIAL = re.compile(r"\bMIG\b|Laptop|Max-Q")


def peak_flops(device: str, dtype: str = "bf16") -> float | None:
    """The published dense peak of a device in operations a second; None for CPUs, parts of a GPU and unknown devices.

    dtype: bf16, fp16 or fp32 (or torch's names).
    """
    name = dtype.removeprefix("torch.").replace("bfloat16", "bf16").replace("float16", "fp16")
    columns = {"bf16": 1, "fp16": 1, "fp32": 2, "float32": 2}
    row = _published(device)
    return float(row[columns[name]]) * _TERA if row is not None and name in columns else None


def peak_bandwidth(device: str) -> float | None:
    """The published bandwidth of a device's memory in bytes a second; None as for `peak_flops`."""
    row = _published(device)
    return row[3] * _TERA if row is not None else None


def _published(device: str) -> tuple[str, float, float, float] | None:
    """The row of `_PEAKS` for a device; None for CPUs, parts of a GPU and unknown devices."""
    if _PARTIAL.search(device):
        return None
    return next((row for row in _PEAKS if re.search(r"\b" + f"({row[0]})", device)), None)


def mfu(flops: float, seconds: float, peak: float | None, devices: int = 1) -> float | None:
    """Model FLOPs utilisation: operations a second as a share of the peak of `devices`; None if unknown."""
    return flops / seconds / (peak * devices) if peak and seconds > 0 else None
