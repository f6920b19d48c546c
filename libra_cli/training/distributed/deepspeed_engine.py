"""DeepSpeed as the engine of every run, from one CPU to many nodes: forward, backward, and one update a step."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.micro_batch import Pass
from libra_cli.training.distributed import deepspeed_config
from libra_cli.training.distributed.world import World, import_deepspeed
from libra_cli.training.model.muon import MuonAdamW
from libra_cli.training.model.policy import Learner
from libra_cli.training.settings import EngineSettings, OptimizerSettings


class NonFinite(Exception):
    """The loss or the gradient is not a number, or infinite; the weights are as they were before the step."""


def configuration(
    engine: EngineSettings, optimizer: OptimizerSettings, dtype: torch.dtype, world: World
) -> dict[str, Any]:
    """What DeepSpeed is told; raises Fatal(2) where the user's own file cannot be taken.

    Gradients are summed by us (`Engine.learn`), so for DeepSpeed every pass is a batch of one.
    """
    own = deepspeed_config.read(engine.deepspeed)
    deepspeed_config.fill_optimizer(own, asdict(optimizer))
    stage = zero_stage(engine, dtype, world.size)
    config: dict[str, Any] = {"zero_optimization": _zero(stage, engine, world), "zero_allow_untested_optimizer": True,
                              "zero_force_ds_cpu_optimizer": False}  # fmt: skip
    if dtype == torch.bfloat16:
        config["bf16"] = {"enabled": True, "check_grad_overflow": True}
        config["data_types"] = {"grad_accum_dtype": "fp32"}
    if "bf16" in own:
        own["bf16"] = {**config.get("bf16", {}), **own["bf16"]}
    config.update(own)
    _check(config, optimizer, dtype)
    _check_offload(engine.offload, config["zero_optimization"]["stage"])
    if world.sequence_parallel > 1:
        config["sequence_parallel_size"] = world.sequence_parallel
    # DeepSpeed clips by 1 where the key is absent.
    clip = 0.0 if clips_itself(config) else optimizer.clip
    return {**config, "train_batch_size": world.replicas, "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1, "gradient_clipping": clip, "steps_per_print": 1 << 40}  # fmt: skip


def _zero(stage: int, engine: EngineSettings, world: World) -> dict[str, Any]:
    zero: dict[str, Any] = {"stage": stage}
    offloaded = {"device": "cpu", "pin_memory": world.on_gpu}
    if stage >= 1 and engine.offload != "none":
        zero["offload_optimizer"] = offloaded
    if stage == 3 and engine.offload == "all":
        zero["offload_param"] = offloaded
    if stage in (1, 2):
        zero.update(overlap_comm=world.on_gpu, contiguous_gradients=True)
    return zero


def clips_itself(config: Mapping[str, Any]) -> bool:
    """Whether gradients are clipped by us: without ZeRO, in float32, DeepSpeed forgets the norm and checks nothing."""
    return not config["zero_optimization"]["stage"]


def _check_offload(offload: str, stage: int) -> None:
    """Raises Fatal(2) where there is nothing that could live on the host."""
    least = {"none": 0, "optimizer": 1, "all": 3}[offload]
    if stage < least:
        raise Fatal(Exit.USAGE, f"--offload {offload} needs ZeRO {least} at least, this is {stage}; use --zero {least}")


def _check(config: Mapping[str, Any], optimizer: OptimizerSettings, dtype: torch.dtype) -> None:
    """Raises Fatal(2) where the parts do not go together."""
    stage, is_bf16 = config["zero_optimization"]["stage"], dtype == torch.bfloat16
    if bool(config.get("bf16", {}).get("enabled")) != is_bf16:
        raise Fatal(Exit.USAGE, "--deepspeed: bf16 is not what --dtype says; leave it out of the file")
    if is_bf16 and not stage:  # its optimiser without ZeRO takes a step of nothing as it begins
        raise Fatal(Exit.USAGE, "--deepspeed: bf16 needs ZeRO; set the stage to 1 at least")
    if optimizer.optimizer == "muon" and "optimizer" not in config and (stage or is_bf16):
        cure = "use --zero 0 and --dtype fp32, or DeepSpeed's own Muon in a --deepspeed file"
        raise Fatal(Exit.USAGE, f"--optimizer muon needs whole matrices in float32, this is ZeRO {stage}; {cure}")


def zero_stage(engine: EngineSettings, dtype: torch.dtype, ranks: int) -> int:
    """The stage that was asked for, or the least that such a run needs: bf16's master weights come with ZeRO."""
    own = deepspeed_config.read(engine.deepspeed).get("zero_optimization", {}).get("stage")
    if own is not None:
        return int(own)
    least = 1 if dtype == torch.bfloat16 else 0
    if engine.zero is not None:
        return max(engine.zero, least)
    if engine.offload != "none":
        return 3 if engine.offload == "all" else 2
    return 2 if ranks > 1 else least


