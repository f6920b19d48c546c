"""Prints, as JSON, the bytes that DeepSpeed engines of all stages hold on a rank after their second backward pass.

Run by torch.distributed.run; every rank makes the same engines, one after another, and keeps them.
"""

from __future__ import annotations

import gc
import json
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from libra_cli.training.distributed.deepspeed_engine import build_config
from libra_cli.training.distributed.world import World, import_deepspeed
from libra_cli.training.settings import EngineSettings, OptimizerSettings

CONFIG: dict[str, Any] = {
    "vocab_size": 256, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 16,
    "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False,
}  # fmt: skip
SMALL = {"reduce_bucket_size": 1024, "stage3_max_live_parameters": 0, "stage3_max_reuse_distance": 0,
         "stage3_prefetch_bucket_size": 0, "stage3_param_persistence_threshold": 0}  # fmt: skip
"""Transfer buffers that do not count beside the states."""
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def storages() -> dict[int, int]:
    """Address and size of everything that a tensor stands on."""
    gc.collect()
    tensors = (found for found in gc.get_objects() if issubclass(type(found), torch.Tensor))
    return {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in tensors}


def held(stage: int, dtype: str, world: World, kept: list[Any]) -> int:
    """Bytes that an engine adds, between its second backward pass and the step."""
    before = storages()
    model = Qwen2ForCausalLM(Qwen2Config(**CONFIG)).to(DTYPES[dtype])
    plan = build_config(EngineSettings(zero=stage), OptimizerSettings(), DTYPES[dtype], world)
    plan["zero_optimization"].update(SMALL)
    adam = torch.optim.AdamW(model.parameters(), fused=True)
    engine, *_ = import_deepspeed().initialize(model=model, config=plan, optimizer=adam, dist_init_required=False)
    kept.append(engine)  # an address must not be used again
    ids = torch.arange(16)[None]
    engine.backward(engine(input_ids=ids, labels=ids).loss)
    engine.step()
    engine.backward(engine(input_ids=ids, labels=ids).loss)
    return sum(size for address, size in storages().items() if address not in before)


def main() -> None:
    kept: list[Any] = []
    with World() as world:
        found = {f"{dtype}-{stage}": held(stage, dtype, world, kept) for dtype in DTYPES for stage in range(4)}
        if world.is_rank0:
            print(json.dumps(found))


if __name__ == "__main__":
    main()
