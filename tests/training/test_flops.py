"""Operations of a step against numbers by hand and torch's own counter; peaks of devices by the names drivers give."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from libra_cli.training.monitoring.flops import AttentionShape, ModelShape, mfu, peak_flops

TINY = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}  # fmt: skip
# queries and output 32 x 32, keys and values 32 x 16, three feed-forward matrices 32 x 48; three layers
TINY_LAYERS = 3 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48)


def test_shape_by_hand() -> None:
    """A head that is tied counts once as weights, and still multiplies."""
    shape, tied = (
        ModelShape.of(Qwen2Config(**TINY)),
        ModelShape.of(Qwen2Config(**{**TINY, "tie_word_embeddings": True})),
    )
    assert shape.layer_weights == tied.layer_weights == TINY_LAYERS
    assert shape.head_weights == tied.head_weights == 97 * 32
    assert shape.parameters - tied.parameters == 97 * 32
    assert shape.attention == (AttentionShape(32, 32),) * 3


def test_step_by_hand() -> None:
    """Documents of 3 and 5 tokens have 6 + 15 pairs, each 2 x (32 + 32) operations a layer; the head is on 4 tokens."""
    weights, attended, head = 2 * TINY_LAYERS * 8, 3 * 21 * 2 * 64, 2 * 97 * 32 * 4
    shape = ModelShape.of(Qwen2Config(**TINY))
    step = shape.training([3, 5], head_positions=4, recompute=True)
    assert step.model == 3 * (weights + attended + head)
    assert step.hardware == step.model + weights + attended
    assert shape.training([3, 5]).model == 3 * (weights + attended + 2 * head)
    frozen = shape.training([3, 5], head_positions=4, frozen=True)
    assert frozen.model == frozen.hardware == 2 * (weights + head) + 3 * attended


def test_packing_is_counted_by_document() -> None:
    """Two documents cost less than one of their length, by the pairs that do not see each other."""
    shape = ModelShape.of(Qwen2Config(**TINY))
    assert shape.forward([8]) - shape.forward([4, 4]) == 3 * (36 - 2 * 10) * 2 * 64


def test_window_by_hand() -> None:
    """With a window of 2, the tokens of a document of 4 see 1, 2, 2 and 2."""
    assert AttentionShape(8, 8, 2).forward(4) == 2 * 7 * 16
    assert AttentionShape(8, 8, 9).forward(4) == AttentionShape(8, 8).forward(4) == 2 * 10 * 16
    kept = {name: value for name, value in TINY.items() if name != "tie_word_embeddings"}
    assert ModelShape.of(MistralConfig(**kept, sliding_window=2)).attention == (AttentionShape(32, 32, 2),) * 3
    assert ModelShape.of(Qwen2Config(**TINY, sliding_window=2, use_sliding_window=False)).attention[0].window is None


def test_mixture_counts_the_experts_that_a_token_meets() -> None:
    """Two of four experts, and the router's 32 x 4."""
    shape = ModelShape.of(MixtralConfig(**TINY, num_local_experts=4, num_experts_per_tok=2))
    assert shape.layer_weights == 3 * (2 * 32 * 32 + 2 * 32 * 16 + 32 * 4 + 2 * 3 * 32 * 48)


@pytest.mark.parametrize("made", [
    (Qwen2ForCausalLM, Qwen2Config(**TINY, attn_implementation="eager")),
    (GPT2LMHeadModel, GPT2Config(n_embd=32, n_head=4, n_layer=2, vocab_size=97, attn_implementation="eager")),
], ids=["three feed-forward matrices, grouped queries", "two, head tied"])  # fmt: skip
def test_equals_torchs_counter(made: tuple[type, object]) -> None:
    """Linear layers and the head exactly, forward and backward; attention is counted there without causality."""
    kind, config = made
    shape, n = ModelShape.of(config), 7
    with FlopCounterMode(display=False) as counter:
        loss = kind(config)(input_ids=torch.arange(n)[None], labels=torch.arange(n)[None], use_cache=False).loss
        loss.backward()
    counts = {operation.__name__.split(".")[0]: 0 for operation in counter.get_flop_counts()["Global"]}
    for operation, flops in counter.get_flop_counts()["Global"].items():
        counts[operation.__name__.split(".")[0]] += flops
    step = shape.training([n])
    attended = 3 * (shape.forward([n]) - 2 * shape.layer_weights * n)
    assert counts.get("mm", 0) + counts.get("addmm", 0) == step.model - attended
    assert counts["bmm"] * (n + 1) // (2 * n) == attended


def test_32b_by_hand() -> None:
    """Qwen2.5-32B on 32,768 tokens: 6 x 31.98 billion weights that multiply, and 3 x 2 x 2 x 64 x 5,120 x 16,384.5."""
    shape = ModelShape.of(LlamaConfig(
        vocab_size=152064, hidden_size=5120, intermediate_size=27648, num_hidden_layers=64, num_attention_heads=40,
        num_key_value_heads=8, tie_word_embeddings=False,
    ))  # fmt: skip
    multiplied = 64 * (2 * 5120**2 + 2 * 5120 * 1024 + 3 * 5120 * 27648) + 152064 * 5120
    assert shape.training([32768]).model / 32768 == 6 * multiplied + 12 * 64 * 5120 * 16384.5


@pytest.mark.parametrize(("device", "tera"), [
    ("NVIDIA A100-SXM4-80GB", 312), ("NVIDIA A100 80GB PCIe", 312), ("NVIDIA H100 80GB HBM3", 989),
    ("NVIDIA H100 PCIe", 756), ("NVIDIA H100 NVL", 835), ("NVIDIA H200", 989), ("NVIDIA H20", 148),
    ("NVIDIA GH200 480GB", 989), ("NVIDIA B200", 2250), ("NVIDIA GB200", 2500), ("NVIDIA L40S", 362),
    ("NVIDIA L40", 181), ("NVIDIA L4", 121), ("NVIDIA GeForce RTX 4090", 165.2), ("AMD Instinct MI300X", 1307.4),
])  # fmt: skip
def test_peaks(device: str, tera: float) -> None:
    for name in ("bf16", "fp16", "torch.bfloat16"):
        assert peak_flops(device, name) == pytest.approx(tera * 1e12)
    assert 0 < (peak_flops(device, "fp32") or 0) < tera * 1e12


@pytest.mark.parametrize("device", [
    "cpu", "", "NVIDIA A100-SXM4-80GB MIG 1g.10gb", "NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090 D",
    "Tesla P4",
])  # fmt: skip
def test_what_is_not_known_has_no_peak(device: str) -> None:
    assert peak_flops(device) is None
    assert peak_flops("NVIDIA A100-SXM4-80GB", "int8") is None
    assert mfu(1e15, 1.0, peak_flops(device)) is None


def test_mfu_by_hand() -> None:
    assert mfu(8 * 312e12, 4.0, 312e12, devices=8) == pytest.approx(0.25)


def test_a_model_without_text_to_write_has_no_shape() -> None:
    from transformers import ViTConfig

    with pytest.raises(ValueError, match="ViTConfig is not the config of a causal language model"):
        ModelShape.of(ViTConfig())
