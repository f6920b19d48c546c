"""Samples as tensors: the inputs of one forward pass, its targets, and what the objective knows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from libra_cli.training.data.sources import Annotations
from libra_cli.training.model.attention import Layout
from libra_cli.training.objectives.base import TokenBatch

Rows = list[np.ndarray]
Device: TypeAlias = "torch.device | str"


@dataclass
class MicroBatch:
    """One forward pass of one rank; positions are indices into its flattened rows."""

    inputs: dict[str, torch.Tensor]
    """input_ids, position_ids and, for padded rows, attention_mask: each [rows, T]."""
    positions: torch.Tensor
    """int64 [N]: the positions that predict a target."""
    targets: torch.Tensor
    """int64 [N]: the tokens that they predict."""
    samples: np.ndarray
    """int64 [N]: the sample of each target, by its index."""
    token_batch: TokenBatch
    """Targets of the whole row; those of this rank are `own` (all of them without sequence parallelism)."""
    own: slice
    tokens: int
    """Without padding."""
    layout: Layout | None = None
    """The documents of a packed row."""

    @property
    def slots(self) -> int:
        """Tokens with padding."""
        return self.inputs["input_ids"].numel()


def make_micro_batch(
    store: Any,
    samples: Sequence[int],
    annotations: Annotations | None = None,
    *,
    packed: bool,
    pad_id: int,
    sp_size: int = 1,
    sp_rank: int = 0,
    device: Device = "cpu",
) -> MicroBatch:
    """The micro-batch of these samples; without any, one of two tokens and no target.

    `sp_size` ranks share a packed row (sequence parallelism), each an equally long stretch; this is that of `sp_rank`.
    """
    encoded = [store.sample(i) for i in samples]
    ids = [np.asarray(each.ids, dtype=np.int64) for each in encoded] or [np.full(2, pad_id, dtype=np.int64)]
    masks = [np.asarray(each.loss_mask, dtype=bool) for each in encoded] or [np.zeros(2, dtype=bool)]
    is_target = [np.concatenate([[False], mask[1:]]) for mask in masks]
    owners = np.repeat(np.asarray(list(samples) or [-1]), [mask.sum() for mask in is_target])
    token_batch = _token_batch(list(samples), is_target, annotations, device)
    if packed:
        return _packed_row(ids, is_target, owners, token_batch, pad_id, sp_size, sp_rank, device)
    return _padded_rows(ids, is_target, owners, token_batch, pad_id, device)


def _token_batch(samples: list[int], is_target: Rows, annotations: Annotations | None, device: Device) -> TokenBatch:
    counts = [int(mask.sum()) for mask in is_target[: len(samples)]]

    def per_target(values: Mapping[int, float | np.ndarray] | None) -> torch.Tensor | None:
        if values is None:
            return None
        parts = [np.empty(0, np.float32)]
        for index, count in zip(samples, counts, strict=True):
            value = np.asarray(values[index], np.float32)
            if value.ndim and value.shape != (count,):
                raise ValueError(f"sample {index} has {count} targets, but an annotation of shape {value.shape}")
            parts.append(np.broadcast_to(value, count))
        return _tensor(np.concatenate(parts), device)

    given = annotations or Annotations(dict.fromkeys(samples, 0.0))
    weight = per_target(given.weight)
    assert weight is not None
    return TokenBatch(
        _tensor(np.repeat(np.arange(len(samples)), counts), device),
        len(samples),
        weight,
        per_target(given.advantage),
        per_target(given.old_logp),
        per_target(given.ref_logp),
        per_target(given.sampler_logp),
        per_target(given.label),
        per_target(given.baseline),
    )


def _packed_row(
    ids: Rows,
    is_target: Rows,
    owners: np.ndarray,
    token_batch: TokenBatch,
    pad_id: int,
    sp_size: int,
    sp_rank: int,
    device: Device,
) -> MicroBatch:
    """Documents end to end in one row."""
    tokens = sum(map(len, ids))
    lengths = [len(each) for each in ids]
    filler = -tokens % sp_size
    if filler:  # a last document of padding makes the row divisible
        ids, is_target = [*ids, np.full(filler, pad_id)], [*is_target, np.zeros(filler, dtype=bool)]
        lengths.append(filler)
    row = np.concatenate(ids)
    positions_in_document = np.concatenate([np.arange(length) for length in lengths])
    stretch = len(row) // sp_size
    begin = sp_rank * stretch
    at = np.flatnonzero(np.concatenate(is_target)) - 1
    own = slice(*np.searchsorted(at, [begin, begin + stretch]).tolist())
    at = at[own]
    here = slice(begin, begin + stretch)
    inputs = {
        "input_ids": _tensor(row[here], device).unsqueeze(0),
        "position_ids": _tensor(positions_in_document[here], device).unsqueeze(0),
    }
    counted = tokens if sp_rank == 0 and token_batch.n_samples else 0
    return MicroBatch(
        inputs,
        _tensor(at - begin, device),
        _tensor(row[at + 1], device),
        owners[own],
        token_batch,
        own,
        counted,
        Layout(lengths, device),
    )


def _padded_rows(
    ids: Rows, is_target: Rows, owners: np.ndarray, token_batch: TokenBatch, pad_id: int, device: Device
) -> MicroBatch:
    """A row for each sample, padded on the right."""
    n, longest = len(ids), max(map(len, ids))
    rows = np.full((n, longest), pad_id, dtype=np.int64)
    attention, targets = np.zeros((n, longest), dtype=np.int64), np.zeros((n, longest), dtype=bool)
    for number, (row, mask) in enumerate(zip(ids, is_target, strict=True)):
        rows[number, : len(row)], attention[number, : len(row)], targets[number, : len(row)] = row, 1, mask
    at = np.flatnonzero(targets)
    inputs = {"input_ids": _tensor(rows, device), "attention_mask": _tensor(attention, device)}
    inputs["position_ids"] = _tensor(np.broadcast_to(np.arange(longest), rows.shape).copy(), device)
    tokens = int(attention.sum()) if token_batch.n_samples else 0
    return MicroBatch(
        inputs,
        _tensor(at - 1, device),
        _tensor(rows.reshape(-1)[at], device),
        owners,
        token_batch,
        slice(0, len(at)),
        tokens,
    )


def _tensor(values: np.ndarray, device: Device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device, non_blocking=True)
