"""A dry run: counts prompts and steps, and estimates the memory of each device, without loading weights."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from libra_cli.stages.grpo.run import GrpoMethod
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.signals import StopRequest
from libra_cli.training import preflight
from libra_cli.training.data.prepare import Preparation, chat_format_of
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy
from libra_cli.training.monitoring.memory import MemoryPlan, estimate
from libra_cli.training.settings import GrpoRunSettings


def describe(settings: GrpoRunSettings, ranks: int, console: Console) -> dict[str, Any]:
    """Prompts, rollouts, steps, and GB per device on `ranks` devices. Raises Fatal if the run itself would."""
    config, batch, rollout = policy.load_config(settings.model), settings.batch, settings.rollout
    torch_dtype = policy.dtype_of(settings.model.dtype)
    dtype = next(name for name, known in policy.DTYPES.items() if known == torch_dtype)
    if settings.model.dtype == "auto" and ranks > 1:
        dtype = "bf16"  # several devices are taken for GPUs, even if this machine has none
    world = World.simulated(ranks, settings.engine.sequence_parallel)
    ds_config = preflight.deepspeed_config_for(settings, world, policy.DTYPES[dtype])
    method, log = GrpoMethod(settings), ErrorLog(None, console.stage, console)
    chat = chat_format_of(settings.data, policy.load_tokenizer(settings.model))
    with tempfile.TemporaryDirectory(prefix="libra-grpo-") as folder:
        stop = StopRequest("grpo", settings.grace, settings.grace)
        preparation = Preparation(settings.data, chat, config, Path(folder), World(), console, lambda: log, stop)
        prompts = method.prepare(preparation).train
        preflight.refuse_unfit([prompts], config, batch.epochs)
        n_rollouts = max(1, round(len(prompts) * batch.epochs / rollout.prompts))
        updates = -(-rollout.responses // min(batch.batch_size, rollout.responses))
        longest = prompts.longest
        description = {
            "prompts": len(prompts),
            "longest_prompt": longest - rollout.max_tokens,
            "rollouts": n_rollouts,
            "steps": min(n_rollouts * updates, batch.max_steps or n_rollouts * updates),
            "responses_per_rollout": rollout.responses,
            "most_tokens_per_rollout": rollout.responses * rollout.max_tokens,
        }
    needed = estimate(
        config,
        MemoryPlan(
            ranks,
            ds_config["zero_optimization"]["stage"],
            max(batch.micro_batch_tokens, longest),
            dtype,
            settings.engine.offload,
            settings.engine.sequence_parallel,
            settings.model.activation_checkpointing,
            settings.model.lora_rank,
            settings.model.lora_target,
        ),
    )
    return {**description, "devices": ranks, "memory_gb": needed.table(), "memory": needed.sentence()}
