"""Options renamed since outputs were written that must still be continued: old manifest configurations in new names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED: dict[str, dict[str, str]] = {
    "collect": {"keep": "keep_fields"},
    "judge": {"thinking_markers": "judge_markers"},
    "rollout": {"prompt_template": "template"},
}
"""Stage -> old key -> new key; the value stays."""

REPLACED: dict[str, dict[str, list[tuple[Any, dict[str, Any]]]]] = {
    "collect": {"keep_duplicates": [(False, {"duplicates": "drop"}), (True, {"duplicates": "keep"})]},
    "judge": {"reduce": [("best", {"reduce": "max"})]},
    "mix": {
        "dedupe": [
            (None, {"duplicates": "keep", "duplicates_by": "id"}),
            ("id", {"duplicates": "drop", "duplicates_by": "id"}),
            ("content", {"duplicates": "drop", "duplicates_by": "content"}),
        ]
    },
}
"""Stage -> key -> pairs of an old value and the options that replace it."""


def current_config(stage: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration in a manifest of `stage`, in the names and values of today's options."""
    renamed = RENAMED.get(stage, {})
    current = {renamed.get(name, name): value for name, value in config.items()}
    for name, replacements in REPLACED.get(stage, {}).items():
        for value, options in replacements:
            if name in current and current[name] == value:
                del current[name]
                current.update(options)
    return current
