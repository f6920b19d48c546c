"""Requests for an engine without a stage around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libra_cli.engines.base import Completion, Pending, Request, RequestError
from libra_cli.stream.rows import seed_for


class LimitedRequests:
    """Requests that are all known beforehand; at most `at_most` of them are handed out and not answered."""

    stopping = False

    def __init__(self, pending: Sequence[Pending], at_most: int = 1 << 30):
        self._rest = list(pending)
        self._at_most = at_most
        self.out = 0

    @property
    def ended(self) -> bool:
        return not self._rest

    def take(self, _wait: float | None) -> Pending | None:
        if not self._rest or self.out >= self._at_most:
            return None
        self.out += 1
        return self._rest.pop(0)


def requests_of(
    questions: Iterable[str], samples: int = 1, seed: int = 0, prefill: str = "", logprobs: bool = False
) -> list[Request]:
    """`samples` requests for each question, as a stage makes them."""
    requests = []
    for number, question in enumerate(questions):
        messages, record_id = [{"role": "user", "content": question}], f"r{number}"
        for sample in range(samples):
            sample_seed = seed_for(seed, record_id, sample)
            requests.append(Request(messages, sample_seed, record_id, sample, prefill, logprobs=logprobs))
    return requests


def answers(
    engine: Any, requests: Sequence[Request], at_most: int = 1 << 30
) -> dict[tuple[str, int], Completion | RequestError]:
    """The engine's answers by id and sample; each request must be answered once, with its own token."""
    limited = LimitedRequests([Pending(request, number) for number, request in enumerate(requests)], at_most)
    answered: dict[tuple[str, int], Completion | RequestError] = {}
    for pair in engine.generate(limited):
        if pair is not None:
            pending, answer = pair
            limited.out -= 1
            assert requests[pending.token] is pending.request
            key = (pending.request.record_id, pending.request.sample)
            assert key not in answered
            answered[key] = answer
    assert len(answered) == len(requests)
    return answered
