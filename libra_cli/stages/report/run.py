"""The events of training runs in, their figures and curves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.line_source import STDIN
from libra_cli.training.monitoring.run_events import Event, read_events

NO_CURVES = ("step", "model_step", "n", "refused", "unread", "low", "high", "rollout", "epoch", "prompts",
             "samples", "devices", "device_gb", "engines")  # fmt: skip
"""Numbers of an event that are no curve."""


def read_runs(paths: Sequence[str]) -> list[dict[str, Any]]:
    """Sums up each run; raises Fatal naming the file and the line that cannot be used."""
    names = [_name(path) for path in paths or ("-",)]
    return [
        _summed_up(path if names.count(name) > 1 else name, path, read_events(path))
        for name, path in zip(names, paths or ("-",), strict=True)
    ]


def _name(path: str) -> str:
    return STDIN if path == "-" else Path(path).name.removesuffix(".jsonl") or path


def _summed_up(name: str, path: str, events: Iterator[Event]) -> dict[str, Any]:
    """Figures and curves of one run; of an event that a continued run repeats, the last counts."""
    latest: dict[tuple[str, int], Event] = {}
    for event in events:
        latest[event["event"], event["step"]] = event
    if not latest:
        raise Fatal(Exit.INCOMPLETE, f"{path}: there are no events; the run has not taken a step")
    curves: dict[str, list[list[float]]] = {}
    for (kind, step), event in sorted(latest.items(), key=lambda item: item[0][1]):
        for field, value in event.items():
            if field not in NO_CURVES and _is_number(value):
                ends = [event[end] for end in ("low", "high") if field == "accuracy" and _is_number(event.get(end))]
                curves.setdefault(f"{kind}/{field}", []).append([step, float(value), *(ends if len(ends) == 2 else ())])
    return {
        "run": name,
        "file": path,
        "steps": max(step for _, step in latest),
        "seconds": sum(event["seconds"] for event in latest.values() if _is_number(event.get("seconds"))),
        "tokens": int(sum(value for _, value, *_ in curves.get("step/tokens", ()))),
        "figures": {curve: _figure(points) for curve, points in sorted(curves.items())},
        "curves": curves,
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _figure(points: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Means over the first and the last tenth of a curve, its extremes, and their steps."""
    values = [point[1] for point in points]
    n = max(1, len(values) // 10)
    low, high = min(values), max(values)
    return {
        "n": len(values),
        "first": sum(values[:n]) / n,
        "last": sum(values[-n:]) / n,
        "min": low,
        "min_step": int(points[values.index(low)][0]),
        "max": high,
        "max_step": int(points[values.index(high)][0]),
    }
