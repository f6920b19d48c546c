"""The replay engine: answers from a recording instead of a model, so that a pipe runs the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libra_cli
from libra_cli.engines.base import Completion, Pending, Rendered, Request, RequestError, Requests

Lookup = Callable[[Request, str], Completion]
"""The recorded completion of a request to a model; raises RequestError (`not_recorded`) if there is none."""


class ReplayEngine:
    """The recorded completions of one model."""

    def __init__(self, find: Lookup, model: str):
        self._find, self._model = find, model

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "replay",
            "engine_version": libra_cli.__version__,
            "model": self._model,
            "revision": None,
            "template_sha256": None,
        }

    def render(self, request: Request) -> Rendered:
        return Rendered(None, None, request.messages)

    def close(self) -> None:
        """Holds nothing: the recording serves every model."""

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError]]:
        while True:
            pending = requests.take(None)
            if pending is not None:
                try:
                    yield pending, self._find(pending.request, self._model)
                except RequestError as error:
                    yield pending, error
            elif requests.ended:
                return
