"""Three tiny policies, a judge trained from one of them and a few problems, shipped so that every stage runs anywhere.

`examples/recipes/miniature` trained the models from scratch; they can answer only problems of that kind. A stage names
models like `libra-mini/strong`, and `resolve` returns the directory to load. Nothing here imports torch.
"""

from __future__ import annotations

from pathlib import Path

PREFIX = "libra-mini/"
POLICIES = tuple(f"{PREFIX}{strength}" for strength in ("weak", "medium", "strong"))
MODELS = (*POLICIES, f"{PREFIX}judge")

_HERE = Path(__file__).resolve().parent


def resolve(name: str) -> Path | None:
    """The directory of a shipped model, or None for any other name (a path, a model of a hub)."""
    return _HERE / name.removeprefix(PREFIX) if name in MODELS else None


def is_misspelt(name: str) -> bool:
    """Whether `name` has the prefix of the shipped models and is none of them."""
    return name.startswith(PREFIX) and name not in MODELS


def problems_path() -> Path:
    """The JSONL file of held-out problems: index, question, reference, subset, level; no shipped model saw them."""
    return _HERE / "problems.jsonl"
