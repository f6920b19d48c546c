"""Three tiny policies, a judge made of one and a few problems, shipped so that every stage runs anywhere.

The models were trained from nothing by `examples/recipes/miniature`; they answer only that world's problems. A stage
asks for one by name (`libra-mini/strong`), and `resolve` gives the directory to load. Nothing here imports torch.
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
    """Whether this is meant to be a shipped model, and is none."""
    return name.startswith(PREFIX) and name not in MODELS


def problems_path() -> Path:
    """The JSONL file of held-out problems: index, question, reference, subset, level; no shipped model saw them."""
    return _HERE / "problems.jsonl"
