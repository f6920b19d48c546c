"""From logits to one token per sequence. Each sequence has its own random stream, so that its batch does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from libra_cli.engines.base import Sampling

COLDEST = 1e-6
"""Lowest temperature to divide by: below it a logit may leave the range of float32. What is colder is greedy."""
_AHEAD = 64
"""Uniform numbers generated at a time."""


class RandomStream:
    """The uniform random numbers of one sample, made on the CPU: the same on every device and in every batch."""

    def __init__(self, seed: int):
        self._generator = torch.Generator().manual_seed(seed)
        self._numbers: list[float] = []

    def next(self) -> float:
        """A number in [0, 1)."""
        if not self._numbers:
            self._numbers = torch.rand(_AHEAD, generator=self._generator, dtype=torch.float64).tolist()[::-1]
        return self._numbers.pop()


def processed(logits_B_V: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """The logits of the distribution that tokens are sampled from, in float32: see `restrict`.

    Below COLDEST they are the model's own, of which `sample` takes the most probable token.
    """
    logits_B_V = logits_B_V.float()
    if sampling.temperature < COLDEST:
        return logits_B_V
    return restrict(logits_B_V if sampling.temperature == 1 else logits_B_V / sampling.temperature, sampling)


def sample(logits_B_V: torch.Tensor, sampling: Sampling, streams: Sequence[RandomStream]) -> list[int]:
    """One token id per row of `processed` logits: the most probable one below COLDEST, else a random one."""
    if sampling.temperature < COLDEST:
        return logits_B_V.argmax(-1).tolist()
    return _sampled(torch.softmax(logits_B_V, -1), streams).tolist()


def sample_with_logprobs(
    logits_B_V: torch.Tensor, sampling: Sampling, streams: Sequence[RandomStream]
) -> tuple[list[int], list[float]]:
    """What `sample` gives, and the log-probability of each token under its `processed` logits, in nats."""
    probs_B_V = torch.softmax(logits_B_V, -1)
    sampled_B = logits_B_V.argmax(-1) if sampling.temperature < COLDEST else _sampled(probs_B_V, streams)
    return sampled_B.tolist(), probs_B_V.gather(-1, sampled_B[:, None])[:, 0].log().tolist()


def _sampled(probs_B_V: torch.Tensor, streams: Sequence[RandomStream]) -> torch.Tensor:
    """A random token id per row."""
    cumulative_B_V = probs_B_V.cumsum(-1)
    points = torch.tensor([stream.next() for stream in streams], dtype=torch.float64).to(cumulative_B_V)
    # The first token whose cumulative probability exceeds the point: never a token of probability 0.
    sampled_B = torch.searchsorted(cumulative_B_V, (points * cumulative_B_V[:, -1])[:, None], right=True)[:, 0]
    size = probs_B_V.shape[-1]
    if bool((sampled_B < size).all()):
        return sampled_B
    # A point that rounding moved to the end: the last token that has a probability.
    last_B = size - 1 - (probs_B_V.flip(-1) > 0).int().argmax(-1)
    return torch.minimum(sampled_B, last_B)


def restrict(logits_B_V: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """`logits_B_V` with -inf for the tokens that min-p, top-k and top-p exclude, in that order (which is vLLM's)."""
    if sampling.min_p:
        probs_B_V = torch.softmax(logits_B_V, -1)
        too_rare = probs_B_V < sampling.min_p * probs_B_V.amax(-1, keepdim=True)
        logits_B_V = logits_B_V.masked_fill(too_rare, -torch.inf)
    if sampling.top_k and sampling.top_k < logits_B_V.shape[-1]:
        kth = logits_B_V.topk(sampling.top_k).values[:, -1:]
        logits_B_V = logits_B_V.masked_fill(logits_B_V < kth, -torch.inf)
    if sampling.top_p < 1:
        sorted_B_V, order = logits_B_V.sort(descending=True, stable=True)
        probs_B_V = torch.softmax(sorted_B_V, -1)
        outside = probs_B_V.cumsum(-1) - probs_B_V >= sampling.top_p
        outside[:, 0] = False  # the first is always kept, even if float32 takes top_p for 0
        logits_B_V = logits_B_V.masked_fill(outside.scatter(-1, order, outside), -torch.inf)
    return logits_B_V


def forbid(logits_B_V: torch.Tensor, rows: list[int], tokens: Iterable[int]) -> torch.Tensor:
    """`logits_B_V` with `tokens` made impossible in `rows`."""
    if not rows:
        return logits_B_V
    forbidden = torch.zeros_like(logits_B_V, dtype=torch.bool)
    for row in rows:
        forbidden[row, list(tokens)] = True
    return logits_B_V.masked_fill(forbidden, -torch.inf)
