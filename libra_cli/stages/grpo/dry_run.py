"""A dry run: counts prompts and steps, and estimates the memory of each device, without loading weights."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from libra_cli.stages.grpo.run import GrpoMethod
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.signals import StopRequest
from libra_cli.training import dry_run, preflight
from libra_cli.training.data.prepare import Preparation, chat_format_of
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy
from libra_cli.training.settings import GrpoRunSettings


def describe(settings: GrpoRunSettings, ranks: int, console: Console) -> dict[str, Any]:
    """Prompts, rollouts, steps, and GB per device on `ranks` devices. Raises Fatal if the run itself would."""
    config, batch, rollout = policy.load_config(settings.model), settings.batch, settings.rollout
    log = ErrorLog(None, console.stage, console)
    chat = chat_format_of(settings.data, policy.load_tokenizer(settings.model))
    with tempfile.TemporaryDirectory(prefix="libra-grpo-") as folder:
        stop = StopRequest("grpo", settings.grace, settings.grace)
        preparation = Preparation(settings.data, chat, config, Path(folder), World(), console, lambda: log, stop)
        prompts = GrpoMethod(settings).prepare(preparation).train
        preflight.refuse_unfit([prompts], config, batch.epochs)
        n_prompts, longest = len(prompts), prompts.longest
    n_rollouts = settings.n_rollouts(n_prompts)
    steps = n_rollouts * settings.rollout_steps
    return {
        "prompts": n_prompts,
        "longest_prompt": longest - rollout.max_tokens,
        "rollouts": n_rollouts,
        "steps": min(steps, batch.max_steps or steps),
        "responses_per_rollout": rollout.responses,
        "most_tokens_per_rollout": rollout.responses * rollout.max_tokens,
        **dry_run.memory_needs(
            settings, config, ranks, longest, reference=bool(settings.loss.kl) and settings.model.lora_rank is None
        ),
    }
