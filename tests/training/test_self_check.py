"""How far a model's attention sees, by what its configuration says: packed rows have no window."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import AutoConfig

from libra_cli.training.model.self_check import window_of

EVERYWHERE, WINDOW, CHUNKS = "full_attention", "sliding_attention", "chunked_attention"


@pytest.mark.parametrize(
    ("kind", "options", "window"),
    [
        ("qwen2", {}, None),
        ("qwen2", {"sliding_window": 40, "use_sliding_window": False}, None),
        ("qwen2", {"sliding_window": 40, "use_sliding_window": True, "layer_types": [EVERYWHERE, WINDOW]}, 40),
        ("mistral", {"sliding_window": 40}, 40),
        ("mistral", {"sliding_window": None}, None),
        ("gemma2", {"sliding_window": 40}, 40),
        ("llama4_text", {"attention_chunk_size": 40, "layer_types": [CHUNKS, EVERYWHERE]}, 40),
        ("llama4_text", {"attention_chunk_size": 40, "layer_types": [EVERYWHERE, EVERYWHERE]}, None),
    ],
)
def test_a_window_is_that_of_the_layers_that_have_one(kind: str, options: dict[str, Any], window: int | None) -> None:
    assert window_of(AutoConfig.for_model(kind, num_hidden_layers=2, **options)) == window
