"""Responses that are sampled in a thread: what they end with reaches the trainer, and a stop ends them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from libra_cli.engines.base import Request, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.signals import StopRequest
from libra_cli.training.rollouts.ahead import SampledAhead

REQUESTS = [Request([{"role": "user", "content": "1+1?"}], 0, "a", sample) for sample in range(3)]


def ahead(generate: Any, stop: StopRequest) -> SampledAhead:
    return SampledAhead(1, 0, 0, [(0, 0)], REQUESTS, generate, stop)


def until_stopped(requests: Sequence[Request], stop: Any) -> list[None]:
    while stop.status is None:
        time.sleep(0.01)
    return [None] * len(requests)


def test_answers_are_there_once_all_are() -> None:
    error = RequestError("refused", "no")
    with StopRequest("grpo", 30) as stop:
        sampled = ahead(lambda requests, _: [error] * len(requests), stop)
        assert sampled.answers() == [error] * 3
        sampled.check()
        assert sampled.seconds >= 0


def test_a_sampler_that_is_gone_ends_the_next_step() -> None:
    def gone(_requests: Any, _stop: Any) -> Any:
        raise Fatal(Exit.BACKEND, "http://there: the sampler is gone")

    with StopRequest("grpo", 30) as stop:
        sampled = ahead(gone, stop)
        with pytest.raises(Fatal, match="is gone"):
            sampled.answers()
        with pytest.raises(Fatal, match="is gone"):
            sampled.check()


def test_a_stop_and_the_end_of_the_run_end_it() -> None:
    with StopRequest("grpo", 30) as stop:
        cancelled, stopped = ahead(until_stopped, stop), ahead(until_stopped, stop)
        cancelled.cancel()
        assert stop.status is None
        stop.status = Exit.TERMINATED
        assert stopped.answers() == [None] * 3
