"""The trained model as a plain folder that transformers and vLLM load: weights, configuration, tokenizer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from libra_cli.stream.sinks import write_failed
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
"""What transformers calls them; other files that lie beside them are somebody's own."""


@dataclass(frozen=True)
class Export:
    """What a run's models are written with."""

    tokenizer: Any
    closing: Sequence[int]
    """The tokens that end a turn: generation stops at them, too."""
    dtype: torch.dtype | None
    """Of the weights; None: as they are."""
    world: World

    def write(self, folder: Path, engine: TrainEngine) -> None:
        """Writes the model below `folder`, file by file in place of what is there; called by all ranks.

        Adapters (LoRA) are merged. Raises Fatal(74) where the disk is full.
        """
        model = engine.policy.model
        weights = dict(_whole_weights(model, engine, self.world.is_rank0, self.dtype))
        self.world.on_rank0(lambda: _write(folder, _plain(model), weights, self.tokenizer, self.closing))


def _plain(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _whole_weights(
    model: Any, engine: TrainEngine, wanted: bool, dtype: torch.dtype | None
) -> Iterator[tuple[str, torch.Tensor]]:
    """Every weight by its name in the model, whole, on the CPU; gathered by all ranks, kept where wanted.

    As `dtype`: in float32 what the optimiser has in it is taken from there.
    """
    base = _plain(model)
    adapted = {name: module for name, module in base.named_modules() if hasattr(module, "get_delta_weight")}
    seen: set[int] = set()  # a tied weight has two names and is written under its first
    for owner_name, owner in base.named_modules():
        if any(owner_name.startswith(f"{name}.") for name in adapted):
            continue  # part of an adapter, merged with what it adapts
        inner = owner.base_layer if owner_name in adapted else owner
        own = [*inner.named_parameters(recurse=False), *_buffers(inner)]
        extra = list(owner.parameters()) if owner_name in adapted else []
        for name, tensor in own:
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            written = dtype if dtype and tensor.is_floating_point() else tensor.dtype
            original = engine.master_weight(tensor) if dtype == torch.float32 else None
            with engine.gathered([p for p in (tensor, *extra) if isinstance(p, nn.Parameter)]):
                if wanted:
                    value = tensor.detach() if original is None else original
                    if name == "weight" and owner_name in adapted:
                        value = value.float() + sum(owner.get_delta_weight(each) for each in owner.active_adapters)
                    yield f"{owner_name}.{name}" if owner_name else name, value.to("cpu", written, copy=True)


def _buffers(module: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Those that are saved with a model."""
    hidden = module._non_persistent_buffers_set
    return [(name, buffer) for name, buffer in module.named_buffers(recurse=False) if name not in hidden]


def _write(folder: Path, model: Any, weights: dict[str, torch.Tensor], tokenizer: Any, closing: Sequence[int]) -> None:
    try:
        _replace(folder, model, weights, tokenizer, closing)
    except OSError as error:
        raise write_failed(str(folder), error) from None


def _replace(
    folder: Path, model: Any, weights: dict[str, torch.Tensor], tokenizer: Any, closing: Sequence[int]
) -> None:
    aside = folder / ".model.partial"
    if aside.exists():
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    _stop_at(model, tokenizer, closing)
    dtype = next(value.dtype for value in weights.values() if value.is_floating_point())  # saving empties the dict
    used = model.config.use_cache
    model.config.use_cache = True  # it was off for training only
    try:
        model.save_pretrained(aside, state_dict=weights)
        tokenizer.save_pretrained(aside)
    finally:
        model.config.use_cache = used
    _rewrite(aside / "config.json", lambda config: _with_dtype(config, str(dtype).removeprefix("torch.")))
    _rewrite(aside / "tokenizer_config.json", _without_origin)
    written = sorted(path for path in aside.rglob("*") if path.is_file() and path.name != "config.json")
    names = {path.name for path in written}
    for path in written:
        _move(path, folder / path.relative_to(aside))
    _drop_other_weights(folder, names)
    _move(aside / "config.json", folder / "config.json")  # last what makes it a model
    shutil.rmtree(aside)


def _drop_other_weights(folder: Path, names: Container[str]) -> None:
    """Takes away weights of a model that stood here in more or fewer files: loaders would take them for this one's."""
    for pattern in WEIGHTS:
        for path in folder.glob(pattern):
            if path.name not in names:
                path.unlink()


def _rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    changed = change(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _with_dtype(config: dict[str, Any], dtype: str) -> dict[str, Any]:
    """What transformers has written says how the model was trained, of its parts as of the whole."""
    parts = {name: _with_dtype(part, dtype) for name, part in config.items() if isinstance(part, dict)}
    return {**config, **parts, **({"dtype": dtype} if "dtype" in config else {})}


def _without_origin(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Where a tokenizer was read from is no part of it."""
    return {name: value for name, value in tokenizer.items() if name not in ("is_local", "local_files_only")}


def _stop_at(model: Any, tokenizer: Any, closing: Sequence[int]) -> None:
    """Lets generation end where a turn was learned to end: a base model's own end of text may be another token."""
    before = model.generation_config.eos_token_id
    known = [before] if isinstance(before, int) else list(before or [])
    ends = [*closing, *known, *([] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id])]
    ends = list(dict.fromkeys(ends))
    if ends:
        model.generation_config.eos_token_id = ends[0] if len(ends) == 1 else ends
    if model.generation_config.pad_token_id is None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    try:
        model.generation_config.validate(strict=True)
    except ValueError:  # common in older folders: settings of sampling beside do_sample = false, which are not saved
        model.generation_config.do_sample = True


def _move(source: Path, target: Path) -> None:
    with open(source, "rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(source, 0o666 & ~mask)  # safetensors lets nobody else read what it writes
    os.replace(source, target)
