"""From logits to one token a row: each row draws from its own random stream, so that its neighbours do not matter."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from libra_cli.engines.base import Sampling

_AHEAD = 64
"""Uniform numbers drawn at a time."""


class Stream:
    """The uniform random numbers of one sample, on the CPU: the same on every device and in every batch."""

    def __init__(self, seed: int):
        self._generator = torch.Generator().manual_seed(seed)
        self._numbers: list[float] = []

    def next(self) -> float:
        if not self._numbers:
            self._numbers = torch.rand(_AHEAD, generator=self._generator, dtype=torch.float64).tolist()[::-1]
        return self._numbers.pop()


def draw(logits_B_V: torch.Tensor, sampling: Sampling, streams: list[Stream]) -> list[int]:
    """One token id for each row: the most probable at temperature 0, else by the row's next random number."""
    if sampling.temperature == 0:
        return logits_B_V.argmax(-1).tolist()
    probs_B_V = torch.softmax(restrict(logits_B_V.float() / sampling.temperature, sampling), -1)
    cumulated_B_V = probs_B_V.cumsum(-1)
    points = torch.tensor([stream.next() for stream in streams], dtype=torch.float64).to(cumulated_B_V)
    # The first token whose cumulated probability is above the point: a token of probability 0 is never that one.
    chosen_B = torch.searchsorted(cumulated_B_V, (points * cumulated_B_V[:, -1])[:, None], right=True)[:, 0]
    last_B = probs_B_V.shape[-1] - 1 - (probs_B_V.flip(-1) > 0).int().argmax(-1)
    return torch.minimum(chosen_B, last_B).tolist()


def restrict(logits_B_V: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """`logits_B_V` with the tokens that min-p, top-k and top-p (in that order, as vLLM has it) leave out at -inf."""
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
        outside = probs_B_V.cumsum(-1) - probs_B_V >= sampling.top_p  # the first is always kept
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
