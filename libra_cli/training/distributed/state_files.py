"""The state files of a checkpoint: reading one runs nothing that lies in it, and a hash tells when one has changed.

DeepSpeed keeps its state in pickles, which are programs: unpickling calls whatever they name.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

_FORCED, _FORBIDDEN = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
_BLOCK_BYTES = 1 << 20
_NAMED = re.compile(r"(?:GLOBAL|global) ([\w.]{1,200}) ")


def known_classes() -> list[Any]:
    """The classes, besides tensors and plain data, that DeepSpeed's state consists of at any ZeRO stage."""
    from deepspeed.runtime.fp16.loss_scaler import LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    return [LossScaler, ZeroStageEnum, fragment_address]


@contextmanager
def reading_data_only(checkpoint_engine: Any) -> Iterator[None]:
    """Within it, `torch.load` makes tensors, plain data and `known_classes`, whatever its caller asks for.

    DeepSpeed asks for weights_only=False, in many places. `checkpoint_engine` is DeepSpeed's: its `load` raises
    ValueError that names the file where that cannot be read so.
    """
    before = {name: os.environ.pop(name, None) for name in (_FORCED, _FORBIDDEN)}
    load, checkpoint_engine.load = checkpoint_engine.load, _naming_the_file(checkpoint_engine.load)
    os.environ[_FORCED] = "1"
    try:
        with torch.serialization.safe_globals(known_classes()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about other protocols; what cannot be read is an error
            yield
    finally:
        checkpoint_engine.load = load
        del os.environ[_FORCED]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def mapped_state(path: Path) -> Any:
    """A state file as data only; its tensors stay in the file until they are read. Raises ValueError that names it."""
    with torch.serialization.safe_globals(known_classes()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return _naming_the_file(torch.load)(str(path), map_location="cpu", mmap=True, weights_only=True)


def _naming_the_file(load: Callable[..., Any]) -> Callable[..., Any]:
    def named(path: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return load(path, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 -- a damaged pickle raises any exception
            name = os.path.basename(path)
            if found := _NAMED.search(str(error)):
                raise ValueError(
                    f"{name} names {found[1]}, which no training state needs and libra never runs"
                ) from None
            raise ValueError(f"{name} is damaged, or is no state of DeepSpeed: {first_line(error)}") from None

    return named


def first_line(error: Exception) -> str:
    """What `error` says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def sha256_of(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of each file, by its name in `folder`. Raises OSError."""
    digests = {}
    for name in names:
        digest = hashlib.sha256()
        with open(folder / name, "rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        digests[name] = digest.hexdigest()
    return digests


def names_in(folder: Path) -> list[str]:
    """The names of all files below `folder`, the largest first."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in sorted(found, key=lambda path: (-path.stat().st_size, path))]
