"""Says what is wrong with a model's folder: the libraries that load a model seldom do."""

from __future__ import annotations

import json
import os
from pathlib import Path

from libra_cli import miniature
from libra_cli.similar import nearest_name

_OBJECTS = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json",
            "model.safetensors.index.json")  # fmt: skip
_ADAPTER = "adapter_config.json"
_NEAR = 0.75
"""Ratio of difflib from which a name is taken for a mistyped one: `jugde` for `judge` has 0.8."""


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


def refused_settings(folder: str) -> str | None:
    """Why transformers cannot load the folder's generation_config.json, and the cure; None if it can, or has none."""
    path = Path(folder) / "generation_config.json"
    if not path.is_file():
        return None
    from transformers import GenerationConfig

    try:
        GenerationConfig.from_pretrained(folder)
    except ValueError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        return f"{path}: transformers refuses it ({reason[:200]}); change that in the file, or remove the file"
    return None


def no_model(name: str) -> str | None:
    """Why neither an engine nor a trainer can load the model `name`, and the cure; None if a hub may have it.

    Looks at names of files only.
    """
    if miniature.is_misspelt(name):
        return f"the embedded models are {', '.join(miniature.MODELS)}"
    folder = Path(name).expanduser()
    if not folder.is_dir():
        is_path = name.startswith(("/", "./", "../", "~")) or name.count("/") > 1
        near = _near_model(folder)
        if near is None or _is_cached(name):
            return "there is no such directory" if is_path else None
        hub = "" if is_path else ", and models of a hub go by OWNER/NAME"
        return f"there is no such directory{hub}; did you mean {near}?"
    if (folder / "config.json").exists():
        return None
    if (folder / _ADAPTER).exists():
        cure = "merge them into their model (merge_and_unload of peft, then save_pretrained), and name its folder"
        return f"the folder holds adapters (LoRA), not a whole model; {cure}"
    return _training_run(folder) or "no model in this directory (no config.json); name one that holds it"


def _near_model(folder: Path) -> str | None:
    """The folder of a model that `folder`, which is not there, may be meant to be; None if none beside it is near."""
    try:
        beside = {path.name for path in folder.parent.iterdir() if (path / "config.json").exists()}
    except OSError:
        return None
    near = nearest_name(folder.name, beside, _NEAR)
    return str(folder.parent / near) if near else None


def _is_cached(name: str) -> bool:
    """Whether the cache of the Hugging Face Hub has a model of this name."""
    home = os.environ.get("HF_HOME") or os.path.expanduser("~/.cache/huggingface")
    cache = os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")
    return os.path.isdir(os.path.join(cache, f"models--{name.replace('/', '--')}"))


def _training_run(folder: Path) -> str | None:
    """Says of a checkpoint of a trainer, or of a run that has not ended, where the model is; None for other folders."""
    whole = folder.absolute()
    places = [whole, *(place.parent for place in (whole, whole.parent) if place.name == "checkpoints")]
    run = next(
        (place for place in places if (place / "libra.json").exists() and (place / "checkpoints").is_dir()), None
    )
    if run is None:
        return None
    what = "a run of a trainer that has not ended" if run == whole else "a checkpoint of a trainer, which is no model"
    shown = str(run) if folder.is_absolute() else os.path.relpath(run)
    if (run / "config.json").exists():
        return f"this is {what}; name {shown}, which has the model of the run"
    return f"this is {what}; the same command of the trainer continues the run, and writes the model to {shown}"


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


def is_at_hand(model: str) -> bool:
    """Whether a model is a folder, is embedded, or is in the cache of the hub."""
    if os.path.isdir(model) or miniature.resolve(model):
        return True
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(model, "config.json"), str)
    except HFValidationError:
        return False
