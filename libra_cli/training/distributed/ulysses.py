"""Sequence parallelism (DeepSpeed-Ulysses): the ranks of a group share the row that a model reads."""

from __future__ import annotations

from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.training.distributed.world import World
from libra_cli.training.model import attention


def register_ulysses(lm: Any, world: World) -> Any:
    """Ulysses: each rank of a group holds a stretch of the row and, in attention, some heads of the whole row.

    Returns DeepSpeed's `mpu`. Raises Fatal(2) for a model without a number of key heads.
    """
    from deepspeed.runtime.sequence_parallel.ulysses_sp import UlyssesSPAttentionHF

    if not hasattr(lm.config.get_text_config(), "num_key_value_heads"):
        raise Fatal(Exit.USAGE, "--sequence-parallel: this model does not say how many heads its keys have")
    return UlyssesSPAttentionHF.register_with_transformers(
        lm, attention.NAME, sequence_parallel_size=world.sp_size, micro_batch_size=1
    )
