"""Keys and values of a batch that decodes: a token is written into room kept for it, and heads share their keys."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

SHARED_KEYS = "libra_shared_keys"
"""Name in transformers of `shared_keys_attention`."""
_ROOM, _ROOM_SHARE = 64, 8
"""Tokens that a full layer makes room for: at least 64, or 1/8 of those that it has."""


class RoomyLayer(DynamicLayer):
    """The cache of one layer, [B, heads, T, dim], in buffers with room for further tokens.

    A DynamicLayer copies all of its tokens to add one. `keys` and `values` are views of the buffers.
    """

    def __init__(self, layer: DynamicLayer):
        super().__init__()
        self.lazy_initialization(layer.keys, layer.values)
        self.put(layer.keys, layer.values)

    def put(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Replaces the cached states."""
        length = keys.shape[2]
        room = max(_ROOM, length // _ROOM_SHARE)
        self._buffers = [pad(states, (0, 0, 0, room)) for states in (keys, values)]
        self._view(length)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends states; returns those of all tokens."""
        begin = self.keys.shape[2]
        end = begin + key_states.shape[2]
        if end > self._buffers[0].shape[2]:
            self.put(torch.cat([self.keys, key_states], 2), torch.cat([self.values, value_states], 2))
        else:
            for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
                buffer[:, :, begin:end] = states
            self._view(end)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self._buffers = [buffer.index_select(0, indices) for buffer in self._buffers]
        self._view(self.keys.shape[2])

    def drop_first(self, tokens: int) -> None:
        """Forgets the first tokens of all rows."""
        self._buffers = [buffer[:, :, tokens:] for buffer in self._buffers]
        self._view(self.keys.shape[2] - tokens)

    def _view(self, length: int) -> None:
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)


def shared_keys_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """The `sdpa` of transformers, for decoding on a CPU: heads that share keys are queries to them, not copies of them.

    query: [B, heads, T, dim]; key and value: [B, key heads, T, dim]; returns [B, T, heads, dim]. Masked `sdpa` repeats
    keys and values for each head, which takes longer than attention itself.
    """
    batch, heads, length, dim = query.shape
    groups = key.shape[1]
    plain = not any(kwargs.get(name) is not None for name in ("position_bias", "cache"))
    if length > 1 or heads == groups or query.is_cuda or not plain:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    attended = scaled_dot_product_attention(
        query.reshape(batch, groups, heads // groups, dim), key, value, attention_mask, dropout, scale=scaling
    )
    return attended.reshape(batch, 1, heads, dim), None


def register() -> None:
    """Registers the attention with transformers, with the masks of `sdpa`."""
    AttentionInterface.register(SHARED_KEYS, shared_keys_attention)
    AttentionMaskInterface.register(SHARED_KEYS, sdpa_mask)
