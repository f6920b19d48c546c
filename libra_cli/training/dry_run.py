"""What a run would be, without its weights: samples, steps, and the memory that each device needs."""

from __future__ import annotations

import tempfile
from typing import Any

import torch

from libra_cli.stream.console import Console
from libra_cli.stream.errors import ErrorLog
from libra_cli.training import arithmetic, model
from libra_cli.training.data import chat_of, prepare
from libra_cli.training.encode import Encoder
from libra_cli.training.engine import zero_stage
from libra_cli.training.packing import SampleOrder
from libra_cli.training.settings import SftSettings
from libra_cli.training.world import World


def describe(settings: SftSettings, ranks: int, console: Console) -> dict[str, Any]:
    """Samples and tokens, steps, and GB a device on `ranks` devices; raises Fatal as the run would."""
    chat = chat_of(settings.data, model.load_tokenizer(settings.model))
    encoder = Encoder(chat, learn=settings.data.learn, assistant=settings.data.assistant)
    with tempfile.TemporaryDirectory(prefix="libra-sft-") as folder:
        store, _ = prepare(
            folder,
            settings.data.inputs,
            encoder,
            settings.data,
            World(),
            console,
            lambda: ErrorLog(None, "sft", console),
        )
        batch = settings.batch
        order = SampleOrder(len(store), batch.batch_size, batch.epochs, batch.seed)
        tokens = int(store.lengths.sum())
        about = {"samples": len(store), "tokens": tokens, "learned": int(store.n_learned.sum()),
                 "longest": int(store.lengths.max()), "steps": min(order.steps, batch.max_steps or order.steps),
                 "tokens_per_step": round(tokens / len(store) * batch.batch_size)}  # fmt: skip
    needed = arithmetic.memory(model.load_config(settings.model), _plan(settings, ranks))
    return {**about, "devices": ranks, "memory_gb": needed.table(), "memory": needed.sentence()}


def _plan(settings: SftSettings, ranks: int) -> arithmetic.Plan:
    # Several devices are GPUs, those of another machine where there are none here.
    dtype = {"auto": "bf16" if ranks > 1 else None}.get(settings.model.dtype, settings.model.dtype)
    dtype = dtype or {torch.bfloat16: "bf16", torch.float32: "fp32"}[model.dtype_of("auto")]
    batch, engine = settings.batch, settings.engine
    return arithmetic.Plan(
        ranks,
        zero_stage(engine, model.DTYPES[dtype], ranks),
        batch.pass_tokens,
        dtype,
        engine.offload,
        engine.sequence_parallel,
        settings.model.activation_checkpointing,
        settings.model.lora_rank,
        settings.model.lora_target,
    )
