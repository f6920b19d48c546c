"""Pre-flight checks: build the DeepSpeed configuration; refuse samples that the model cannot take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.prepare import TrainingData
from libra_cli.training.distributed.deepspeed_engine import build_config
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import TrainSettings


def deepspeed_config_for(settings: TrainSettings, world: World, dtype: torch.dtype) -> dict[str, Any]:
    """DeepSpeed's configuration. Raises Fatal(2) if options and devices do not go together."""
    if world.sp_size > 1 and settings.model.packing is False:
        raise Fatal(Exit.USAGE, "--sequence-parallel needs packed rows; leave out --no-packing")
    if world.size % world.sp_size:
        count = f"{world.size} {'process' if world.size == 1 else 'processes'}"
        cure = "--nproc says how many there are on a node"
        raise Fatal(Exit.USAGE, f"--sequence-parallel {world.sp_size} does not divide {count}; {cure}")
    return build_config(settings.engine, settings.optimizer, dtype, world)


def refuse_unfit(stores: Sequence[TrainingData], config: Any, epochs: float) -> None:
    """Raises Fatal(2) if samples do not fit the model, or the training samples (the first store) make no step."""
    text = config.get_text_config()
    longest = max(store.longest for store in stores)
    positions = getattr(text, "max_position_embeddings", None)
    if positions and longest > positions:
        cure = f"--max-length {positions} leaves longer ones out"
        raise Fatal(Exit.USAGE, f"a sample has {longest} tokens, and the model {positions} positions; {cure}")
    largest = max(store.largest_id for store in stores)
    if largest >= text.vocab_size:
        what = f"a sample has the token {largest}, and the model knows {text.vocab_size}"
        raise Fatal(Exit.USAGE, f"{what}; use the model's own tokenizer")
    if round(len(stores[0]) * epochs) < 1:
        raise Fatal(Exit.USAGE, f"--epochs {epochs:g} of {len(stores[0])} samples is no step; raise it")
