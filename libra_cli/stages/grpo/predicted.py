"""Seconds of a rollout with its steps on 1, 8, 16 and 64 devices, by assumed figures or by those of a measured run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from libra_cli import miniature
from libra_cli.engines.transformers import BATCH_SIZE, SMALL_BATCH_SIZE
from libra_cli.exits import Exit, Fatal
from libra_cli.training.distributed.deepspeed_engine import zero_stage
from libra_cli.training.model import policy
from libra_cli.training.monitoring import calibration, step_time
from libra_cli.training.monitoring.calibration import MeasuredRollout
from libra_cli.training.monitoring.flops import ModelShape
from libra_cli.training.monitoring.memory import rounded_gb
from libra_cli.training.monitoring.step_time import ASSUMED, H100, RolloutWork, SamplerPlan, StepTime
from libra_cli.training.rollouts.sampler import GPU_MEMORY_SHARE
from libra_cli.training.settings import GrpoRunSettings

DEVICES = (1, 8, 16, 64)
CHECKED = (
    "how seconds follow from shapes, lengths and devices, on a CPU (benchmarks/step_time, 2026-11-29): sampling, "
    "log-probabilities and learning within a factor of 1.3, the hand-over within 1.7; what a GPU reaches of its peaks "
    "is not checked"
)


class ModelSize(NamedTuple):
    """What a prediction needs to know of a model."""

    shape: ModelShape
    kv_elements: int
    """Of the keys and values of one token."""

    @classmethod
    def of(cls, config: Any) -> ModelSize:
        return cls(ModelShape.of(config), step_time.kv_bytes(config, 1))


def on_gpus(settings: GrpoRunSettings, config: Any, mean_prompt: float, longest: int) -> dict[str, Any]:
    """Memory of a vLLM that samples in the training processes, and seconds of a rollout, on H100s with 80 GB.

    `longest`: tokens of a prompt and its response. Responses are taken to have half of --max-tokens on average, the
    length that the paper expects (Eq. 4). Raises Fatal(2) for an engine argument that is no number of its kind.
    """
    shape, kv = ModelSize.of(config)
    kv *= 2
    plan = _vllm_plan(settings, shape)
    work = _work(settings, 8, mean_prompt, settings.rollout.max_tokens / 2, settings.rollout.max_tokens)
    predicted = StepTime(shape, kv, work, plan)
    shares = f"{ASSUMED.training:.0%} of their arithmetic in training and {ASSUMED.bandwidth:.0%} of their bandwidth"
    return {
        "tensor_parallel_size": plan.tensor_parallel,
        "sampler_gb": {
            "weights": rounded_gb(2 * shape.parameters / plan.tensor_parallel / 1e9),
            "all": rounded_gb(plan.share * H100.memory / 1e9),
        },
        "longest_sequences_at_once": step_time.cache_tokens(shape, kv, plan, H100) // longest,
        "seconds_of_a_rollout": predicted.table(DEVICES),
        "assumed": f"responses of {settings.rollout.max_tokens // 2:,} tokens on average; H100s at {shares}; "
        "--calibrate RUN takes both from a run",
        "checked": CHECKED,
    }


def calibrated(settings: GrpoRunSettings, config: Any, mean_prompt: float, run: str) -> dict[str, Any]:
    """Seconds of a rollout on devices like those of `run`, by what its rollouts and steps took.

    Lengths of responses are those of the run, up to --max-tokens. What events do not say (ZeRO stage, micro-batches,
    checkpointing) is taken from `settings` for the run, too. Raises Fatal(2) if the run cannot be used.
    """
    rollouts = calibration.measured_rollouts(run)
    of_run = calibration.settings_of(run)
    last = rollouts[-1]
    if last.sampler not in ("vllm", "transformers"):
        cure = "calibrate with a run without --sampler-url and --sampler-ranks"
        raise Fatal(Exit.USAGE, f"--calibrate {run}: servers sampled, and their seconds are not predicted; {cure}")
    model = replace(settings.model, model=str(of_run["model"]), revision=of_run["revision"])
    size = ModelSize.of(policy.load_config(model))
    factors = calibration.factors(rollouts, lambda each: _of_run(settings, of_run, size, each))
    mean = min(settings.rollout.max_tokens, sum(each.mean_tokens for each in rollouts) / len(rollouts))
    longest = max(mean, min(settings.rollout.max_tokens, max(each.longest for each in rollouts)))
    work = replace(_work(settings, last.devices, mean_prompt, mean, longest), bytes=_weight_bytes(last))
    predicted = _step_time(settings, settings.model.model, ModelSize.of(config), work, last)
    predicted = replace(predicted, efficiency=replace(predicted.efficiency, factors=factors))
    table: dict[str, dict[str, float] | None] = {}
    for devices in DEVICES:  # each number of devices has its own ZeRO stage
        zero = _work(settings, devices, mean_prompt, mean, longest).zero
        table |= replace(predicted, work=replace(work, zero=zero)).table((devices,))
    return {
        "seconds_of_a_rollout": table,
        "calibrated": {
            "run": run,
            "rollouts": len(rollouts),
            "devices": last.devices,
            "device": last.device,
            "sampler": last.sampler,
            "mean_tokens": round(mean, 1),
            "longest": round(longest),
            "measured_over_predicted": {phase: float(f"{ratio:.3g}") for phase, ratio in factors.items()},
        },
    }


def _of_run(
    settings: GrpoRunSettings, of_run: Mapping[str, Any], size: ModelSize, measured: MeasuredRollout
) -> StepTime:
    """What is predicted for a rollout of a run with the settings `of_run`."""
    planned = _work(settings, measured.devices, measured.prompt_tokens, 1, 1)
    work = replace(
        measured.work(planned, int(of_run["samples"])),
        log_prob_passes=bool(of_run["kl"]) + (of_run["old_log_probs"] == "trainer"),
        frozen=of_run["lora_rank"] is not None,
        bytes=_weight_bytes(measured),
    )
    return _step_time(settings, str(of_run["model"]), size, work, measured)


def _step_time(
    settings: GrpoRunSettings, model: str, size: ModelSize, work: RolloutWork, measured: MeasuredRollout
) -> StepTime:
    """A prediction for devices and the sampler of a measured rollout."""
    n_bytes = _weight_bytes(measured)
    share = _memory_share(settings)
    at_once, has_copy = None, True
    if measured.sampler == "transformers":
        default = BATCH_SIZE if miniature.resolve(model) is None else SMALL_BATCH_SIZE
        at_once, has_copy, share = settings.rollout.sampler_batch_size or default, work.zero == 3, 1.0
    plan = SamplerPlan(max(1, measured.devices // measured.engines), share, n_bytes, at_once, has_copy)
    efficiency = calibration.ON_CPU if measured.device == "CPU" else ASSUMED
    return StepTime(size.shape, size.kv_elements * n_bytes, work, plan, measured.accelerator, efficiency)


def _weight_bytes(measured: MeasuredRollout) -> int:
    return 4 if measured.device == "CPU" else 2


def _work(
    settings: GrpoRunSettings, devices: int, prompt_tokens: float, mean_tokens: float, longest: float
) -> RolloutWork:
    """A rollout of `settings` on so many devices, with responses of these lengths."""
    rollout = settings.rollout
    dtype = policy.dtype_of("bf16" if settings.model.dtype == "auto" and devices > 1 else settings.model.dtype)
    return RolloutWork(
        rollout.prompts,
        rollout.samples,
        prompt_tokens,
        mean_tokens,
        longest,
        settings.rollout_steps,
        settings.batch.micro_batch_tokens,
        zero_stage(settings.engine, dtype, devices),
        log_prob_passes=bool(settings.loss.kl) + (rollout.old_log_probs == "trainer"),
        recompute=settings.model.activation_checkpointing,
        frozen=settings.model.lora_rank is not None,
    )


def _memory_share(settings: GrpoRunSettings) -> float:
    share = dict(settings.rollout.sampler_arg).get("gpu_memory_utilization", GPU_MEMORY_SHARE)
    if not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise Fatal(Exit.USAGE, f"--sampler-arg gpu_memory_utilization={share}: give a share above 0, at most 1")
    return share


def _vllm_plan(settings: GrpoRunSettings, shape: ModelShape) -> SamplerPlan:
    """vLLM on the fewest H100s that hold the model, unless an argument says how many."""
    share = _memory_share(settings)
    needed = 2 ** max(0, math.ceil(math.log2(1.2 * 2 * shape.parameters / (share * H100.memory))))
    tensor_parallel = dict(settings.rollout.sampler_arg).get("tensor_parallel_size", needed)
    if type(tensor_parallel) is not int or tensor_parallel < 1:
        raise Fatal(Exit.USAGE, f"--sampler-arg tensor_parallel_size={tensor_parallel}: give a number from 1")
    return SamplerPlan(tensor_parallel, share)
