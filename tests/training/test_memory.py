"""Memory arithmetic against what real engines hold, numbers by hand, and the tensors that autograd keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from held import CONFIG
from sft_runs import environment
from transformers import Qwen2Config, Qwen2ForCausalLM

from libra_cli.training.monitoring.memory import GB, MemoryPlan, Sizes, estimate, states

QWEN_32B = Qwen2Config(
    vocab_size=152064, hidden_size=5120, intermediate_size=27648, num_hidden_layers=64, num_attention_heads=40,
    num_key_value_heads=8, tie_word_embeddings=False,
)  # fmt: skip
PARAMETERS_32B = 32_763_876_352


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    """Bytes that two ranks' engines hold, by precision and stage."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               str(Path(__file__).parents[1] / "helpers" / "held.py")]  # fmt: skip
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow  # 30 seconds of CPU
@pytest.mark.parametrize(
    ("stage", "dtype"), [(0, "fp32"), (1, "bf16"), (1, "fp32"), (2, "bf16"), (2, "fp32"), (3, "bf16"), (3, "fp32")]
)
def test_states_are_what_deepspeed_holds(measured: dict[str, int], stage: int, dtype: str) -> None:
    plan = MemoryPlan(ranks=2, zero=stage, tokens=16, dtype=dtype)
    device, host = states(Sizes.of(Qwen2Config(**CONFIG), plan), plan)
    assert not host
    assert sum(device.values()) == pytest.approx(measured[f"{dtype}-{stage}"], rel=0.03)


def test_bytes_of_a_weight_by_hand() -> None:
    """ZeRO-3 on 8 ranks: (2 bf16 + 4 gradient + 4 master + 8 moments) / 8 a weight; all of it may be on the host."""
    plain = MemoryPlan(ranks=8, zero=3, tokens=32768)
    device, host = states(Sizes.of(QWEN_32B, plain), plain)
    assert sum(device.values()) == pytest.approx(PARAMETERS_32B * 18 / 8)
    assert not host
    offloaded = MemoryPlan(ranks=8, zero=3, tokens=32768, offload="optimizer")
    device, host = states(Sizes.of(QWEN_32B, offloaded), offloaded)
    assert sum(device.values()) == pytest.approx(PARAMETERS_32B * 2 / 8)
    assert sum(host.values()) == pytest.approx(PARAMETERS_32B * (4 + 8 + 2 * 4) / 8)
    everything = MemoryPlan(ranks=8, zero=3, tokens=32768, offload="all")
    device, host = states(Sizes.of(QWEN_32B, everything), everything)
    assert not device
    assert host["weights"] == pytest.approx(PARAMETERS_32B * 2 / 8)


def test_layer_inputs_by_hand() -> None:
    """64 layers x 32,768 tokens x 5,120 x 2 bytes = 21.5 GB; eight ranks that share the row hold an eighth each."""
    alone = estimate(QWEN_32B, MemoryPlan(ranks=64, zero=3, tokens=32768, activation_checkpointing=True))
    assert alone.device["layer inputs"] == 64 * 32768 * 5120 * 2
    shared = estimate(
        QWEN_32B, MemoryPlan(ranks=64, zero=3, tokens=32768, sequence_parallel=8, activation_checkpointing=True)
    )
    assert shared.device["layer inputs"] == 8 * 32768 * 5120 * 2


def test_the_sentence_says_whether_it_fits() -> None:
    kept: dict[str, Any] = {"zero": 3, "tokens": 32768, "sequence_parallel": 8, "activation_checkpointing": True}
    too_much = estimate(QWEN_32B, MemoryPlan(ranks=8, **kept))
    assert not too_much.fits(80)
    assert too_much.sentence(80).startswith("fits in 80 GB: no, ")
    enough = estimate(QWEN_32B, MemoryPlan(ranks=8, offload="optimizer", **kept))
    assert enough.fits(80)
    assert enough.sentence(80).startswith("fits in 80 GB: yes, ")
    assert "of the host's memory for each" in enough.sentence(80)
    assert enough.table()["device total"] == round(sum(enough.device.values()) / GB, 1)


def test_lora_learns_its_adapters_only() -> None:
    """Rank 8 on every linear layer but the head: 8 x (inputs + outputs) each, as peft makes them."""
    import peft

    plan = MemoryPlan(ranks=1, zero=0, tokens=16, dtype="fp32", lora_rank=8)
    config = Qwen2Config(**CONFIG)
    adapted = peft.get_peft_model(
        Qwen2ForCausalLM(config), peft.LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    learned, everything = adapted.get_nb_trainable_parameters()
    sizes = Sizes.of(config, plan)
    assert (sizes.trainable, sizes.parameters) == (learned, everything)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_activations_are_about_what_autograd_keeps(dtype: torch.dtype) -> None:
    """What one layer saves for its backward pass, each storage once and the weights left out, within a quarter."""
    config = Qwen2Config(**{**CONFIG, "hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6})
    model = Qwen2ForCausalLM(config).to(dtype)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.model(input_ids=torch.arange(256)[None])
    found = sum(tensor.untyped_storage().nbytes() for tensor in saved.values())
    plan = MemoryPlan(ranks=1, zero=0, tokens=256, dtype="bf16" if dtype == torch.bfloat16 else "fp32")
    assert estimate(config, plan).device["activations"] == pytest.approx(found, rel=0.25)
