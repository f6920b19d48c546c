"""--engine auto on a CPU: the engine that answers all requests first."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest
from safetensors import safe_open

from libra_cli.miniature import MODELS, resolve
from libra_cli.sampling.engine_choice import PACES, parameters_of, soonest
from libra_cli.stream.counts import RequestCount

QWEN3_8B = {"hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
            "head_dim": 128, "intermediate_size": 12288, "vocab_size": 151936}  # fmt: skip
"""8.19 billion parameters, 0.62 of them in an embedding that a token does not multiply."""
QWEN3_30B_A3B = {"hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
                 "head_dim": 128, "intermediate_size": 6144, "num_experts_per_tok": 8, "moe_intermediate_size": 768,
                 "vocab_size": 151936}  # fmt: skip
"""3.3 billion active parameters, 0.31 of them in such an embedding."""


def config(folder: Path) -> dict:
    return json.loads((folder / "config.json").read_text())


def test_the_size_of_a_model_is_read_from_its_config() -> None:
    folder = resolve(MODELS[0])
    assert folder is not None
    with safe_open(folder / "model.safetensors", "np") as weights:
        names = [name for name in weights.keys() if "norm" not in name and "bias" not in name]  # noqa: SIM118
        size = sum(prod(weights.get_slice(name).get_shape()) for name in names)
    assert parameters_of(config(folder)) == size


@pytest.mark.parametrize(
    ("form", "billions"),
    [(QWEN3_8B, 7.57), ({"text_config": QWEN3_30B_A3B}, 3.04)],
)
def test_published_sizes(form: dict, billions: float) -> None:
    assert parameters_of(form) == pytest.approx(billions * 1e9, rel=0.01)


@pytest.mark.parametrize("form", [{}, {"hidden_size": 64}, {"d_model": 512, "n_layer": 2}, {"hidden_size": "64"}])
def test_other_forms_have_no_known_size(form: dict) -> None:
    assert parameters_of(form) is None
    assert soonest(parameters_of(form), RequestCount(1), 16) == ("vllm", "on a CPU, for a model of unknown size")


@pytest.mark.parametrize(
    ("parameters", "requests", "max_tokens", "engine"),
    [
        (0.5e6, 100_000, 512, "transformers"),  # too small for vLLM to be faster
        (0.5e6, None, 32768, "transformers"),
        (100e6, 12, 64, "transformers"),
        (100e6, 1000, 64, "vllm"),
        (100e6, 0, 64, "transformers"),
        (100e6, None, 64, "vllm"),
        (8e9, 1, 1, "transformers"),
        (8e9, 12, 512, "vllm"),
    ],
)
def test_work_decides(parameters: float, requests: int | None, max_tokens: int, engine: str) -> None:
    assert soonest(parameters, None if requests is None else RequestCount(requests), max_tokens)[0] == engine


@pytest.mark.parametrize(
    ("engine", "parameters", "requests", "rate"),
    [  # tokens per processor second, as they were measured
        ("transformers", 0.479e6, 64, 14856), ("vllm", 0.479e6, 64, 11667),
        ("transformers", 25.3e6, 64, 746), ("vllm", 25.3e6, 64, 2054),
        ("transformers", 101e6, 64, 198), ("vllm", 101e6, 64, 658),
        ("transformers", 101e6, 2, 34), ("vllm", 101e6, 2, 105),
        ("transformers", 294e6, 16, 46), ("vllm", 294e6, 16, 169),
    ],
)  # fmt: skip
def test_the_model_of_time_fits_what_was_measured(engine: str, parameters: float, requests: int, rate: float) -> None:
    pace = PACES[engine]
    generating = pace.seconds(parameters, requests, 100) - pace.start
    assert requests * 100 / generating == pytest.approx(rate, rel=0.25)


def test_the_reason_says_both_times() -> None:
    assert soonest(100e6, RequestCount(1), 16)[1] == "1 request of up to 16 tokens on a CPU: about 6 s, vLLM 15 s"
    many = RequestCount(1200, 0, "at least ")
    said = "at least 1,200 requests on a CPU: about 37 min at 1,024 tokens each, transformers 1.8 h"
    assert soonest(100e6, many, 32768)[1] == said
    assert soonest(100e6, None, 64)[1].endswith("on a CPU: vLLM is 2.9 times as fast as transformers with many")


def test_a_run_that_continues_says_what_is_left_and_keeps_its_engine() -> None:
    engine, why = soonest(100e6, RequestCount(1200, 1190), 32768)
    assert engine == soonest(100e6, RequestCount(1200), 32768)[0] != soonest(100e6, RequestCount(10), 4)[0]
    assert why == "10 of 1,200 requests are left, on a CPU: about 49 s at 1,024 tokens each"
    other = soonest(100e6, RequestCount(1200, 1190, may_be_more=True), 32768)[1]
    assert other.startswith("up to 10 of 1,200 requests are left, on a CPU: about 49 s")
    of_two = soonest(100e6, RequestCount(1200, 1190), 64, n_models=2)[1]
    assert of_two.startswith("1,200 requests of up to 64 tokens, with those that are done, on a CPU: about ")
