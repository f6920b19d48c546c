"""Numbers by which two copies of a model's weights are compared without bringing them to one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

_INTEGERS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}
_FACTORS, _SHIFTS = (-7046029254386353131, -4417276706812531889), (29, 32)
_SMALLEST_NORMAL = 1.1754943508222875e-38
_ELEMENTS, _CACHED_ELEMENTS = 1 << 24, 1 << 18
"""Elements that are hashed at once: by a GPU, in few calls; by a CPU, without leaving its cache (6 times as fast)."""
_COLUMNS = 8
"""Of a matrix that can only be read a column at a time."""


class HeldWeight(NamedTuple):
    """A weight that an engine holds, or several that it has joined to one."""

    names: list[str]
    """In a checkpoint."""
    columns: list[int] | None
    """First and stride of the columns that were read; None: all elements were."""
    dtype: str
    digest: int
    """The `digest` of these elements, or of this worker's share of them."""


def digest(values: torch.Tensor) -> int:
    """The sum of a hash of each element, modulo 2^64: of the same elements in any order, the same.

    So it does not matter how an engine lays weights out, and the digest of joined weights is the sum of theirs.
    Zeros count nothing, and numbers below the normal range, which kernels may take for zeros, are zeros.
    """
    import torch

    total, at_once = 0, _CACHED_ELEMENTS if values.device.type == "cpu" else _ELEMENTS
    for part in values.detach().reshape(-1).split(at_once):
        bits = torch.where(part.abs() < _SMALLEST_NORMAL, torch.zeros_like(part), part)
        hashed = bits.view(getattr(torch, _INTEGERS[part.element_size()])).to(torch.int64)
        for factor, shift in zip(_FACTORS, _SHIFTS, strict=True):
            hashed = hashed.mul_(factor)
            hashed ^= hashed >> shift
        total += int(hashed.sum())
    return total % (1 << 64)


def drawn_columns(width: int, draw: int) -> list[int]:
    """First and stride of a few columns of a matrix; as `draw` counts on, all have their turn."""
    stride = max(1, width // _COLUMNS)
    return [draw % stride, stride]
