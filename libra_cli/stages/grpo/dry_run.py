"""A dry run: counts prompts and steps, and estimates the memory of each device, without loading weights."""

from __future__ import annotations

import math
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from libra_cli import miniature
from libra_cli.engines.openai.endpoints import without_query
from libra_cli.stages.grpo.plan import check_async_steps, check_sampler_ranks, plan_of
from libra_cli.stages.grpo.predicted import calibrated, on_gpus
from libra_cli.stages.grpo.run import GrpoMethod
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.signals import StopRequest
from libra_cli.training import dry_run, preflight
from libra_cli.training.data.prepare import Preparation, chat_format_of
from libra_cli.training.data.prompts import PromptStore
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy
from libra_cli.training.model.kinds import refuse_other_kind
from libra_cli.training.monitoring.flops import ModelShape
from libra_cli.training.monitoring.memory import rounded_gb
from libra_cli.training.monitoring.phase import Phase
from libra_cli.training.rewards.judge import ALL, RANK, RewardJudge
from libra_cli.training.settings import GrpoRunSettings, RolloutSettings

SERVER_MEMORY_SHARE = 0.92
"""Of a GPU's memory that a vLLM server takes (vLLM 0.32), unless --sampler-arg says otherwise."""


def describe(settings: GrpoRunSettings, ranks: int, console: Console, run: str | None = None) -> dict[str, Any]:
    """Prompts, rollouts, steps, and GB per device on `ranks` devices. Raises Fatal if the run itself would.

    `run`: the run of --calibrate.
    """
    policy.quiet_libraries()
    config, batch, rollout = policy.load_config(settings.model), settings.batch, settings.rollout
    refuse_other_kind(settings, "--model", config.to_dict())
    if rollout.sampler_ranks:
        check_sampler_ranks(settings, ranks, starts=False)
        ranks -= rollout.sampler_ranks
    log = ErrorLog(None, console.stage, console)
    chat = chat_format_of(settings.data, policy.load_tokenizer(settings.model), console)
    with tempfile.TemporaryDirectory(prefix="libra-grpo-") as folder:
        stop = StopRequest("grpo", settings.grace, settings.grace)
        phase = Phase(console)
        preparation = Preparation(settings.data, chat, config, Path(folder), World(), console, lambda: log, stop, phase)
        prompts = cast(PromptStore, GrpoMethod(settings).prepare(preparation).train)
        preflight.refuse_unfit([prompts], config, batch.epochs)
        n_prompts, longest, mean_prompt = len(prompts), prompts.longest, float(prompts.lengths.mean())
    plan = plan_of(settings)
    settings = settings.for_data(n_prompts)
    check_async_steps(settings)
    asked, rollout = settings.asked(n_prompts), settings.rollout
    steps = settings.steps_of(asked)
    return {
        "prompts": n_prompts,
        "longest_prompt": longest - rollout.max_tokens,
        "rollouts": -(-asked // rollout.prompts),
        "steps": min(steps, batch.max_steps or steps),
        "responses": asked * rollout.samples,
        "responses_per_rollout": rollout.responses,
        "most_tokens_per_rollout": rollout.responses * rollout.max_tokens,
        **({"roles": {"train": ranks, "sample": rollout.sampler_ranks}} if rollout.sampler_ranks else {}),
        "sampler": _sampler(settings, config),
        **({} if plan.judge is None else {"judge": _judge(plan.judge, rollout)}),
        **dry_run.memory_needs(
            settings, config, ranks, longest, reference=bool(settings.loss.kl) and settings.model.lora_rank is None
        ),
        **({} if rollout.has_servers else {"on_gpus": on_gpus(settings, config, mean_prompt, longest)}),
        **({} if run is None else {"on_devices_of_the_run": calibrated(settings, config, mean_prompt, run)}),
    }


def _sampler(settings: GrpoRunSettings, config: Any) -> dict[str, Any]:
    """Who samples, and where; whether servers are up is seen when the run begins."""
    rollout = settings.rollout
    if rollout.sampler_ranks:
        devices = rollout.server_devices
        share = dict(rollout.sampler_arg).get("gpu_memory_utilization", SERVER_MEMORY_SHARE)
        return {
            "engine": "vllm",
            "runs_in": "the sampling processes",
            "servers": rollout.sampler_ranks // devices,
            "devices_of_each": devices,
            "weights_gb_per_device": rounded_gb(2 * ModelShape.of(config).parameters / devices / 1e9),
            "share_of_memory": share,
        }
    if rollout.sampler_url:
        return {"engine": "vllm", "runs_in": [without_query(url) for url in rollout.sampler_url]}
    if rollout.sampler != "auto":
        return {"engine": rollout.sampler, "runs_in": "each training process"}
    here = "vllm" if find_spec("vllm") and World().on_gpu else "transformers"
    chosen = "vllm on GPUs if it is installed, else transformers"
    return {"engine": here, "chosen": f"on this machine; {chosen}", "runs_in": "each training process"}


def _judge(judge: RewardJudge, rollout: RolloutSettings) -> dict[str, Any]:
    """Who judges and where, the requests of a rollout, and what a judge in the training processes takes beside them."""
    asked = rollout.responses
    if judge.task == RANK:
        pairs = math.comb(rollout.samples, 2) if judge.against == ALL else rollout.samples - 1
        asked = rollout.prompts * pairs * (2 if judge.orders == "both" else 1)
    path = Path(miniature.resolve(judge.model) or os.path.expanduser(judge.model))
    weights = sum(file.stat().st_size for file in path.glob("*.safetensors"))
    here = {"runs_in": "each training process", **({"weights_gb": rounded_gb(weights / 1e9)} if weights else {})}
    return {
        "model": judge.model,
        "task": judge.task,
        "requests_per_rollout": asked * judge.votes,
        **({"runs_in": list(judge.base_urls)} if judge.base_urls else here),
    }
