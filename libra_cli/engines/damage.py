"""Finds the file of a model's folder that is damaged: the libraries that load a model seldom say which it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

_OBJECTS = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json",
            "model.safetensors.index.json")  # fmt: skip


def damaged_file(folder: str) -> str | None:
    """Path of a file that cannot be what its name says, and why; None if there is none, or no such folder.

    Pickles are read as data only, so that nothing in them runs.
    """
    if not os.path.isdir(folder):
        return None
    for path in sorted(Path(folder).iterdir()):
        try:
            _read(path)
        except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
            reason = " ".join(str(error).split()) or type(error).__name__
            return f"{path} is damaged: {reason[:100]}"
    return None


def _read(path: Path) -> None:
    if path.suffix == ".json":
        if not isinstance(json.loads(path.read_bytes()), dict) and path.name in _OBJECTS:
            raise ValueError("it is no JSON object")
    elif path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            file.keys()
    elif path.suffix == ".bin":
        import torch

        torch.load(path, map_location="meta", weights_only=True, mmap=True)
