"""Sequences that decode together on one KV cache; a finished one makes room for the next."""

from __future__ import annotations

import inspect
from collections.abc import Sequence as SequenceOf
from typing import Any

import torch
from torch.nn.functional import pad
from transformers.cache_utils import DynamicLayer

from libra_cli.engines.kv_cache import RoomyLayer


class KvBatch:
    """Left-padded sequences, one token per step; `rows` are whatever the caller keeps for each.

    New rows are prefilled apart, then their caches are joined with those at work. A cache that is not plain keys and
    values (sliding windows, recurrent states) cannot be joined: such a model takes new rows when all old ones are done.
    """

    def __init__(self, model: Any, pad_id: int, trained: bool = False):
        self._model, self._pad_id = model, pad_id
        # Inference mode is faster, but a tensor that a module caches in it could not be used in a backward pass.
        self._no_gradients = torch.no_grad if trained else torch.inference_mode
        accepted = inspect.signature(model.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._cache_name = "cache" if "cache" in accepted else "past_key_values"  # of older versions
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self.clear()

    def clear(self) -> None:
        """Drops every row."""
        self.rows: list[Any] = []
        self._cache: Any = None
        self._mask_B_T = torch.empty(0, 0, dtype=torch.long)

    @property
    def joinable(self) -> bool:
        """New rows may join now, while others are at work."""
        return not self.rows or _is_plain(self._cache)

    def admit(self, rows: SequenceOf[Any], prompts: SequenceOf[list[int]]) -> torch.Tensor:
        """Adds rows with their prompts; returns the logits [new rows, V] of each one's first token.

        Rows that share a prompt (the same list) share its prefill.
        """
        distinct = list({id(prompt): prompt for prompt in prompts}.values())
        place = {id(prompt): position for position, prompt in enumerate(distinct)}
        device = self._model.device
        longest = max(map(len, distinct))
        gaps = [longest - len(prompt) for prompt in distinct]
        padded = [[self._pad_id] * gap + prompt for gap, prompt in zip(gaps, distinct, strict=True)]
        ids_B_T = torch.tensor(padded, device=device)
        mask_B_T = torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps], device=device)
        logits_B_V, cache = self._forward(ids_B_T, mask_B_T, None)
        is_plain = lambda layer: type(layer) is DynamicLayer and layer.is_initialized  # noqa: E731
        cache.layers = [RoomyLayer(layer) if is_plain(layer) else layer for layer in cache.layers]
        index_B = torch.tensor([place[id(prompt)] for prompt in prompts], device=device)
        if len(distinct) < len(prompts):
            cache.batch_select_indices(index_B)
            logits_B_V, mask_B_T = logits_B_V[index_B], mask_B_T[index_B]
        self._join(cache, mask_B_T)
        self.rows.extend(rows)
        return logits_B_V

    def step(self, tokens_B: list[int]) -> torch.Tensor:
        """Feeds each row its last token; returns the logits [rows, V] of the next."""
        ids_B_1 = torch.tensor(tokens_B, device=self._model.device)[:, None]
        self._mask_B_T = pad(self._mask_B_T, (0, 1), value=1)
        logits_B_V, self._cache = self._forward(ids_B_1, self._mask_B_T, self._cache)
        return logits_B_V

    def keep(self, positions: list[int]) -> None:
        """Drops all rows but those at `positions`, and padding that no row needs any more."""
        if not positions:
            return self.clear()
        self.rows = [self.rows[position] for position in positions]
        index_B = torch.tensor(positions, device=self._mask_B_T.device)
        self._cache.batch_select_indices(index_B)
        self._mask_B_T = self._mask_B_T[index_B]
        if _is_plain(self._cache):
            self._trim()

    def _forward(self, ids_B_T: torch.Tensor, mask_B_T: torch.Tensor, cache: Any) -> tuple[torch.Tensor, Any]:
        inputs = {"input_ids": ids_B_T, "attention_mask": mask_B_T, self._cache_name: cache}
        if self._takes_positions:
            inputs["position_ids"] = (mask_B_T.cumsum(-1) - 1).clamp(min=0)[:, -ids_B_T.shape[1] :]
        with self._no_gradients():
            output = self._model(**inputs, **self._last_only, use_cache=True)
        return output.logits[:, -1], getattr(output, self._cache_name)

    def _join(self, cache: Any, mask_B_T: torch.Tensor) -> None:
        if not self.rows:
            self._cache, self._mask_B_T = cache, mask_B_T
            return
        length = max(self._mask_B_T.shape[1], mask_B_T.shape[1])
        for old, new in zip(self._cache.layers, cache.layers, strict=True):
            old.put(
                torch.cat([_left_pad(old.keys, length), _left_pad(new.keys, length)]),
                torch.cat([_left_pad(old.values, length), _left_pad(new.values, length)]),
            )
        self._mask_B_T = torch.cat([pad(mask, (length - mask.shape[1], 0)) for mask in (self._mask_B_T, mask_B_T)])

    def _trim(self) -> None:
        unused = int((self._mask_B_T.sum(0) > 0).int().argmax())
        if unused:
            self._mask_B_T = self._mask_B_T[:, unused:]
            for layer in self._cache.layers:
                layer.drop_first(unused)


def _is_plain(cache: Any) -> bool:
    return all(type(layer) is RoomyLayer for layer in cache.layers)


def _left_pad(states_B_H_T_D: torch.Tensor, length: int) -> torch.Tensor:
    """Zeros before the first token, up to `length` tokens."""
    return pad(states_B_H_T_D, (0, 0, length - states_B_H_T_D.shape[2], 0))
