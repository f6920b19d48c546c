"""The passages of a row's view: texts with their headings, generated ones cut at their thinking."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from libra_cli.tasks import thinking


@dataclass(frozen=True)
class Passage:
    """A text with its heading."""

    title: str
    text: str
    folds: bool = False
    """It is thinking: long ones are shown by their beginning and their end."""
    depth: int = 0
    """1 for a text of a judge."""
    is_wrong: bool = False


def cut(title: str, text: str, depth: int = 0) -> list[Passage]:
    """A generated text as its thinking and what follows that."""
    parts = thinking.split_any(text)
    passages = [] if not parts.thinking else [Passage(f"{title}: thinking", parts.thinking, True, depth)]
    if parts.response is None:
        return [*passages, Passage(title, "(it ends inside the thinking)", depth=depth)]
    return [*passages, Passage(title, parts.response, depth=depth)]


def as_text(value: Any) -> str:
    """A value as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
