"""Responses that servers sample in a thread, while the trainer learns from the rollout before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from libra_cli.engines.base import Request
from libra_cli.exits import Exit
from libra_cli.stream.signals import StopRequest
from libra_cli.training.rollouts.sampler import Answer, StopStatus


class SampledAhead:
    """The answers of one rank to the requests of a rollout, sampled since this was made; nothing else may use the
    engine until `answers` or `cancel` returns."""

    def __init__(
        self,
        number: int,
        step: int,
        cursor: int,
        taken: Sequence[tuple[int, int]],
        requests: Sequence[Request],
        generate: Callable[[Sequence[Request], StopStatus], list[Answer | None]],
        stop: StopRequest,
    ):
        """`number` of the rollout; `step`: whose weights sample it; `cursor`: prompts taken before the ones `taken`."""
        self.number, self.step, self.cursor, self.taken, self.requests = number, step, cursor, taken, requests
        self.seconds = 0.0
        self._stop, self._cancelled = stop, False
        self._answers: list[Answer | None] = []
        self._error: BaseException | None = None
        began = time.perf_counter()

        def run() -> None:
            try:
                self._answers = generate(requests, self)
            except BaseException as error:  # noqa: BLE001 -- the trainer's own thread raises it
                self._error = error
            self.seconds = time.perf_counter() - began

        self._thread = threading.Thread(target=run, name="libra-ahead", daemon=True)
        self._thread.start()

    @property
    def status(self) -> Exit | None:
        """As of a StopRequest: not None ends the sampling."""
        return Exit.STOPPED if self._cancelled else self._stop.status

    def check(self) -> None:
        """Raises what has ended the sampling."""
        if not self._thread.is_alive() and self._error is not None:
            raise self._error

    def answers(self) -> list[Any]:
        """The answer to each request, once all are there, or a stop was requested. Raises what the engine raises."""
        self._thread.join()
        self.check()
        return self._answers

    def cancel(self) -> None:
        """Ends the sampling."""
        self._cancelled = True
        self._thread.join()
