"""Predicted times: the arithmetic, on figures that are worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from libra_cli.training.monitoring import step_time
from libra_cli.training.monitoring.flops import AttentionShape, ModelShape
from libra_cli.training.monitoring.step_time import (
    LOGIT_PASSES,
    OPTIMIZER_BYTES,
    Accelerator,
    Efficiency,
    RolloutWork,
    SamplerPlan,
    StepTime,
)

SHAPE = ModelShape(parameters=1_000, layer_weights=800, head_weights=200, attention=())
DEVICE = Accelerator("toy", flops=1e6, bandwidth=1e5, memory=100_000, link=1e4, network=1e3)
PLAIN = Efficiency(0.5, 0.5, 0.5, 0.5, token_step=0.01, micro_batch=0.3, micro_batch_layer=0, hand_over_layer=0)
WORK = RolloutWork(prompts=2, samples=4, prompt_tokens=10, mean_tokens=20, longest=20, updates=2, micro_tokens=1_000,
                   zero=0, log_prob_passes=1, recompute=False, frozen=False)  # fmt: skip
PLAN = SamplerPlan(tensor_parallel=1, share=0.5)
KV = 100
WHOLE = StepTime(SHAPE, KV, WORK, PLAN, DEVICE, PLAIN)


def seconds(predicted: StepTime, devices: int = 1) -> dict[str, float]:
    found = predicted.predict(devices)
    assert found is not None
    return found


def test_an_engine_holds_what_fits_beside_its_weights() -> None:
    assert step_time.cache_tokens(SHAPE, KV, PLAN, DEVICE) == (50_000 - 2_000) // KV
    assert step_time.cache_tokens(SHAPE, KV, replace(PLAN, share=0.01), DEVICE) == 0


def test_sampling_is_bound_by_bytes_or_by_arithmetic() -> None:
    found = seconds(WHOLE)
    weights, cache = 2_000 / 5e4, 8 * (10 + 20 / 2) * KV / 5e4  # eight run at once, half grown on average
    prefill = 2 * (2 * 800 * 10) / 5e5  # once for each prompt
    assert found["sample"] == pytest.approx(20 * (weights + cache + 0.01) + prefill)
    slow = seconds(replace(WHOLE, device=replace(DEVICE, flops=1e3, bandwidth=1e12)))
    assert slow["sample"] == pytest.approx(20 * (2 * 1_000 * 8 / 500 + 0.01) + 2 * (2 * 800 * 10) / 500, rel=1e-4)
    both = seconds(replace(WHOLE, efficiency=replace(PLAIN, overlap=False)))
    assert both["sample"] == pytest.approx(20 * (weights + cache + 2 * 1_000 * 8 / 5e5 + 0.01) + prefill)


def test_sampling_counts_logits_calls_of_layers_and_attention() -> None:
    shape = replace(SHAPE, vocabulary=50, attention=(AttentionShape(8, 8), AttentionShape(8, 8)))
    calls = replace(PLAIN, token_step_layer=0.002, token=0.001)
    more = seconds(replace(WHOLE, shape=shape, efficiency=calls))["sample"] - seconds(WHOLE)["sample"]
    prefill = 2 * 2 * (2 * 55 * 16) / 5e5  # 55 pairs of tokens in each layer, for each prompt
    assert more == pytest.approx(20 * (8 * 50 * 4 * LOGIT_PASSES / 5e4 + 2 * 0.002 + 8 * 0.001) + prefill)


def test_sequences_that_wait_take_the_place_of_finished_ones() -> None:
    two = seconds(replace(WHOLE, plan=replace(PLAN, at_once=2)))
    each = 2_000 / 5e4 + 2 * 20 * KV / 5e4 + 0.01
    assert two["sample"] == pytest.approx(20 * 4 * each + 2 * (2 * 800 * 10) / 5e5)


def test_lengths_have_their_mean_and_reach_the_longest() -> None:
    spread = replace(WORK, mean_tokens=20, longest=80)
    assert sum(spread.lengths) / len(spread.lengths) == pytest.approx(20)
    assert max(spread.lengths) == pytest.approx(80, rel=0.06)
    assert set(WORK.lengths) == {20}
    # A token of the longest response takes as long as one of all: the tail costs steps, and fewer bytes in each.
    long = seconds(replace(WHOLE, work=spread))["sample"]
    assert long > 80 * (2_000 / 5e4 + 0.01)


def test_learning_is_arithmetic_calls_and_the_bytes_of_the_optimizer() -> None:
    found = seconds(WHOLE)
    tokens, targets = 8 * 30, 8 * 20
    operations = 6 * 800 * tokens + (6 + 2) * 200 * targets  # the head computes its logits once more
    assert found["train"] == pytest.approx(operations / 5e5 + 2 * (OPTIMIZER_BYTES * 1_000 / 5e4 + 0.3))
    assert found["log_probs"] == pytest.approx((2 * 800 * tokens + 2 * 200 * targets) / 5e5 + 2 * 0.1)
    assert seconds(replace(WHOLE, work=replace(WORK, log_prob_passes=0)))["log_probs"] == 0
    two = seconds(replace(WHOLE, work=replace(WORK, log_prob_passes=2)))
    assert two["log_probs"] == pytest.approx(2 * found["log_probs"])


def test_devices_share_the_work_and_send_one_another_gradients_and_weights() -> None:
    operations = 6 * 800 * 240 + 8 * 200 * 160
    two = seconds(replace(WHOLE, work=replace(WORK, zero=2)), 2)
    sent = 2 * 2_000 * (1 / 2) / 5e3
    assert two["train"] == pytest.approx(operations / 1e6 + 2 * (OPTIMIZER_BYTES * 1_000 / 2 / 5e4 + sent + 0.3))
    three = seconds(replace(WHOLE, work=replace(WORK, zero=3)), 2)
    assert three["train"] - two["train"] == pytest.approx(2 * sent)
    assert three["sync"] - two["sync"] == pytest.approx(sent / 2)
    far = seconds(replace(WHOLE, work=replace(WORK, zero=2)), 16)
    assert far["train"] > 2 * 2 * 2_000 * (15 / 16) / 500  # between nodes it takes ten times as long


def test_weights_are_handed_over_where_the_sampler_has_a_copy() -> None:
    assert seconds(WHOLE)["sync"] == pytest.approx(2 * 2_000 / 5e4)
    own = seconds(replace(WHOLE, plan=replace(PLAN, has_copy=False)))
    assert own["sync"] == 0
    assert own["rollout"] == pytest.approx(own["sample"] + own["log_probs"] + own["train"])


def test_what_was_measured_scales_its_phase() -> None:
    found = seconds(replace(WHOLE, efficiency=replace(PLAIN, factors={"train": 3.0})))
    assert found["train"] == pytest.approx(3 * seconds(WHOLE)["train"])
    assert found["sample"] == seconds(WHOLE)["sample"]
    assert found["rollout"] == pytest.approx(math.fsum(found[phase] for phase in step_time.PHASES))


def test_a_model_that_fits_nowhere_has_no_prediction() -> None:
    assert replace(WHOLE, device=replace(DEVICE, memory=1_000)).predict(1) is None
    assert replace(WHOLE, plan=replace(PLAN, tensor_parallel=4)).predict(2) is None


SIZES = {
    "1.5 B, 1": (1536, 8960, 28, 12, 2, 151_936, True, 2),
    "7 B, 1": (3584, 18_944, 28, 28, 4, 152_064, False, 2),
    "32 B, 4": (5120, 27_648, 64, 40, 8, 152_064, False, 3),
}
"""Qwen2.5's width, width of the layers inside, layers, heads, key heads, words, tied head; and the ZeRO stage."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_the_table_of_the_documentation_is_what_is_predicted(name: str) -> None:
    from transformers import Qwen2Config

    width, inner, layers, heads, key_heads, words, tied, zero = SIZES[name]
    config = Qwen2Config(
        hidden_size=width, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=key_heads, vocab_size=words, tie_word_embeddings=tied,
    )  # fmt: skip
    work = RolloutWork(256, 8, 500, 16_384, 32_768, 8, 36_864, zero, 1, recompute=True, frozen=False)
    plan = SamplerPlan(int(name[-1]), 0.4)
    found = StepTime(ModelShape.of(config), step_time.kv_bytes(config), work, plan).table((1, 8, 16, 64))
    cells = [
        ", ".join(f"{round(each[phase]):,}" for phase in ("sample", "log_probs", "train")) + " s"
        if each is not None
        else "the sampler does not fit"
        for each in found.values()
    ]
    row = "| ".join([f"| {name} ", *(f"{cell} " for cell in cells), ""])
    assert row.rstrip() in (Path(__file__).parents[2] / "docs" / "training.md").read_text().splitlines()
