"""Says what is wrong with a model's folder: the libraries that load a model seldom do."""

from __future__ import annotations

import json
import os
from pathlib import Path

from libra_cli.exits import Exit, Fatal

_OBJECTS = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json",
            "model.safetensors.index.json")  # fmt: skip
_ADAPTER = "adapter_config.json"


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


def refuse_adapter(name: str, folder: str) -> None:
    """Raises Fatal(2) for a folder of adapters without the model that they belong to."""
    if os.path.exists(os.path.join(folder, "config.json")) or not os.path.exists(os.path.join(folder, _ADAPTER)):
        return
    cure = "merge them into their model (merge_and_unload of peft, then save_pretrained), and name the folder of that"
    raise Fatal(Exit.USAGE, f"{name}: the folder holds adapters (LoRA), not a whole model; {cure}")


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
