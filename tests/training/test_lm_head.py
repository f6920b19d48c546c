"""The chunked head and the attention of packed rows, compared with torch on everything at once."""

from __future__ import annotations

import types

import pytest
import torch
from torch.nn.functional import cross_entropy, linear, scaled_dot_product_attention

from libra_cli.training.model import attention, lm_head
from libra_cli.training.model.attention import Layout
from libra_cli.training.model.lm_head import LogitShape

SHAPES = [LogitShape(), LogitShape(scale=0.25), LogitShape(cap=2.0), LogitShape(3.0, 5.0)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_log_probs_and_gradients_are_those_of_whole_logits(
    shape: LogitShape, biased: bool, fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lm_head, "CHUNK_ELEMENTS", 30 * 7)  # seven positions per chunk
    torch.manual_seed(0)
    hidden, weight = torch.randn(17, 8, requires_grad=True), torch.randn(30, 8, requires_grad=True)
    bias = torch.randn(30, requires_grad=True) if biased else None
    targets, slope_N = torch.randint(0, 30, (17,)), torch.randn(17)
    inputs = [tensor for tensor in (hidden, weight, bias) if tensor is not None]
    if fused:
        log_probs, total = lm_head.fused_log_probs(hidden, weight, bias, targets, slope_N, shape)
        assert not log_probs.requires_grad
    else:
        log_probs = lm_head.recomputed_log_probs(hidden, weight, bias, targets, shape)
        total = (log_probs * slope_N).sum()
    gradients = torch.autograd.grad(3 * total, inputs)
    logits = linear(hidden, weight, bias) * shape.scale
    logits = logits if shape.cap is None else shape.cap * torch.tanh(logits / shape.cap)
    whole = -cross_entropy(logits, targets, reduction="none")
    expected = torch.autograd.grad(3 * (whole * slope_N).sum(), inputs)
    torch.testing.assert_close(log_probs, whole)
    torch.testing.assert_close(total, (whole * slope_N).sum())
    for a, b in zip(gradients, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("frozen", ["hidden", "weight"])
def test_what_is_frozen_gets_no_gradient(frozen: str) -> None:
    hidden, weight = torch.randn(5, 4), torch.randn(9, 4)
    (weight if frozen == "hidden" else hidden).requires_grad_()
    lm_head.recomputed_log_probs(hidden, weight, None, torch.arange(5)).sum().backward()
    assert (hidden.grad is None, weight.grad is None) == (frozen == "hidden", frozen == "weight")


def test_memory_holds_the_logits_of_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(lm_head, "CHUNK_ELEMENTS", 1000)
    monkeypatch.setattr(lm_head, "linear", lambda *given: seen.append(linear(*given)) or seen[-1])
    hidden, targets = torch.randn(64, 4, requires_grad=True), torch.zeros(64, dtype=torch.long)
    chunks = [(10, 100)] * 6 + [(4, 100)]
    lm_head.fused_log_probs(hidden, torch.randn(100, 4), None, targets, torch.ones(64))[1].backward()
    assert [tuple(logits.shape) for logits in seen] == chunks
    seen.clear()
    lm_head.recomputed_log_probs(hidden, torch.randn(100, 4), None, targets).sum().backward()
    assert [tuple(logits.shape) for logits in seen] == chunks * 2


@pytest.mark.parametrize("fused", [False, True])
def test_no_target_is_no_loss_and_no_gradient(fused: bool) -> None:
    hidden, weight = torch.randn(0, 4, requires_grad=True), torch.randn(9, 4, requires_grad=True)
    targets = torch.zeros(0, dtype=torch.long)
    if fused:
        log_probs, total = lm_head.fused_log_probs(hidden, weight, None, targets, torch.zeros(0))
    else:
        log_probs = lm_head.recomputed_log_probs(hidden, weight, None, targets)
        total = log_probs.sum()
    total.backward()
    assert (total.item(), len(log_probs)) == (0.0, 0)
    assert weight.grad is not None
    assert not weight.grad.any()


def test_logits_are_shaped_as_the_config_says() -> None:
    config = types.SimpleNamespace
    assert LogitShape.of(config()) == LogitShape(1.0, None)
    assert LogitShape.of(config(final_logit_softcapping=30.0)) == LogitShape(1.0, 30.0)
    assert LogitShape.of(config(logit_scale=0.0625)) == LogitShape(0.0625)
    assert LogitShape.of(config(logits_scaling=8.0)) == LogitShape(0.125)


LENGTHS = [5, 90, 1, 33, 70, 12, 60, 44, 300]


@pytest.mark.parametrize("lengths", [LENGTHS, [7], [16, 16, 16]])
@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (4, 1)])
def test_documents_attend_to_themselves_alone(lengths: list[int], heads: tuple[int, int]) -> None:
    torch.manual_seed(0)
    n, (queries, keys) = sum(lengths), heads
    shapes = [(1, queries, n, 8), (1, keys, n, 8), (1, keys, n, 8)]
    given = [torch.randn(shape, requires_grad=True) for shape in shapes]
    module = torch.nn.Module()
    with attention.laid_out(Layout(lengths)):
        found, _ = attention.documents_attention(module, *given, None, scaling=0.3)
    owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    mask = (owner[:, None] == owner[None, :]) & torch.ones(n, n, dtype=torch.bool).tril()
    wide = [given[0], *(each.repeat_interleave(queries // keys, dim=1) for each in given[1:])]
    expected = scaled_dot_product_attention(*wide, attn_mask=mask, scale=0.3).transpose(1, 2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    outward = torch.randn_like(found)
    for a, b in zip(
        torch.autograd.grad(found, given, outward), torch.autograd.grad(expected, given, outward), strict=True
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("mask", "more", "reason"),
    [
        (torch.ones(1), {}, "attention masks of its own"),
        (None, {"softcap": 50.0}, "softcap"),
        (None, {"s_aux": torch.ones(4)}, "s_aux"),
        (None, {"sliding_window": 64}, "attention window of 64 tokens"),
    ],
)
def test_what_is_no_plain_causal_attention_is_refused(mask: object, more: dict, reason: str) -> None:
    row = torch.randn(1, 4, sum(LENGTHS), 8)
    with attention.laid_out(Layout(LENGTHS)), pytest.raises(ValueError, match=reason):
        attention.documents_attention(torch.nn.Module(), row, row, row, mask, **more)
    with attention.laid_out(Layout(LENGTHS)):
        attention.documents_attention(torch.nn.Module(), row, row, row, None, sliding_window=300)


def test_blocks_waste_little() -> None:
    for lengths in (LENGTHS, [3000, 2900, 100, 90, 2], list(range(1, 200))):
        blocks = attention.blocks_of(lengths)
        assert sorted(i for block in blocks for i in block) == list(range(len(lengths)))
        for block in blocks:
            used, most = sum(lengths[i] ** 2 for i in block), max(lengths[i] for i in block) ** 2 * len(block)
            assert most - used <= max(1 << 14, 0.2 * most)
