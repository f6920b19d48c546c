"""Writes the trained model as a plain folder that transformers and vLLM load: weights, configuration, tokenizer."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from libra_cli.exits import Fatal
from libra_cli.stream.sinks import failed_below, write_failed
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World
from libra_cli.training.model.policy import pad_id_of
from libra_cli.training.model.transformers_4 import with_older_names, with_older_tokenizer
from libra_cli.training.own_folder import WEIGHTS

Claim = Callable[[Sequence[str]], set[str]]
"""Is told the names of the files that will be written, may refuse them, and returns all names that are libra's."""


@dataclass(frozen=True)
class Export:
    """Writes the models of one run."""

    tokenizer: Any
    closing: Sequence[int]
    """Token ids that end a turn: generation must stop at them, too."""
    dtype: torch.dtype | None
    """Of the written weights; None: as they are."""
    world: World
    source: Mapping[str, Any] = field(default_factory=dict)
    """The config.json of the model with which training began."""

    def write(self, folder: Path, engine: TrainEngine, claim: Claim | None = None) -> None:
        """Writes the model below `folder`, replacing file by file what is there; all ranks call it.

        Adapters (LoRA) are merged. `claim` is told the names first; None: all in the folder is libra's. Raises
        Fatal(74) if the disk is full, and what `claim` raises.
        """
        model = base_model(engine.policy.model)
        weights = dict(whole_weights(model, engine, self.world.is_rank0, self.dtype))

        def write() -> None:
            try:
                _write_folder(folder, model, weights, self.tokenizer, self.closing, claim, self.source)
            except OSError as error:
                raise failed_below(str(folder), error) from None
            except SafetensorError as error:
                raise not_written(folder / "model.safetensors", error) from None

        self.world.on_rank0(write)


def not_written(path: Path, error: SafetensorError) -> Fatal:
    """The Fatal(74) for weights that cannot be written; safetensors gives the system's error in words only."""
    found = re.search(r"os error (\d+)", str(error))
    number = int(found[1]) if found else errno.EIO
    return write_failed(str(path), OSError(number, os.strerror(number)), begun=True)


def base_model(model: Any) -> Any:
    """The causal model inside a peft wrapper, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def whole_weights(
    model: Any, engine: TrainEngine, keep: bool, dtype: torch.dtype | None, device: torch.device | str = "cpu"
) -> Iterator[tuple[str, torch.Tensor]]:
    """Copies of each weight, by its name in the base model, whole; all ranks gather, those that `keep` yield.

    `dtype` converts; for float32, trainable weights are the optimizer's master weights.
    """
    adapted = {name for name, module in model.named_modules() if hasattr(module, "get_delta_weight")}
    seen: set[int] = set()  # a tied weight has two names and is written under its first
    for owner_name, owner in model.named_modules():
        if any(owner_name.startswith(f"{name}.") for name in adapted):
            continue  # part of an adapter, merged with the layer that it adapts
        inner = owner.base_layer if owner_name in adapted else owner
        hidden = inner._non_persistent_buffers_set
        buffers = [(name, buffer) for name, buffer in inner.named_buffers(recurse=False) if name not in hidden]
        adapter = list(owner.parameters()) if owner_name in adapted else []
        for name, tensor in [*inner.named_parameters(recurse=False), *buffers]:
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            written = dtype if dtype and tensor.is_floating_point() else tensor.dtype
            master = engine.master_weight(tensor) if dtype == torch.float32 else None
            with engine.gathered([p for p in (tensor, *adapter) if isinstance(p, nn.Parameter)]):
                if keep:
                    value = tensor.detach() if master is None else master
                    if name == "weight" and owner_name in adapted:
                        value = value.float() + sum(owner.get_delta_weight(each) for each in owner.active_adapters)
                    yield f"{owner_name}.{name}" if owner_name else name, value.to(device, written, copy=True)


def _write_folder(
    folder: Path,
    model: Any,
    weights: dict[str, torch.Tensor],
    tokenizer: Any,
    closing: Sequence[int],
    claim: Claim | None,
    source: Mapping[str, Any],
) -> None:
    aside = folder / ".model.partial"
    if aside.exists():
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    if model.can_generate():
        _set_generation_ends(model, tokenizer, closing)
    else:  # what it scores depends on which token is padding
        model.config.get_text_config().pad_token_id = model.config.pad_token_id = pad_id_of(tokenizer)
    dtype = next(value.dtype for value in weights.values() if value.is_floating_point())  # saving empties the dict
    use_cache = model.config.use_cache
    model.config.use_cache = True  # it was off for training only
    try:
        model.save_pretrained(aside, state_dict=weights)
        tokenizer.save_pretrained(aside)
    finally:
        model.config.use_cache = use_cache
    name = str(dtype).removeprefix("torch.")
    _rewrite(aside / "config.json", lambda config: _with_dtype(with_older_names(config, source), name))
    origin = ("is_local", "local_files_only")  # how a tokenizer was loaded is no property of the model
    _rewrite(
        aside / "tokenizer_config.json",
        lambda config: with_older_tokenizer(
            {name: value for name, value in config.items() if name not in origin}, list(tokenizer.model_input_names)
        ),
    )
    written = sorted(path for path in aside.rglob("*") if path.is_file() and path.name != "config.json")
    names = {path.name for path in written}
    tops = {path.relative_to(aside).parts[0] for path in written}
    own = None if claim is None else claim(sorted({*tops, "config.json"}))
    for path in written:
        _move(path, folder / path.relative_to(aside))
    # Loaders would take the weights of an earlier model in more or fewer files for this one's.
    for pattern in WEIGHTS:
        for path in folder.glob(pattern):
            if path.name not in names and (own is None or path.name in own):
                path.unlink()
    _move(aside / "config.json", folder / "config.json")  # last: it makes the folder a model
    shutil.rmtree(aside)


def _rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    changed = change(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _with_dtype(config: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The config with the dtype of the written weights, in its parts too; transformers writes that of training."""
    parts = {name: _with_dtype(part, dtype) for name, part in config.items() if isinstance(part, dict)}
    return {**config, **parts, **{name: dtype for name in ("dtype", "torch_dtype") if name in config}}


def _set_generation_ends(model: Any, tokenizer: Any, closing: Sequence[int]) -> None:
    """Ends generation at the token that closes a turn; the end-of-text token of a base model may be another one."""
    before = model.generation_config.eos_token_id
    known = [before] if isinstance(before, int) else list(before or [])
    ends = [*closing, *known, *([] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id])]
    ends = list(dict.fromkeys(ends))
    if ends:
        model.generation_config.eos_token_id = ends[0] if len(ends) == 1 else ends
    if model.generation_config.pad_token_id is None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    _drop_unused(model.generation_config)


def _drop_unused(settings: Any) -> None:
    """Leaves out what transformers does not use and so refuses to save, such as a temperature without sampling.

    What `generate` does by these settings stays: it is greedy unless `do_sample` is true. A temperature of 0, at which
    it cannot sample, means that too.
    """
    if settings.temperature == 0:
        settings.do_sample, settings.num_return_sequences = False, None
    try:
        settings.validate(strict=True)
    except ValueError as error:
        for name in re.findall(r"^- `(\w+)`: ", str(error), re.MULTILINE):
            setattr(settings, name, None)


def _move(source: Path, target: Path) -> None:
    with open(source, "rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(source, 0o666 & ~mask)  # safetensors writes files that only their owner can read
    os.replace(source, target)
