"""Paths into rows: `prompt.0.content` is the content of the first of the list `prompt`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fields = dict[str, Any]

MISSING = object()
"""What there is where there is no value, not even null."""


def value_at(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, or MISSING; a key that contains the dots itself wins."""
    return _trail(fields, path)[-1][2]


def around(fields: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The objects that a dotted path leads through, the innermost first and the row last."""
    return [holder for holder, _, _ in reversed(_trail(fields, path)) if isinstance(holder, Mapping)]


def beside(fields: Mapping[str, Any], path: str) -> list[str]:
    """The paths of the fields beside the first part of a dotted path that is missing; of no others."""
    trail = _trail(fields, path)
    holder, leading = trail[-1][0], path.split(".")[: len(trail) - 1]
    return [".".join([*leading, name]) for name in holder] if isinstance(holder, dict) else []


def take(fields: Fields, path: str) -> Any:
    """Removes and returns the value at a dotted path, or MISSING.

    Removes objects that this leaves empty. A value inside a list stays there, because the list needs its place.
    """
    trail = _trail(fields, path)
    value = trail[-1][2]
    if value is MISSING or any(isinstance(holder, list) for holder, _, _ in trail):
        return value
    for holder, name, inner in reversed(trail):
        if inner is not value and inner:
            break
        del holder[name]
    return value


def change(fields: Fields, path: str, changed: Callable[[Any], Any]) -> None:
    """Puts what `changed` makes of the value at a dotted path in its place, if there is one outside of lists."""
    holder, name, value = _trail(fields, path)[-1]
    if value is not MISSING and isinstance(holder, dict):
        holder[name] = changed(value)


def _trail(fields: Mapping[str, Any], path: str) -> list[tuple[Any, Any, Any]]:
    """The values along `path` from the outside in, each as (holder, name in the holder, value)."""
    if path in fields:
        return [(fields, path, fields[path])]
    trail: list[tuple[Any, Any, Any]] = []
    value: Any = fields
    for part in path.split("."):
        holder, name = value, part
        if isinstance(holder, dict):
            value = holder.get(part, MISSING)
        elif isinstance(holder, list) and part.isascii() and part.isdigit() and int(part) < len(holder):
            value = holder[int(part)]
        else:
            value = MISSING
        trail.append((holder, name, value))
        if value is MISSING:
            break
    return trail
