"""Gives an engine the state that other ranks, or another ZeRO stage, have saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import nn

from libra_cli.training.distributed.saved_state import WEIGHT, SavedState

ELEMENTWISE = ("Adam", "AdamW", "FusedAdam", "DeepSpeedCPUAdam", "SGD")
"""Optimizers that update each element of a weight by itself, so that their state may be cut anywhere."""


class Stretch(NamedTuple):
    """Where a stretch of a flattened parameter lies in a flat tensor of this rank."""

    name: str
    start: int
    """In the parameter."""
    at: int
    """In the flat tensor."""
    size: int


def obstacle(engine: Any) -> str | None:
    """What ties the state of DeepSpeed's `engine` to the layout that wrote it; None if nothing does."""
    optimizer = type(engine.basic_optimizer).__name__
    if optimizer not in ELEMENTWISE:
        return f"the optimizer {optimizer}"
    if engine.zero_nvme_offload_optimizer():
        return "an optimizer on NVMe"
    if getattr(engine.optimizer, "elastic_checkpoint", False):
        return "elastic_checkpoint"
    return None


def refuse_unfit(saved: SavedState, parameters: Mapping[str, nn.Parameter]) -> None:
    """Raises ValueError unless `saved` has each of the trained `parameters`, whole, and nothing else."""
    expected = {name: int(getattr(p, "ds_numel", p.numel())) for name, p in parameters.items()}
    sizes = saved.sizes
    for name in sorted({*expected, *sizes}):
        if sizes.get(name) != expected.get(name):
            has, needs = sizes.get(name, "no"), expected.get(name, "no")
            raise ValueError(f"it has {has} elements of {name}, the model {needs}")


@torch.no_grad()
def load(saved: SavedState, engine: Any, stage: int, parameters: Mapping[str, nn.Parameter]) -> None:
    """Makes `saved` the state of DeepSpeed's `engine`; all ranks call it, and each reads its own part only.

    `parameters`: those that are trained, by name. `refuse_unfit` has accepted them.
    """
    zero, optimizer = engine.optimizer, engine.basic_optimizer
    if stage == 3:
        zero.checkpoint_event_prologue()
    for flat, stretches in _flat_tensors(zero, stage, parameters):
        _fill(saved, WEIGHT, flat.data, stretches)
        kept: dict[str, Any] = {kind: torch.zeros_like(flat, dtype=dtype) for kind, dtype in saved.moments.items()}
        for kind, moment in kept.items():
            _fill(saved, kind, moment, stretches)
        if saved.step is not None:
            is_torch = type(optimizer).__module__.startswith("torch.")
            step = torch.tensor(saved.step, dtype=torch.float32, device=flat.device) if is_torch else int(saved.step)
            kept["step"] = step
        optimizer.state.pop(flat, None)
        if kept:
            optimizer.state[flat] = kept
    if stage:  # DeepSpeed loads what it has now, and refreshes all that it derives from it
        zero.load_state_dict({dist.get_rank(zero.dp_process_group): zero.state_dict()}, load_from_fp32_weights=True)
    if stage == 3:
        zero.checkpoint_event_epilogue()
    elif stage:
        zero.update_lp_params()
    buffers = dict(engine.module.named_buffers())
    for name, value in saved.buffers.items():
        buffers[name].copy_(value)
    for name, count in saved.counters.items():
        setattr(engine, name, count)


def _flat_tensors(
    zero: Any, stage: int, parameters: Mapping[str, nn.Parameter]
) -> Iterator[tuple[torch.Tensor, list[Stretch]]]:
    """The tensors that this rank's optimizer updates, and what lies in each."""
    if not stage:
        for name, parameter in parameters.items():
            yield parameter, [Stretch(name, 0, 0, parameter.numel())]
        return
    if stage == 3:
        names = {id(parameter): name for name, parameter in parameters.items()}
        rank = dist.get_rank(zero.dp_process_group)
        for flat, group in zip(zero.fp32_partitioned_groups_flat, zero.fp16_groups, strict=True):
            stretches, at = [], 0
            for parameter in group:
                share = parameter.partition_numel()
                size = max(0, min(share, parameter.ds_numel - rank * share))
                stretches.append(Stretch(names[id(parameter)], rank * share, at, size))
                at += share
            yield flat, stretches
        return
    groups: list[list[Stretch]] = [[] for _ in zero.param_groups]
    for name, parameter in parameters.items():
        if (mapping := parameter._hp_mapping) is not None:  # None: all of it lies on other ranks
            here, there = mapping.lp_fragment_address, mapping.get_hp_fragment_address()
            groups[mapping.param_group_index].append(Stretch(name, here.start, there.start, here.numel))
    for group, stretches in zip(zero.param_groups, groups, strict=True):
        yield group["params"][0], stretches


def _fill(saved: SavedState, kind: str, tensor: torch.Tensor, stretches: list[Stretch]) -> None:
    flat = tensor.view(-1)
    for name, start, at, size in stretches:
        saved.copy(name, kind, start, flat.narrow(0, at, size))
