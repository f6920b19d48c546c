"""DeepSpeed as the engine of every run, from one CPU to many nodes: forward, backward, and one update per step."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import nn

from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.micro_batch import MicroBatch
from libra_cli.training.distributed import deepspeed_config, resharding
from libra_cli.training.distributed.saved_state import SavedState
from libra_cli.training.distributed.state_files import reading_data_only
from libra_cli.training.distributed.world import World, import_deepspeed
from libra_cli.training.model.muon import MuonAdamW
from libra_cli.training.model.policy import PolicyModel, ScoreModel
from libra_cli.training.objectives.base import Objective
from libra_cli.training.settings import EngineSettings, OptimizerSettings


class NonFinite(Exception):
    """The loss or the gradient is NaN or infinite; the weights are as they were before the step."""


class PassResult(NamedTuple):
    """What one micro-batch came to on this rank."""

    log_probs_N: torch.Tensor
    """Of this rank's targets, detached."""
    sums: Mapping[str, torch.Tensor | float]
    """The objective's figures, to be summed over micro-batches and ranks."""
    maxima: Mapping[str, torch.Tensor | float]
    """Those of which the largest counts."""


def build_config(
    engine: EngineSettings, optimizer: OptimizerSettings, dtype: torch.dtype, world: World
) -> dict[str, Any]:
    """DeepSpeed's configuration. Raises Fatal(2) if the user's own file cannot be used or contradicts the options.

    We sum gradients ourselves (`TrainEngine.learn`), so to DeepSpeed every micro-batch is a batch of one.
    """
    own = deepspeed_config.read(engine.deepspeed)
    deepspeed_config.fill_optimizer(own, asdict(optimizer))
    stage = zero_stage(engine, dtype, world.size)
    zero: dict[str, Any] = {"stage": stage}
    offloaded = {"device": "cpu", "pin_memory": world.on_gpu}
    if stage >= 1 and engine.offload != "none":
        zero["offload_optimizer"] = offloaded
    if stage == 3 and engine.offload == "all":
        zero["offload_param"] = offloaded
    if stage in (1, 2):
        zero.update(overlap_comm=world.on_gpu, contiguous_gradients=True)
    config: dict[str, Any] = {
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
    }
    if dtype == torch.bfloat16:
        config["bf16"] = {"enabled": True, "check_grad_overflow": True}
        config["data_types"] = {"grad_accum_dtype": "fp32"}
    if "bf16" in own:
        own["bf16"] = {**config.get("bf16", {}), **own["bf16"]}
    config.update(own)
    _check_config(config, engine, optimizer, dtype)
    if world.sp_size > 1:
        config["sequence_parallel_size"] = world.sp_size
    # DeepSpeed clips by 1 if the key is absent.
    clip = 0.0 if needs_own_clipping(config) else optimizer.clip
    return {
        **config,
        "train_batch_size": world.dp_size,
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": clip,
        "steps_per_print": 1 << 40,
    }


def needs_own_clipping(config: Mapping[str, Any]) -> bool:
    """We clip, not DeepSpeed: without ZeRO, in float32, it forgets the norm and checks nothing."""
    return not config["zero_optimization"]["stage"]


def _check_config(
    config: Mapping[str, Any], engine: EngineSettings, optimizer: OptimizerSettings, dtype: torch.dtype
) -> None:
    """Raises Fatal(2) if the parts do not go together."""
    stage, is_bf16 = config["zero_optimization"]["stage"], dtype == torch.bfloat16
    if bool(config.get("bf16", {}).get("enabled")) != is_bf16:
        raise Fatal(Exit.USAGE, "--deepspeed: bf16 is not what --dtype says; leave it out of the file")
    if is_bf16 and not stage:  # without ZeRO, DeepSpeed's bf16 optimizer takes an empty step as it begins
        raise Fatal(Exit.USAGE, "--deepspeed: bf16 needs ZeRO; set the stage to 1 at least")
    if optimizer.optimizer == "muon" and "optimizer" not in config and (stage or is_bf16):
        cure = "use --zero 0 and --dtype fp32, or DeepSpeed's own Muon in a --deepspeed file"
        raise Fatal(Exit.USAGE, f"--optimizer muon needs whole matrices in float32, this is ZeRO {stage}; {cure}")
    least = {"none": 0, "optimizer": 1, "all": 3}[engine.offload]
    if stage < least:
        what = f"--offload {engine.offload} needs ZeRO {least} at least, this is {stage}"
        raise Fatal(Exit.USAGE, f"{what}; use --zero {least}")


