"""Reads the answer in an object of JSON, or of Python, that ends a text: {"result": 42, "unit": "m"}."""

from __future__ import annotations

import ast
import json
from typing import Any

from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 2000
_NAMES = (
    "final_answer",
    "answer",
    "finalanswer",
    "final",
    "result",
    "solution",
    "solutions",
    "value",
    "values",
    "output",
)
_BESIDE = lazy_pattern(
    r"(?i:reason\w*|thought\w*|think\w*|step\w*|expla\w+|work\w*|confidence|units?|calculation|method|note\w*|check|id|type)"
)
"""Fields beside an answer."""


def answer(text: str) -> str | None:
    """What the object that ends a text gives as its answer; None if there is none, or not for certain."""
    end = text.rstrip().removesuffix("```").rstrip()
    start = end.find("{")
    if not end.endswith("}") or start < 0 or len(end) - start > MAX_CHARS or ":" not in end:
        return None
    try:
        read = json.loads(end[start:])
    except ValueError:
        try:
            read = ast.literal_eval(end[start:])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return _of(read) if isinstance(read, dict) else None


def _of(fields: dict[Any, Any]) -> str | None:
    named = {str(name).lower().replace(" ", "_"): value for name, value in fields.items()}
    found = next((name for name in _NAMES if name in named), None)
    if found is None:
        others = [name for name in named if not _BESIDE.fullmatch(name)]
        found = others[0] if len(others) == 1 else None
    if found is None:
        return None
    value, unit = named[found], named.get("unit") or named.get("units")
    said = _of(value) if isinstance(value, dict) else _written(value)
    is_measured = said and isinstance(unit, str) and unit and not isinstance(value, (dict, list, str))
    return f"{said} {unit}" if is_measured else said


def _written(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float, str)):
        return str(value).strip() or None
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, (int, float, str)) for one in value):
        return ", ".join(str(one).strip() for one in value)
    return None
