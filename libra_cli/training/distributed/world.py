"""The ranks of a run: who this process is, and what all of them agree on."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from libra_cli.exits import Exit, Fatal

T = TypeVar("T")

CONTROL_TIMEOUT = timedelta(days=2)
"""Ranks wait so long for one that prepares data or writes files; a rank that dies is noticed by who started it."""


class SaidElsewhere(Fatal):
    """A failure of all ranks, of which rank 0 tells."""


class World:
    """All ranks; RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT must be set (`launch.relaunch`)."""

    def __init__(self, sequence_parallel: int = 1):
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", 0))
        self.on_gpu = torch.cuda.is_available()
        self.device = torch.device("cuda", self.local_rank) if self.on_gpu else torch.device("cpu")
        self.sequence_parallel = sequence_parallel
        self._control: Any = None

    @classmethod
    def imagined(cls, size: int, sequence_parallel: int) -> World:
        """So many ranks that are not there, to see what a run on them would be."""
        world = cls(sequence_parallel)
        world.size = size
        return world

    def __enter__(self) -> World:
        self._ours = not dist.is_initialized()
        import_deepspeed().init_distributed(dist_backend="nccl" if self.on_gpu else "gloo", timeout=CONTROL_TIMEOUT)
        # What is agreed on travels beside the model's own exchanges and never waits for the device.
        self._control = dist.new_group(backend="gloo", timeout=CONTROL_TIMEOUT) if self.size > 1 else None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._ours:
            dist.destroy_process_group()

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def replicas(self) -> int:
        """Groups of ranks that see different samples."""
        return self.size // self.sequence_parallel

    @property
    def replica(self) -> int:
        """This rank's group."""
        return self.rank // self.sequence_parallel

    @property
    def part(self) -> int:
        """Which stretch of its group's row is this rank's."""
        return self.rank % self.sequence_parallel

    def greatest(self, value: int) -> int:
        """The greatest of all ranks' values."""
        return int(self._reduced([float(value)], dist.ReduceOp.MAX)[0])

    def sums(self, values: list[float]) -> list[float]:
        """The sums over all ranks, in float64; with a NaN where any rank has one."""
        return self._reduced(values, dist.ReduceOp.SUM)

    def told(self, value: Any) -> Any:
        """What rank 0 has as `value`."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self._control)
        return box[0]

    def gathered(self, value: Any) -> list[Any]:
        """The values of all ranks."""
        if self.size == 1:
            return [value]
        boxes: list[Any] = [None] * self.size
        dist.all_gather_object(boxes, value, group=self._control)
        return boxes

    def together(self, action: Callable[[], T], only_first: bool = False) -> T:
        """What `action` gives, which has no exchange in it; where it fails on any rank, it fails on all.

        With `only_first` rank 0 alone acts, and the others get None. Raises Fatal on rank 0, SaidElsewhere on others.
        """
        result, failure = None, None
        if self.is_first or not only_first:
            try:
                result = action()
            except Fatal as error:
                failure = (int(error.status), str(error))
        failures = [each for each in self.gathered(failure) if each is not None]
        if failures:
            kind = Fatal if self.is_first else SaidElsewhere
            raise kind(Exit(failures[0][0]), failures[0][1])
        return cast(T, result)

    def _reduced(self, values: list[float], operation: Any) -> list[float]:
        if self.size == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, operation, group=self._control)
        return tensor.tolist()


def import_deepspeed() -> Any:
    """DeepSpeed, quiet, and on a CPU without the exchange of its own that would be compiled for a minute first."""
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    import logging

    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    import deepspeed
    import deepspeed.ops
    from deepspeed.utils import logger

    logger.setLevel(logging.ERROR)
    if not torch.cuda.is_available():
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    return deepspeed
