"""Samples as tensors: what one forward pass sees and what is learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from libra_cli.training.model.attention import Layout

Rows = list[np.ndarray]
Device: TypeAlias = "torch.device | str"


@dataclass
class Pass:
    """One forward pass of one rank; the positions are those of the row flattened."""

    inputs: dict[str, torch.Tensor]
    """input_ids, position_ids and, of padded rows, attention_mask: each [rows, T]."""
    positions: torch.Tensor
    """[N]: where the next token is learned."""
    targets: torch.Tensor
    """[N]: that token."""
    owners: np.ndarray
    """[N]: the sample of each target."""
    tokens: int
    """Without padding."""
    layout: Layout | None = None
    """The documents of a packed row."""

    @property
    def slots(self) -> int:
        """With padding."""
        return self.inputs["input_ids"].numel()


def make(store: Any, samples: Sequence[int], *, packed: bool, pad_id: int, multiple: int = 1, part: int = 0,
         device: Device = "cpu") -> Pass:  # fmt: skip
    """The pass of these samples; without any, one of two tokens from which nothing is learned.

    `multiple` ranks share a packed row (sequence parallelism), each a stretch of equal length; this is that of `part`.
    """
    encoded = [store.sample(i) for i in samples]
    ids = [np.asarray(each.ids, dtype=np.int64) for each in encoded] or [np.full(2, pad_id, dtype=np.int64)]
    learned = [np.asarray(each.learned, dtype=bool) for each in encoded] or [np.zeros(2, dtype=bool)]
    build = _packed if packed else _padded
    return build(ids, learned, list(samples) or [-1], pad_id, multiple, part, device)


def _packed(
    ids: Rows, learned: Rows, samples: list[int], pad_id: int, multiple: int, part: int, device: Device
) -> Pass:
    """Documents end to end in one row."""
    tokens = sum(map(len, ids))
    lengths = [len(each) for each in ids]
    filler = -tokens % multiple
    if filler:  # a last document of padding makes the row divisible
        ids, learned = [*ids, np.full(filler, pad_id)], [*learned, np.zeros(filler, dtype=bool)]
        lengths.append(filler)
    row = np.concatenate(ids)
    places = np.concatenate([np.arange(length) for length in lengths])
    is_target = np.concatenate([np.concatenate([[False], each[1:]]) for each in learned])
    owners = np.repeat([*samples, -1][: len(lengths)], lengths)
    stretch = len(row) // multiple
    begin = part * stretch
    at = np.flatnonzero(is_target) - 1
    at = at[(at >= begin) & (at < begin + stretch)]
    here = slice(begin, begin + stretch)
    inputs = {"input_ids": _row(row[here], device), "position_ids": _row(places[here], device)}
    return Pass(inputs, _tensor(at - begin, device), _tensor(row[at + 1], device), owners[at + 1],
                tokens if part == 0 and samples != [-1] else 0, Layout(lengths, device))  # fmt: skip


def _padded(
    ids: Rows, learned: Rows, samples: list[int], pad_id: int, _multiple: int, _part: int, device: Device
) -> Pass:
    """A row for each sample, padded on the right."""
    n, longest = len(ids), max(map(len, ids))
    rows = np.full((n, longest), pad_id, dtype=np.int64)
    mask, is_target = np.zeros((n, longest), dtype=np.int64), np.zeros((n, longest), dtype=bool)
    for number, (row, targets) in enumerate(zip(ids, learned, strict=True)):
        rows[number, : len(row)], mask[number, : len(row)] = row, 1
        is_target[number, 1 : len(row)] = targets[1:]
    at = np.flatnonzero(is_target)
    inputs = {"input_ids": _tensor(rows, device), "attention_mask": _tensor(mask, device)}
    inputs["position_ids"] = _tensor(np.broadcast_to(np.arange(longest), rows.shape).copy(), device)
    targets = _tensor(rows.reshape(-1)[at], device)
    return Pass(
        inputs,
        _tensor(at - 1, device),
        targets,
        np.asarray(samples)[at // longest],
        int(mask.sum()) * (samples != [-1]),
    )


def _row(values: np.ndarray, device: Device) -> torch.Tensor:
    return _tensor(values, device).unsqueeze(0)


def _tensor(values: np.ndarray, device: Device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device, non_blocking=True)
