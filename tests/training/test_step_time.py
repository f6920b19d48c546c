"""Predicted times: the arithmetic, on figures that are worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libra_cli.training.monitoring import step_time
from libra_cli.training.monitoring.flops import ModelShape
from libra_cli.training.monitoring.step_time import Accelerator, RolloutWork, SamplerPlan, predict

SHAPE = ModelShape(parameters=1_000, layer_weights=800, head_weights=200, attention=())
DEVICE = Accelerator("toy", flops=1e6, bandwidth=1e5, memory=100_000)
WORK = RolloutWork(8, 10.0, 20.0, 40, reference=True, recompute=False, frozen=False)
PLAN = SamplerPlan(tensor_parallel=1, share=0.5)
KV = 100


def test_an_engine_holds_what_fits_beside_its_weights() -> None:
    assert step_time.cache_tokens(SHAPE, KV, PLAN, DEVICE) == (50_000 - 2_000) // KV
    assert step_time.cache_tokens(SHAPE, KV, replace(PLAN, share=0.01), DEVICE) == 0


def test_sampling_is_bound_by_bytes_or_by_arithmetic_and_training_by_arithmetic() -> None:
    phases = predict(SHAPE, KV, WORK, PLAN, 1, DEVICE)
    assert phases is not None
    read = (2_000 + 8 * 20 * KV) / (0.6 * 1e5)  # all eight run at once, half grown on average
    prompts = 2 * 800 * 10 * 8 / (0.5 * 1e6)
    assert phases["sample"] == pytest.approx(20 * (read + step_time.STEP_OVERHEAD) + prompts)
    assert phases["train"] == pytest.approx(8 * 6 * (800 * 30 + 200 * 20) / (0.35 * 1e6))
    assert phases["reference"] == pytest.approx(phases["train"] / 3)
    assert phases["rollout"] == pytest.approx(phases["sample"] + phases["train"] + phases["reference"])
    slow = predict(SHAPE, KV, WORK, PLAN, 1, replace(DEVICE, flops=1e3, bandwidth=1e12))
    assert slow is not None
    assert slow["sample"] == pytest.approx(20 * (2 * 1_000 * 8 / 500 + step_time.STEP_OVERHEAD) + 2 * 800 * 80 / 500)


def test_more_devices_share_the_work_but_the_longest_response_takes_its_time() -> None:
    one, eight, many = (predict(SHAPE, KV, WORK, PLAN, n, DEVICE) for n in (1, 8, 64))
    assert one is not None
    assert eight is not None
    assert many is not None
    assert eight["train"] == pytest.approx(one["train"] / 8)
    assert many["sample"] > 40 * step_time.STEP_OVERHEAD
    assert many["sample"] > one["sample"] / 64


def test_a_model_that_fits_nowhere_has_no_prediction() -> None:
    assert predict(SHAPE, KV, WORK, PLAN, 1, replace(DEVICE, memory=1_000)) is None
    assert predict(SHAPE, KV, WORK, replace(PLAN, tensor_parallel=4), 2, DEVICE) is None
