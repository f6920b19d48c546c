"""Log-probabilities of target tokens from the last layer, chunk by chunk, so that logits never fill the memory.

The logits of 32,768 tokens over a vocabulary of 152,000 take 20 GB in float32. Here one chunk of them exists at a time,
and only for positions that have a target. There are two backward modes. Fused: the gradient of the loss with respect to
each log-probability is known beforehand (sft), so gradients are computed in the forward pass, from the same logits.
Recomputed: it is not (dpo, grpo), so the backward pass computes the logits again.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.nn.functional import linear

CHUNK_ELEMENTS = 1 << 26
"""Logits in memory at once: 256 MiB in float32."""


@dataclass(frozen=True)
class LogitShape:
    """How a model transforms its logits after the last layer."""

    scale: float = 1.0
    cap: float | None = None
    """Logits become cap * tanh(logits / cap)."""
    temperature: float = 1.0
    """Of the distribution whose log-probabilities are wanted: the last step divides by it."""

    @classmethod
    def of(cls, config: Any) -> LogitShape:
        """Read from a transformers config (Gemma caps, Cohere multiplies, Granite divides)."""
        multiplied = float(getattr(config, "logit_scale", None) or 1.0)
        divided = float(getattr(config, "logits_scaling", None) or 1.0)
        return cls(multiplied / divided, getattr(config, "final_logit_softcapping", None))


class _Gradients(NamedTuple):
    """d total / d hidden, weight and bias; None for those that are not needed."""

    hidden: torch.Tensor | None
    weight: torch.Tensor | None
    bias: torch.Tensor | None


def _head_pass(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    shape: LogitShape,
    slope_N: torch.Tensor | None,
    needed: Sequence[bool],
) -> tuple[torch.Tensor, _Gradients]:
    """Log-probabilities of the targets (float32 [N]) and, given slope_N = d total / d log_probs, the gradients."""
    n = hidden.shape[0]
    needs_hidden, needs_weight, needs_bias = (wanted and slope_N is not None for wanted in needed)
    d_hidden = torch.empty_like(hidden) if needs_hidden else None
    d_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device) if needs_weight else None
    d_bias = torch.zeros_like(bias, dtype=torch.float32) if needs_bias and bias is not None else None
    log_probs = torch.empty(n, dtype=torch.float32, device=hidden.device)
    for part in chunks(n, weight.shape[0]):
        piece = hidden[part]
        logits, curve = _shaped(linear(piece, weight, bias).float(), shape)
        largest, target_logit = logits.amax(-1, keepdim=True), logits.gather(-1, targets[part, None])
        gradient = logits.sub_(largest).exp_()  # in place: logits are the largest tensor here
        total = gradient.sum(-1, keepdim=True)
        log_probs[part] = (target_logit - (largest + total.log())).squeeze(-1)
        if slope_N is None or (d_hidden is None and d_weight is None):
            continue
        slope = slope_N[part, None]
        gradient.mul_(total.reciprocal() * -slope)  # d log_prob / d logits = one hot - softmax
        gradient.scatter_add_(-1, targets[part, None], slope)
        if curve is not None:
            gradient.mul_(curve)
        if d_bias is not None:
            d_bias += gradient.sum(0)
        gradient = gradient.to(piece.dtype)
        if d_hidden is not None:
            d_hidden[part] = gradient @ weight
        if d_weight is not None and gradient.dtype == torch.float32:
            d_weight.addmm_(gradient.T, piece)
        elif d_weight is not None:
            d_weight += gradient.T @ piece  # summed in float32 over the chunks
    return log_probs, _Gradients(d_hidden, d_weight, d_bias)


class _FusedLogProbs(torch.autograd.Function):
    """Log-probabilities, and sum(slope_N * log_probs) whose gradients are computed in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        slope_N: torch.Tensor,
        shape: LogitShape,
        grad_enabled: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        needed = [grad_enabled and each for each in ctx.needs_input_grad[:3]]
        log_probs, gradients = _head_pass(hidden, weight, bias, targets, shape, slope_N, needed)
        ctx.save_for_backward(*gradients)
        ctx.dtypes = weight.dtype, None if bias is None else bias.dtype
        ctx.mark_non_differentiable(log_probs)
        return log_probs, (log_probs * slope_N).sum()

    @staticmethod
    def backward(ctx: Any, *upstreams: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        upstream = upstreams[1]  # of the sum; the log-probabilities have no gradient
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        weight_dtype, bias_dtype = ctx.dtypes
        return (
            None if d_hidden is None else d_hidden.mul_(upstream.to(d_hidden.dtype)),
            None if d_weight is None else d_weight.mul_(upstream).to(weight_dtype),
            None if d_bias is None else d_bias.mul_(upstream).to(bias_dtype),
            None,
            None,
            None,
            None,
        )


class _RecomputedLogProbs(torch.autograd.Function):
    """Log-probabilities whose backward pass computes the logits again, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        shape: LogitShape,
    ) -> torch.Tensor:
        # Under ZeRO-3 the weight is freed after this module's forward pass and gathered again before its backward pass;
        # the saved tensor is the parameter itself, so it is whole in both.
        ctx.save_for_backward(hidden, weight, bias, targets)
        ctx.shape = shape
        return _head_pass(hidden, weight, bias, targets, shape, None, (False, False, False))[0]

    @staticmethod
    def backward(ctx: Any, upstream_N: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        hidden, weight, bias, targets = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        _, (d_hidden, d_weight, d_bias) = _head_pass(hidden, weight, bias, targets, ctx.shape, upstream_N, needed)
        return (
            d_hidden,
            None if d_weight is None else d_weight.to(weight.dtype),
            None if d_bias is None or bias is None else d_bias.to(bias.dtype),
            None,
            None,
        )


def _shaped(logits: torch.Tensor, shape: LogitShape) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The transformed logits, and their derivative unless it is 1."""
    scale = shape.scale if shape.cap is not None else shape.scale / shape.temperature
    if scale != 1.0:
        logits = logits * scale
    if shape.cap is None:
        return logits, None if scale == 1.0 else torch.full_like(logits[:1, :1], scale)
    curved = torch.tanh(logits / shape.cap)
    return curved * (shape.cap / shape.temperature), (1 - curved * curved) * (scale / shape.temperature)


def chunks(n: int, vocabulary: int) -> Iterator[slice]:
    """Slices of `n` positions whose logits have at most CHUNK_ELEMENTS elements, or one position each."""
    size = max(1, CHUNK_ELEMENTS // vocabulary)
    return (slice(begin, min(begin + size, n)) for begin in range(0, n, size))


def fused_log_probs(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    slope_N: torch.Tensor,
    shape: LogitShape = LogitShape(),
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the targets (no gradient), and the scalar sum(slope_N * log_probs), which has one.

    hidden: [N, width]; weight: [vocabulary, width]; targets: int64 [N]; slope_N: float32. One product fewer than
    `recomputed_log_probs`, for losses whose slope is known before the log-probabilities are.
    """
    return _FusedLogProbs.apply(hidden, weight, bias, targets, slope_N, shape, torch.is_grad_enabled())


def recomputed_log_probs(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    shape: LogitShape = LogitShape(),
) -> torch.Tensor:
    """Log-probabilities of the targets (float32 [N], differentiable); the backward pass computes the logits again."""
    return _RecomputedLogProbs.apply(hidden, weight, bias, targets, shape)


def make_log_prob_head(head: torch.nn.Linear, shape: LogitShape) -> None:
    """Lets `head(hidden, targets)` and `head(hidden, targets, slope_N)` return log-probabilities.

    The latter is fused and returns what `fused_log_probs` does; `head(hidden)` still returns logits. The module stays
    the same object, since ZeRO-3 gathers the weights of a module when that is called and at no other time.
    """
    plain = head.forward

    def forward(
        self: torch.nn.Linear,
        hidden: torch.Tensor,
        targets: torch.Tensor | None = None,
        slope_N: torch.Tensor | None = None,
    ) -> Any:
        if targets is None:
            return plain(hidden)
        if slope_N is None:
            return recomputed_log_probs(hidden, self.weight, self.bias, targets, shape)
        return fused_log_probs(hidden, self.weight, self.bias, targets, slope_N, shape)

    head.forward = types.MethodType(forward, head)  # type: ignore[method-assign]
