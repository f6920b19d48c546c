"""Whether a run can be: what DeepSpeed is told of its devices, and samples that the model can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.distributed.deepspeed_engine import configuration
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import SftSettings


def plan(settings: SftSettings, world: World, dtype: torch.dtype) -> dict[str, Any]:
    """What DeepSpeed is told; raises Fatal(2) where options and devices do not go together."""
    shared = world.sequence_parallel
    if shared > 1 and settings.model.packing is False:
        raise Fatal(Exit.USAGE, "--sequence-parallel needs packed rows; leave out --no-packing")
    if world.size % shared:
        count = f"{world.size} {'process' if world.size == 1 else 'processes'}"
        cure = "--nproc says how many there are on a node"
        raise Fatal(Exit.USAGE, f"--sequence-parallel {shared} does not divide {count}; {cure}")
    return configuration(settings.engine, settings.optimizer, dtype, world)


def refuse_unfit(stores: Sequence[TokenStore], config: Any, epochs: float) -> None:
    """Raises Fatal(2) where samples do not fit the model, or those to learn from (the first store) are too few."""
    text = config.get_text_config()
    longest = max(int(store.lengths.max()) for store in stores)
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