def zero_stage(engine: EngineSettings, dtype: torch.dtype, ranks: int) -> int:
    """The requested ZeRO stage, or the lowest that the run needs: master weights of bf16 come with ZeRO."""
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
    """Trainable parameters in optimizer groups: matrices decay, vectors (norms, biases) do not."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    size = lambda p: len(getattr(p, "ds_shape", p.shape))  # noqa: E731 -- a partitioned parameter is flat
    if not weight_decay:
        return [{"params": trainable, "weight_decay": 0.0}]
    matrices = {"params": [p for p in trainable if size(p) >= 2], "weight_decay": weight_decay}
    return [matrices, {"params": [p for p in trainable if size(p) < 2], "weight_decay": 0.0}]


class TrainEngine:
    """A policy model on all ranks; `config` is DeepSpeed's (see `build_config`)."""

    def __init__(
        self,
        policy: PolicyModel | ScoreModel,
        config: Mapping[str, Any],
        optimizer: OptimizerSettings,
        world: World,
        mpu: Any = None,
    ):
        deepspeed = import_deepspeed()
        self._clip, self._world, self._weight_decay = optimizer.clip, world, optimizer.weight_decay
        stage = int(config["zero_optimization"]["stage"])
        # The number of ranks over which DeepSpeed averages gradients: below ZeRO 3, those that share a row count once.
        self._averaged = world.size if stage == 3 else world.dp_size
        self._sp_group = mpu.get_sequence_parallel_group() if mpu is not None else None
        own = "optimizer" in config
        with redirect_stdout(io.StringIO()):  # DeepSpeed prints memory figures again and again
            self._engine, *_ = deepspeed.initialize(
                model=policy,
                config=dict(config),
                mpu=mpu,
                dist_init_required=False,
                optimizer=None if own else _build_optimizer(policy, config, optimizer, world),
                model_parameters=groups_of(policy, optimizer.weight_decay) if own else None,
            )
        self.policy = policy
        self.frozen = any(not p.requires_grad for p in policy.parameters())
        """Some weights are not trained (LoRA)."""
        self.stage = stage
        self.layout: dict[str, Any] = {
            "ranks": world.size,
            "zero": stage,
            "sequence_parallel": world.sp_size,
            "optimizer_on": config["zero_optimization"].get("offload_optimizer", {}).get("device", "none"),
        }
        """How the state is distributed; `optimizer_on` is where it is offloaded to."""
        self.precision = "bf16" if self._engine.bfloat16_enabled() else "fp32"
        self._own_clipping = needs_own_clipping(config)
        if world.size == 1 and self._own_clipping:  # gradients would be copied twice for an exchange of one rank
            self._engine.enable_backward_allreduce = False

    def train(self, training: bool = True) -> None:
        """Training mode, or evaluation mode."""
        self._engine.train(training)

    def log_probs(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of this rank's targets (float32 [N]), without gradient."""
        with torch.no_grad(), self.policy.document_layout(micro_batch):
            return self._engine(micro_batch.inputs, micro_batch.positions, micro_batch.targets)

    def evaluate(self, micro_batch: MicroBatch, objective: Objective) -> PassResult:
        """The objective's figures, without gradient."""
        log_probs_N = self.log_probs(micro_batch)
        if objective.linear:
            loss = objective(log_probs_N, micro_batch.token_batch.slice(micro_batch.own))
            return PassResult(log_probs_N, loss.sums, loss.maxima)
        loss = objective(self._whole_row(log_probs_N, micro_batch), micro_batch.token_batch)
        return PassResult(log_probs_N, self._counted_once(loss.sums), loss.maxima)

    def learn(self, micro_batch: MicroBatch, objective: Objective, last: bool) -> PassResult:
        """Adds the gradients of the objective's loss on a micro-batch; `last` of the step.

        DeepSpeed averages gradients over ranks; we want the sum, so losses are multiplied by the number of ranks.
        """
        given = (micro_batch.inputs, micro_batch.positions, micro_batch.targets)
        with self.policy.document_layout(micro_batch):
            if objective.linear:
                batch = micro_batch.token_batch.slice(micro_batch.own)
                zeros_N = torch.zeros_like(batch.weight, requires_grad=True)
                slope_N = torch.autograd.grad(objective(zeros_N, batch).total, zeros_N)[0]  # the same everywhere
                log_probs_N, total = self._engine(*given, slope_N * self._averaged)
                loss = objective(log_probs_N, batch)
                sums = loss.sums
            else:
                log_probs_N = self._engine(*given)
                loss = objective(self._whole_row(log_probs_N, micro_batch), micro_batch.token_batch)
                total, sums = loss.total * self._averaged, self._counted_once(loss.sums)
            self._engine.set_gradient_accumulation_boundary(last)
            self._engine.backward(total)
        if not last:
            self._engine.step()  # counts the micro-batch; updates nothing
        return PassResult(log_probs_N.detach(), sums, loss.maxima)

    def _whole_row(self, log_probs_N: torch.Tensor, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of all targets of a row that several ranks share; a gradient flows to this rank's only."""
        if self._sp_group is None:
            return log_probs_N
        own = micro_batch.own
        row = log_probs_N.new_zeros(len(micro_batch.token_batch.sample))
        row[own] = log_probs_N.detach()
        dist.all_reduce(row, group=self._sp_group)
        return torch.cat([row[: own.start], log_probs_N, row[own.stop :]])

    def _counted_once(self, sums: Mapping[str, torch.Tensor | float]) -> Mapping[str, torch.Tensor | float]:
        """Figures of a row that several ranks share: those of the first of them, zeros on the others."""
        return sums if self._world.sp_rank == 0 else dict.fromkeys(sums, 0.0)

    def update(self, lr: float) -> float:
        """Updates the weights; returns the gradient norm before clipping. Raises NonFinite if that is not finite."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = lr
        if self._own_clipping:
            trainable = [p for p in self.policy.parameters() if p.requires_grad]
            norm = float(nn.utils.clip_grad_norm_(trainable, self._clip or math.inf))
            if not math.isfinite(norm):
                raise NonFinite
            self._engine.step()
            return norm
        self._engine.step()
        if not self._engine.was_step_applied():  # DeepSpeed skips a step whose gradient is not finite
            raise NonFinite
        global_norm = self._engine.get_global_grad_norm()
        return math.nan if global_norm is None else float(global_norm)

    def save(self, folder: str) -> None:
        """Writes weights, master weights and optimizer state of all ranks below `folder`."""
        self._engine.save_checkpoint(folder, tag="state", save_latest=False, exclude_frozen_parameters=self.frozen)

    def load(self, folder: str) -> None:
        """Reads what ranks of the same layout saved, as data only. Raises any exception for what is not there."""
        with reading_data_only(self._engine.checkpoint_engine):
            path, _ = self._engine.load_checkpoint(
                folder, tag="state", load_module_strict=not self.frozen, load_lr_scheduler_states=False
            )
        if path is None:
            raise ValueError("the state of this rank is missing")

    @property
    def resharding_obstacle(self) -> str | None:
        """What ties the state to the layout that wrote it; None: `load_saved` takes it from any."""
        return resharding.obstacle(self._engine)

    def saved_state(self, folder: str) -> SavedState:
        """What ranks of any layout saved, as data only. Raises ValueError if it is not there or not of this model."""
        trained = self._trained
        names = {id(parameter): name for name, parameter in trained.items()}
        groups = groups_of(self.policy, self._weight_decay)
        saved = SavedState.open(Path(folder, "state"), [names[id(p)] for group in groups for p in group["params"]])
        resharding.refuse_unfit(saved, trained)
        return saved

    def load_saved(self, saved: SavedState) -> None:
        """Takes over what `saved_state` has found; each rank reads its own part. A collective."""
        resharding.load(saved, self._engine, self.stage, self._trained)

    @property
    def _trained(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self.policy.named_parameters() if p.requires_grad}

    def master_weight(self, parameter: torch.Tensor) -> torch.Tensor | None:
        """The whole float32 master weight of a trainable bf16 parameter; None if it has none. A collective."""
        if self.precision != "bf16" or not parameter.requires_grad:
            return None
        from deepspeed.utils import safe_get_full_fp32_param

        master: torch.Tensor | None = safe_get_full_fp32_param(parameter)
        return master

    def gathered(self, parameters: list[nn.Parameter]) -> Any:
        """A context in which these parameters are whole on every rank. A collective."""
        return nullcontext() if self.stage < 3 else import_deepspeed().zero.GatheredParameters(parameters)


def _build_optimizer(
    policy: PolicyModel | ScoreModel, config: Mapping[str, Any], settings: OptimizerSettings, world: World
) -> torch.optim.Optimizer:
    """Muon, or AdamW on the device that holds its state."""
    if settings.optimizer == "muon":
        return MuonAdamW(policy, policy.embedding_ids, settings)
    groups = groups_of(policy, settings.weight_decay)
    options = {"lr": settings.lr, "betas": (settings.beta1, settings.beta2), "eps": settings.epsilon}
    offload = config["zero_optimization"].get("offload_optimizer", {}).get("device", "none") != "none"
    if offload and world.on_gpu:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        return DeepSpeedCPUAdam(groups, adamw_mode=True, **options)
    return torch.optim.AdamW(groups, fused=True, **options)
