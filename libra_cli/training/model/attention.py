"""Attention within documents: several documents lie end to end in one row, and none sees another.

No mask is built. On a GPU in half precision, torch's variable-length kernel takes the documents as they are; elsewhere
documents of similar length are padded on the right into a block, in which plain causal attention is exact, because the
padding comes after all tokens of a document. The cost is that of the documents, not that of the row squared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

NAME = "libra_documents"
"""Its name in transformers: `attn_implementation`."""

_WASTE = 0.2
_FREE_AREA = 1 << 14
"""A block grows while padding wastes at most this share of its pairs of tokens, or at most this many pairs."""


class Layout:
    """The boundaries of the documents in a row, and the blocks that they are padded into."""

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu"):
        self.lengths = tuple(lengths)
        ends = torch.tensor(self.lengths).cumsum(0)
        self.boundaries = torch.cat([ends.new_zeros(1), ends]).to(device, torch.int32)
        """int32 [documents + 1], cumulative."""
        self.longest = max(self.lengths)
        begins = (ends - torch.tensor(self.lengths)).tolist()
        self.blocks = [(len(block), max(self.lengths[i] for i in block)) for block in blocks_of(self.lengths)]
        """(documents, length of the longest) of each block."""
        take, place, offset = [], torch.empty(int(ends[-1]), dtype=torch.long), 0
        for block, (n, longest) in zip(blocks_of(self.lengths), self.blocks, strict=True):
            for row, i in enumerate(block):
                length, begin = self.lengths[i], begins[i]
                slots = torch.arange(longest).clamp_(max=length - 1) + begin
                take.append(slots)
                place[begin : begin + length] = torch.arange(length) + offset + row * longest
            offset += n * longest
        self.take, self.place = torch.cat(take).to(device), place.to(device)
        """Token of each slot of the blocks; slot of each token."""
        self.is_plain = len(self.lengths) == 1


def blocks_of(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of documents in blocks of similar length, the longest first."""
    blocks: list[list[int]] = []
    used = longest = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        area = lengths[i] ** 2
        wasted = longest**2 * (len(blocks[-1]) + 1) - used - area if blocks else 0
        if not blocks or wasted > max(_FREE_AREA, _WASTE * used):
            blocks.append([])
            used, longest = 0, lengths[i]
        blocks[-1].append(i)
        used += area
    return blocks


_layout: Layout | None = None


@contextmanager
def laid_out(layout: Layout | None) -> Iterator[None]:
    """Sets the documents of the row for attention; lasts until the backward pass ends, which may recompute."""
    global _layout
    before, _layout = _layout, layout
    try:
        yield
    finally:
        _layout = before


class _Permute(torch.autograd.Function):
    """x[take], with `place` as its inverse: padding gets no gradient, so the backward pass is a gather, not a sum."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, take: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        ctx.place = place
        return x.index_select(0, take)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # type: ignore[override]
        return gradient.index_select(0, ctx.place), None, None


class _Unpermute(torch.autograd.Function):
    """The inverse of `_Permute`: picks each token from its slot; padding gets a gradient of zero."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        ctx.place, ctx.n = place, x.shape[0]
        return x.index_select(0, place)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        spread = gradient.new_zeros(ctx.n, *gradient.shape[1:])
        return spread.index_copy_(0, ctx.place, gradient), None


def documents_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within the documents of the row, as an attention function of transformers.

    query: [1, heads, T, dim]; key and value: [1, key heads, T, dim]; returns [1, T, heads, dim]. Raises ValueError if
    the model needs more than plain causal attention (a mask of its own, sinks, capped scores).
    """
    layout = _layout
    refuse_extras(attention_mask, kwargs)
    window = kwargs.get("sliding_window")
    if layout is None:
        raise ValueError("no document layout is set")
    if window is not None and window < layout.longest:
        raise ValueError(f"documents are longer than the attention window of {window} tokens")
    q, k, v = (each[0].transpose(0, 1) for each in (query, key, value))
    rate = dropout if module.training else 0.0
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16) and not rate:
        try:
            from torch.nn.attention.varlen import varlen_attn
        except ImportError:  # an older torch
            pass
        else:
            bounds, longest, grouped = layout.boundaries, layout.longest, q.shape[1] != k.shape[1]
            out = varlen_attn(
                q, k, v, bounds, bounds, longest, longest, scale=scaling, window_size=(-1, 0), enable_gqa=grouped
            )
            return out.unsqueeze(0), None
    return _by_blocks(q, k, v, layout, scaling, rate).unsqueeze(0), None


def refuse_extras(mask: torch.Tensor | None, kwargs: dict[str, Any]) -> None:
    """Raises ValueError if a layer needs more than causal attention."""
    if mask is not None:
        raise ValueError("this model makes attention masks of its own")
    for name in ("s_aux", "softcap", "position_bias"):
        if kwargs.get(name) is not None:
            raise ValueError(f"this model's attention has a {name}")


def _by_blocks(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, scaling: float | None, dropout: float
) -> torch.Tensor:
    """Attention in padded blocks; [T, heads, dim] in and out."""
    repeats = q.shape[1] // k.shape[1]
    if not layout.is_plain:
        q, k, v = (_Permute.apply(each, layout.take, layout.place) for each in (q, k, v))
    if repeats > 1 and not q.is_cuda:  # the fast CPU kernel needs equally many heads in all three
        k, v = (each.repeat_interleave(repeats, dim=1) for each in (k, v))
    out = []
    sizes = [n * longest for n, longest in layout.blocks]
    # One split for all blocks: the gradient of a slice would be as long as the row, for each block.
    for (n, longest), *block in zip(layout.blocks, *(each.split(sizes) for each in (q, k, v)), strict=True):
        queries, keys, values = (each.unflatten(0, (n, longest)).transpose(1, 2) for each in block)
        attended = scaled_dot_product_attention(
            queries,
            keys,
            values,
            is_causal=True,
            scale=scaling,
            dropout_p=dropout,
            enable_gqa=q.is_cuda and repeats > 1,
        )
        out.append(attended.transpose(1, 2).flatten(0, 1))
    joined = torch.cat(out) if len(out) > 1 else out[0]
    return joined if layout.is_plain else _Unpermute.apply(joined, layout.place)


def register() -> None:
    """Registers the attention with transformers, without a mask function: it needs no mask."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, documents_attention)
