"""What a run would be, without its weights: samples, steps, and the memory that each device needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.training import preflight
from libra_cli.training.data.packing import SampleOrder
from libra_cli.training.data.prepare import chat_of, prepare
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy
from libra_cli.training.monitoring import memory
from libra_cli.training.settings import BatchSettings, SftSettings


def describe(settings: SftSettings, ranks: int, console: Console) -> dict[str, Any]:
    """Samples and tokens, steps, and GB a device on `ranks` devices; raises Fatal as the run would."""
    config, dtype = policy.load_config(settings.model), _dtype(settings, ranks)
    told = preflight.plan(settings, World.imagined(ranks, settings.engine.sequence_parallel), policy.DTYPES[dtype])
    with _samples(settings, console) as stores:
        preflight.refuse_unfit(stores, config, settings.batch.epochs)
        longest = max(int(store.lengths.max()) for store in stores)
        about = _about(stores[0], settings.batch)
    needed = memory.memory(config, _plan(settings, ranks, dtype, told["zero_optimization"]["stage"], longest))
    return {**about, "devices": ranks, "memory_gb": needed.table(), "memory": needed.sentence()}


@contextmanager
def _samples(settings: SftSettings, console: Console) -> Iterator[list[TokenStore]]:
    """Those to learn from and, where there are any, those held out."""
    data, log = settings.data, ErrorLog(None, "sft", console)
    chat = chat_of(data, policy.load_tokenizer(settings.model))
    encoder = Encoder(chat, learn=data.learn, assistant=data.assistant)
    with tempfile.TemporaryDirectory(prefix="libra-sft-") as folder:
        named = {"train": data.inputs, "eval": data.eval_data}
        yield [prepare(str(Path(folder, name)), paths, encoder, data, World(), console, lambda: log)[0]
               for name, paths in named.items() if paths]  # fmt: skip


def _about(store: TokenStore, batch: BatchSettings) -> dict[str, Any]:
    order = SampleOrder(len(store), batch.batch_size, batch.epochs, batch.seed)
    tokens = int(store.lengths.sum())
    return {
        "samples": len(store), "tokens": tokens, "learned": int(store.n_learned.sum()),
        "longest": int(store.lengths.max()), "steps": min(order.steps, batch.max_steps or order.steps),
        "tokens_per_step": round(tokens / len(store) * min(batch.batch_size, order.total)),
    }  # fmt: skip


def _dtype(settings: SftSettings, ranks: int) -> str:
    """Several devices are GPUs, those of another machine where there are none here."""
    if settings.model.dtype == "auto" and ranks > 1:
        return "bf16"
    meant = policy.dtype_of(settings.model.dtype)
    return next(name for name, dtype in policy.DTYPES.items() if dtype == meant)


def _plan(settings: SftSettings, ranks: int, dtype: str, zero: int, longest: int) -> memory.Plan:
    return memory.Plan(
        ranks,
        zero,
        max(settings.batch.pass_tokens, longest),  # a sample that is longer has a pass of its own
        dtype,
        settings.engine.offload,
        settings.engine.sequence_parallel,
        settings.model.activation_checkpointing,
        settings.model.lora_rank,
        settings.model.lora_target,
    )
