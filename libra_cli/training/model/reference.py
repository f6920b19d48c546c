"""The reference policy: the model that training began from, for the KL penalty."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import torch

from libra_cli.training.data.micro_batch import MicroBatch
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World, import_deepspeed
from libra_cli.training.model import attention, policy
from libra_cli.training.settings import ModelSettings


class AdapterReference:
    """The policy itself with its LoRA adapters switched off: no second copy of the weights."""

    def __init__(self, engine: TrainEngine):
        self._engine = engine

    def log_probs(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of this rank's targets (float32 [N])."""
        with self._engine.policy.model.disable_adapter():
            return self._engine.log_probs(micro_batch)


class FrozenReference:
    """A second copy of the starting weights; partitioned over the ranks under ZeRO-3, whole on each rank otherwise."""

    def __init__(self, settings: ModelSettings, config: Any, engine: TrainEngine, world: World, temperature: float):
        packed, sharded = engine.policy.packed, engine.stage == 3
        zero = {"train_micro_batch_size_per_gpu": 1, "zero_optimization": {"stage": 3}} if sharded else None
        if zero is not None and policy.dtype_of(settings.dtype) == torch.bfloat16:
            zero["bf16"] = {"enabled": True}
        lm = policy.load(settings, config, attention.NAME if packed else None, zero)
        self._policy = policy.PolicyModel(lm.eval().requires_grad_(False), packed)
        self._policy.chunked_head = engine.policy.chunked_head
        self._policy.set_temperature(temperature)
        self._module: Any = self._policy
        if not sharded:
            lm.to(world.device)
        else:
            with redirect_stdout(io.StringIO()):
                self._module, *_ = import_deepspeed().initialize(
                    model=self._policy, config=zero, dist_init_required=False
                )
            self._module.eval()

    def log_probs(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Log-probabilities of this rank's targets (float32 [N])."""
        with torch.no_grad(), self._policy.document_layout(micro_batch):
            return self._module(micro_batch.inputs, micro_batch.positions, micro_batch.targets)


def reference_of(
    settings: ModelSettings, config: Any, engine: TrainEngine, world: World, temperature: float
) -> AdapterReference | FrozenReference:
    """The reference of a run whose policy is on `engine`."""
    if settings.lora_rank is not None:
        return AdapterReference(engine)
    return FrozenReference(settings, config, engine, world, temperature)
