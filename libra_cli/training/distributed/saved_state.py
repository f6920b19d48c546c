"""The state of a checkpoint by the names of parameters, whichever ranks at whichever ZeRO stage have written it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import torch

from libra_cli.training.distributed.state_files import mapped_state

WEIGHT = "weight"
"""The name of the float32 weights; other tensors have those of the optimizer (`exp_avg`)."""
_STEP = "step"
_OPTIMIZER_FILE = re.compile(r"zero_pp_rank_(\d+)_mp_rank_00_optim_states\.pt")
_Tensors = Mapping[str, torch.Tensor]
"""Flat tensors of equal length, by kind: the weights, and what the optimizer keeps of them."""


@dataclass
class SavedState:
    """Master weights and optimizer state; tensors are mapped from their files, and read where they are copied."""

    pieces: dict[str, list[_Tensors]] = field(default_factory=dict)
    """The stretches of each flattened parameter, in their order."""
    step: float | None = None
    """Updates that the optimizer has counted; None if it has not."""
    buffers: Mapping[str, torch.Tensor] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    """What DeepSpeed counts."""

    @classmethod
    def open(cls, folder: Path, names: Sequence[str]) -> SavedState:
        """Maps the files of DeepSpeed in `folder`, as data only; `names` of the parameters, in the optimizer's order.

        Raises ValueError for what is missing or damaged.
        """
        found = sorted(
            (int(match[1]), path)
            for path in folder.glob("*_optim_states.pt")
            if (match := _OPTIMIZER_FILE.search(path.name))
        )
        models = sorted(folder.glob("*_model_states.pt"))
        if not models or [rank for rank, _ in found] != list(range(len(found))):
            raise ValueError("the state of a rank is missing")
        try:
            model = mapped_state(models[0])
            states = [mapped_state(path)["optimizer_state_dict"] for _, path in found]
            saved = cls(
                buffers={name: model["module"][name] for name in model["buffer_names"]},
                counters={name: model[name] for name in ("global_steps", "skipped_steps")},
            )
            saved._add(_stretches(model, states, names))
        except (LookupError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(f"it is no state of DeepSpeed: {type(error).__name__}: {error}") from None
        return saved

    def _add(self, stretches: Iterable[tuple[str, Mapping[str, Any], torch.Tensor]]) -> None:
        """Adds (parameter, optimizer state of the stretch, its weights)."""
        steps = set()
        for name, state, weight in stretches:
            if _STEP in state:
                steps.add(float(state[_STEP]))
            moments = {kind: value.reshape(-1) for kind, value in state.items() if kind != _STEP and value is not None}
            if any(len(value) != len(weight) for value in moments.values()):
                raise ValueError(f"the optimizer's state of {name} has another size than its weights")
            self.pieces.setdefault(name, []).append({WEIGHT: weight.detach(), **moments})
        if len(steps) > 1:
            raise ValueError("its parameters have taken different numbers of steps")
        self.step = next(iter(steps), None)

    @property
    def sizes(self) -> dict[str, int]:
        """Elements of each parameter."""
        return {name: sum(len(piece[WEIGHT]) for piece in pieces) for name, pieces in self.pieces.items()}

    @property
    def moments(self) -> dict[str, torch.dtype]:
        """The kinds of tensors that the optimizer keeps of a parameter, and their types."""
        pieces = (piece for each in self.pieces.values() for piece in each)
        return {kind: value.dtype for piece in pieces for kind, value in piece.items() if kind != WEIGHT}

    def copy(self, name: str, kind: str, start: int, into: torch.Tensor) -> None:
        """Copies a stretch of a flattened parameter, from its element `start` on, into a flat tensor of that length.

        Leaves it as it is where the optimizer has kept nothing, of a parameter that no loss depends on.
        """
        begin, end = 0, start + len(into)
        for piece in self.pieces[name]:
            first, last = max(start, begin), min(end, begin + len(piece[WEIGHT]))
            if first < last and kind in piece:
                into[first - start : last - start].copy_(piece[kind][first - begin : last - begin])
            begin += len(piece[WEIGHT])


def _stretches(
    model: Mapping[str, Any], states: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any], torch.Tensor]]:
    """(parameter, optimizer state, weights) of each stretch, rank after rank, from any ZeRO stage's files."""
    if not states:
        return _of_whole(model["module"], model["optimizer"], names)
    counts = {count for state in states for count in _listed(state["partition_count"])}
    if counts != {len(states)}:
        raise ValueError(f"{len(states)} ranks of {max(counts)} have written their state")
    if "fp32_flat_groups" in states[0]:
        return _of_stage_3(OrderedDict(pair for group in model["param_shapes"] for pair in group.items()), states)
    return _of_stages_1_and_2(states)


def _of_whole(
    module: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any], names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any], torch.Tensor]]:
    """Without ZeRO, weights have names, and the optimizer numbers them."""
    numbers = [number for group in optimizer["param_groups"] for number in group["params"]]
    if len(numbers) != len(names):
        raise ValueError(f"it has {len(numbers)} parameters, the model {len(names)}")
    for number, name in zip(numbers, names, strict=True):
        yield name, optimizer["state"].get(number, {}), module[name].reshape(-1)


def _of_stages_1_and_2(states: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any], torch.Tensor]]:
    """Each rank has a stretch of each group of parameters end to end, and notes which of them lie where."""
    for state in states:
        base = state["base_optimizer_state"]
        flats, places = state["single_partition_of_fp32_groups"], state["param_slice_mappings"]
        for group, flat, placed in zip(base["param_groups"], flats, places, strict=True):
            kept = base["state"].get(group["params"][0], {})
            for name, place in placed.items():
                yield name, _narrowed(kept, place.start, place.numel), flat.narrow(0, place.start, place.numel)


def _of_stage_3(
    shapes: Mapping[str, Sequence[int]], states: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any], torch.Tensor]]:
    """Each rank has an equal share of each parameter, the last one filled up; shares lie end to end in some groups."""
    for rank, state in enumerate(states):
        flats, kept = state["fp32_flat_groups"], state["optimizer_state_dict"]["state"]
        number = begin = 0
        for name, shape in shapes.items():
            share = -(-prod(shape) // len(states))
            if begin == len(flats[number]):
                number, begin = number + 1, 0
            own = max(0, min(share, prod(shape) - rank * share))
            yield name, _narrowed(kept.get(number, {}), begin, own), flats[number].narrow(0, begin, own)
            begin += share


def _narrowed(state: Mapping[str, Any], begin: int, size: int) -> dict[str, Any]:
    """The optimizer's state of a stretch; a number counts for all of them."""
    return {
        kind: value if kind == _STEP or value is None else value.narrow(0, begin, size) for kind, value in state.items()
    }


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]
