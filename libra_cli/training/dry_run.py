"""A dry run: counts samples and steps, and estimates the memory of each device, without loading weights."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.training import preflight
from libra_cli.training.data import overlap
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.packing import SampleOrder
from libra_cli.training.data.prepare import chat_format_of, prepare, tell_overlap
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import RowEncoder
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy
from libra_cli.training.model.kinds import refuse_other_kind
from libra_cli.training.monitoring.memory import MemoryPlan, estimate, rounded_gb
from libra_cli.training.settings import TrainSettings


def describe(
    settings: TrainSettings,
    encoder_of: Callable[[TrainingChat], RowEncoder],
    ranks: int,
    console: Console,
    unit: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """Samples, tokens, steps, and GB per device on `ranks` devices. Raises Fatal if the run itself would.

    `unit` consecutive samples are learned from together, and counted as one of a batch. `more` are fields of the
    MemoryPlan.
    """
    policy.quiet_libraries()
    config, batch = policy.load_config(settings.model), settings.batch
    refuse_other_kind(settings, "--model", config.to_dict())
    with _samples(settings, encoder_of, console) as stores:
        preflight.refuse_unfit(stores, config, batch.epochs)
        longest = max(int(store.lengths.reshape(-1, unit).sum(1).max()) for store in stores)
        train = stores[0]
        order = SampleOrder(len(train) // unit, batch.batch_size, batch.epochs, batch.seed)
        tokens = int(train.lengths.sum())
        description = {
            "samples": len(train),
            "tokens": tokens,
            "learned": int(train.n_targets.sum()),
            "longest": train.longest,
            "steps": min(order.steps, batch.max_steps or order.steps),
            "tokens_per_step": round(tokens / order.samples * min(batch.batch_size, order.total)),
        }
    return {**description, **memory_needs(settings, config, ranks, longest, **more)}


def memory_needs(settings: TrainSettings, config: Any, ranks: int, longest: int, **more: Any) -> dict[str, Any]:
    """GB per device on `ranks` devices, with samples of up to `longest` tokens; `more` are fields of the MemoryPlan.

    Raises Fatal(2) if options and devices do not go together.
    """
    torch_dtype = policy.dtype_of(settings.model.dtype)
    dtype = next(name for name, known in policy.DTYPES.items() if known == torch_dtype)
    if settings.model.dtype == "auto" and ranks > 1:
        dtype = "bf16"  # several devices are taken for GPUs, even if this machine has none
    world = World.simulated(ranks, settings.engine.sequence_parallel)
    ds_config = preflight.deepspeed_config_for(settings, world, policy.DTYPES[dtype])
    needed = estimate(
        config,
        MemoryPlan(
            ranks,
            ds_config["zero_optimization"]["stage"],
            max(settings.batch.micro_batch_tokens, longest),  # a longer sample gets a micro-batch of its own
            dtype,
            settings.engine.offload,
            settings.engine.sequence_parallel,
            settings.model.activation_checkpointing,
            settings.model.lora_rank,
            settings.model.lora_target,
            **more,
        ),
    )
    sentence = needed.sentence()
    if ranks == 1 and not torch.cuda.is_available():
        sentence += f"; on the CPU, since this machine has no GPU: {rounded_gb(needed.cpu_gb)} GB"
    return {"devices": ranks, "memory_gb": needed.table(), "memory": sentence}


@contextmanager
def _samples(
    settings: TrainSettings, encoder_of: Callable[[TrainingChat], RowEncoder], console: Console
) -> Iterator[list[TokenStore]]:
    """The training samples and, if there are any, the held-out samples, in a temporary folder."""
    data, log = settings.data, ErrorLog(None, console.stage, console)
    encoder = encoder_of(chat_format_of(data, policy.load_tokenizer(settings.model), console))
    with tempfile.TemporaryDirectory(prefix=f"libra-{console.stage}-") as folder:
        inputs = {"train": data.inputs, "eval": data.eval_data}
        stores = [
            prepare(str(Path(folder, name)), paths, encoder, data, World(), console, lambda: log)[0]
            for name, paths in inputs.items()
            if paths
        ]
        if len(stores) == 2:
            tell_overlap(stores[0], stores[1], encoder, data, console)
        if (score := settings.save.score) and (found := overlap.of_benchmark(stores[0].problems, score)):
            overlap.tell(console, score, found)
        yield stores
