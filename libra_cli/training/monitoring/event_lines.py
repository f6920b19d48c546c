"""The events of a training run as short lines, for standard output on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from libra_cli.training.monitoring.telemetry import SHOWN, STEP, scored

STEP_SECONDS = 1.0
"""At least between the lines of two steps: fast ones would leave nothing else on the screen."""
_UNSAID = ("samples", "seconds", "step", "epoch")
_MOST = 5
"""Figures of an event for which SHOWN has none."""


class EventLines:
    """Calls `say` with a line for each event; of steps that are fast, for some of them, the first and the last among
    them."""

    def __init__(self, total_steps: int, say: Callable[[str], None]):
        self._total, self._say = total_steps, say
        self._said_at = float("-inf")

    def __call__(self, event: str, step: int, figures: Mapping[str, Any]) -> None:
        if event == STEP:
            now = time.monotonic()
            if step < self._total and now - self._said_at < STEP_SECONDS:
                return
            self._said_at = now
        self._say(self.line(event, step, figures))

    def line(self, event: str, step: int, figures: Mapping[str, Any]) -> str:
        """An event in words."""
        place = f"step {step:,}/{self._total:,}" if step else "before training"
        if event == "score" and isinstance(figures.get("accuracy"), (int, float)):
            return scored(step, self._total, figures)
        if event == "checkpoint":
            return f"{place}: saved in {figures.get('path')}"
        shown = [
            form.format(figures[name])
            for (kind, name), form in SHOWN.items()
            if kind == event and figures.get(name) is not None
        ]
        if not shown:
            numbers = ((name, value) for name, value in figures.items() if isinstance(value, (int, float)))
            shown = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in numbers if name not in _UNSAID][:_MOST]
        return f"{place}: {'' if event == STEP else f'{event}: '}{', '.join(shown)}"
