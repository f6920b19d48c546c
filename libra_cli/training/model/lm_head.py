"""The loss of the last layer, chunk by chunk: the logits of all tokens never stand in memory at once.

A row of 32,768 tokens has 20 GB of logits over 152,000 words in float32. Here a chunk of them is made, turned into its
loss and its gradients, and forgotten; only positions whose next token is learned are looked at.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import linear

CHUNK_ELEMENTS = 1 << 26
"""Logits that stand in memory at once: 256 MiB in float32."""


@dataclass(frozen=True)
class LogitShape:
    """What a model does to its logits after the last layer."""

    scale: float = 1.0
    cap: float | None = None
    """Logits become cap * tanh(logits / cap)."""

    @classmethod
    def of(cls, config: Any) -> LogitShape:
        """As the config of a transformers model says (Gemma caps, Cohere multiplies, Granite divides)."""
        scale = float(getattr(config, "logit_scale", None) or 1.0) / float(
            getattr(config, "logits_scaling", None) or 1.0
        )
        return cls(scale, getattr(config, "final_logit_softcapping", None))


class _ChunkedLoss(torch.autograd.Function):
    """sum_i scale * -log softmax(hidden_i W^T + b)[target_i], with its gradients made beside it."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor,
        scale: float, shape: LogitShape, learning: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        n = hidden.shape[0]
        wants_hidden, wants_weight, wants_bias = (learning and wanted for wanted in ctx.needs_input_grad[:3])
        d_hidden = torch.empty_like(hidden) if wants_hidden else None
        d_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device) if wants_weight else None
        d_bias = torch.zeros_like(bias, dtype=torch.float32) if wants_bias and bias is not None else None
        losses = torch.empty(n, dtype=torch.float32, device=hidden.device)
        for part in chunks(n, weight.shape[0]):
            piece = hidden[part]
            logits, slope = _shaped(linear(piece, weight, bias).float(), shape)
            largest, wanted = logits.amax(-1, keepdim=True), logits.gather(-1, targets[part, None])
            gradient = logits.sub_(largest).exp_()  # in place: logits are the largest thing here
            total = gradient.sum(-1, keepdim=True)
            losses[part] = (largest + total.log() - wanted).squeeze(-1)
            if d_hidden is None and d_weight is None:
                continue
            gradient.mul_(scale / total)  # softmax, then softmax - one hot
            gradient.scatter_add_(-1, targets[part, None], gradient.new_full((piece.shape[0], 1), -scale))
            if slope is not None:
                gradient.mul_(slope)
            if d_bias is not None:
                d_bias += gradient.sum(0)
            gradient = gradient.to(piece.dtype)
            if d_hidden is not None:
                d_hidden[part] = gradient @ weight
            if d_weight is not None:
                _add_product(d_weight, gradient, piece)
        ctx.save_for_backward(d_hidden, d_weight, d_bias)
        ctx.dtypes = weight.dtype, None if bias is None else bias.dtype
        ctx.mark_non_differentiable(losses)
        return losses.sum() * scale, losses

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor, _losses: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        weight_dtype, bias_dtype = ctx.dtypes
        return (
            None if d_hidden is None else d_hidden.mul_(upstream.to(d_hidden.dtype)),
            None if d_weight is None else d_weight.mul_(upstream).to(weight_dtype),
            None if d_bias is None else d_bias.mul_(upstream).to(bias_dtype),
            None, None, None, None,
        )  # fmt: skip


def _shaped(logits: torch.Tensor, shape: LogitShape) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The logits as the model means them, and their slope where it is not 1."""
    if shape.scale != 1.0:
        logits = logits * shape.scale
    if shape.cap is None:
        return logits, None if shape.scale == 1.0 else torch.full_like(logits[:1, :1], shape.scale)
    curved = torch.tanh(logits / shape.cap)
    return curved * shape.cap, (1 - curved * curved) * shape.scale


def _add_product(total: torch.Tensor, gradient: torch.Tensor, hidden: torch.Tensor) -> None:
    """total += gradient^T hidden, summed in float32 over the chunks."""
    if gradient.dtype == torch.float32:
        total.addmm_(gradient.T, hidden)
    else:
        total += gradient.T @ hidden


def chunks(n: int, vocabulary: int) -> Iterator[slice]:
    """Slices of `n` positions such that the logits of each have at most CHUNK_ELEMENTS elements (or one position)."""
    size = max(1, CHUNK_ELEMENTS // vocabulary)
    return (slice(begin, min(begin + size, n)) for begin in range(0, n, size))


def chunked_loss(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    scale: float = 1.0,
    shape: LogitShape = LogitShape(),
) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of the targets' negative log probabilities times `scale`, and each of them (nats, no gradient).

    hidden: [N, width]; weight: [vocabulary, width]; targets: [N]. Equal to `cross_entropy(hidden @ weight.T, targets)`.
    """
    return _ChunkedLoss.apply(hidden, weight, bias, targets, scale, shape, torch.is_grad_enabled())


def make_loss_head(head: torch.nn.Linear, shape: LogitShape) -> None:
    """Lets `head(hidden, targets, scale)` give losses; `head(hidden)` stays what it was.

    The module is kept, since ZeRO-3 gathers a module's weights when it is called and at no other time.
    """
    plain = head.forward

    def forward(
        self: torch.nn.Linear, hidden: torch.Tensor, targets: torch.Tensor | None = None, scale: float = 1.0
    ) -> Any:
        if targets is None:
            return plain(hidden)
        return chunked_loss(hidden, self.weight, self.bias, targets, scale, shape)

    head.forward = types.MethodType(forward, head)  # type: ignore[method-assign]