def groups_of(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters that are learned: matrices decay, vectors (norms, biases) do not."""
    learned = [p for p in model.parameters() if p.requires_grad]
    size = lambda p: len(getattr(p, "ds_shape", p.shape))  # noqa: E731 -- a partitioned parameter is flat
    if not weight_decay:
        return [{"params": learned, "weight_decay": 0.0}]
    matrices = {"params": [p for p in learned if size(p) >= 2], "weight_decay": weight_decay}
    return [matrices, {"params": [p for p in learned if size(p) < 2], "weight_decay": 0.0}]


class Engine:
    """A learner on all ranks; `config` is DeepSpeed's (see `configuration`)."""

    def __init__(self, learner: Learner, config: Mapping[str, Any], optimizer: OptimizerSettings, world: World,
                 mpu: Any = None):  # fmt: skip
        deepspeed = import_deepspeed()
        self._clip, self._world = optimizer.clip, world
        stage = int(config["zero_optimization"]["stage"])
        # Over how many ranks DeepSpeed averages gradients: below ZeRO 3 those that share a row count as one.
        self._averaged = world.size if stage == 3 else world.replicas
        own = "optimizer" in config
        optimiser = None if own else _optimiser(learner, config, optimizer, world)
        with redirect_stdout(io.StringIO()):  # it prints how much memory there is, again and again
            self._engine, *_ = deepspeed.initialize(
                model=learner, config=dict(config), optimizer=optimiser, mpu=mpu,
                model_parameters=groups_of(learner, optimizer.weight_decay) if own else None,
                dist_init_required=False,
            )  # fmt: skip
        self.learner = learner
        self.frozen = any(not p.requires_grad for p in learner.parameters())
        """Whether some weights are not learned (LoRA)."""
        self.stage = stage
        self.precision = "bf16" if self._engine.bfloat16_enabled() else "fp32"
        self._own_clip = clips_itself(config)
        if world.size == 1 and self._own_clip:  # gradients would be copied twice, to be exchanged with nobody
            self._engine.enable_backward_allreduce = False
        self._norm = 0.0

    def train(self, learning: bool = True) -> None:
        """Learning, or looking only."""
        self._engine.train(learning)

    def losses(self, given: Pass, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """The scaled sum and the losses of the pass (see `Learner`); within `learner.layout`."""
        return self._engine(given.inputs, given.positions, given.targets, scale)

    def learn(self, given: Pass, scale: float, last: bool) -> torch.Tensor:
        """Adds the gradients of scale * the sum of the pass's losses, which it gives; `last` of the step.

        DeepSpeed averages over the ranks, and we want the sum.
        """
        with self.learner.layout(given):
            total, losses = self.losses(given, scale * self._averaged)
            self._engine.set_gradient_accumulation_boundary(last)
            self._engine.backward(total)
        if not last:
            self._engine.step()  # moves on to the next pass; nothing is updated
        return losses

    def update(self, lr: float) -> float:
        """Moves the weights; gives the gradient's norm before clipping, raises NonFinite where that is not finite."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = lr
        if self._own_clip:
            norm = nn.utils.clip_grad_norm_([p for p in self.learner.parameters() if p.requires_grad],
                                            self._clip or math.inf)  # fmt: skip
            self._norm = float(norm)
            if not math.isfinite(self._norm):
                raise NonFinite
        self._engine.step()
        if not self._own_clip:
            norm = self._engine.get_global_grad_norm()
            self._norm = math.nan if norm is None else float(norm)
            if not self._engine.was_step_applied():  # DeepSpeed leaves out a step whose gradient is not finite
                raise NonFinite
        return self._norm

    def save(self, folder: str) -> None:
        """Weights, master weights and the optimiser's state of all ranks below `folder`."""
        self._engine.save_checkpoint(folder, tag="state", save_latest=False, exclude_frozen_parameters=self.frozen)

    def load(self, folder: str) -> None:
        """What `save` wrote, by as many ranks; raises OSError or ValueError where it is not there."""
        path, _ = self._engine.load_checkpoint(folder, tag="state", load_module_strict=not self.frozen,
                                               load_lr_scheduler_states=False)  # fmt: skip
        if path is None:
            raise ValueError("the state of this rank is missing")

    def master(self, parameter: torch.Tensor) -> torch.Tensor | None:
        """The float32 weight that a learned bf16 one is rounded from, whole; None where there is none. Of all ranks."""
        if self.precision != "bf16" or not parameter.requires_grad:
            return None
        from deepspeed.utils import safe_get_full_fp32_param

        found: torch.Tensor | None = safe_get_full_fp32_param(parameter)
        return found

    def whole(self, parameters: list[nn.Parameter]) -> Any:
        """A context in which these parameters are whole on every rank."""
        from contextlib import nullcontext

        if self.stage < 3:
            return nullcontext()
        return import_deepspeed().zero.GatheredParameters(parameters)


def _optimiser(
    learner: Learner, config: Mapping[str, Any], settings: OptimizerSettings, world: World
) -> torch.optim.Optimizer:
    if settings.optimizer == "muon":
        return MuonAdamW(learner, learner.outer, settings)
    return _adam(learner, config, settings, world)


def _adam(
    learner: Learner, config: Mapping[str, Any], settings: OptimizerSettings, world: World
) -> torch.optim.Optimizer:
    """AdamW on the device where the optimiser's state lives."""
    groups = groups_of(learner, settings.weight_decay)
    numbers = {"lr": settings.lr, "betas": (settings.beta1, settings.beta2), "eps": settings.epsilon}
    offload = config["zero_optimization"].get("offload_optimizer", {}).get("device", "none") != "none"
    if offload and world.on_gpu:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        return DeepSpeedCPUAdam(groups, adamw_mode=True, **numbers)
    return torch.optim.AdamW(groups, fused=True, **numbers)
