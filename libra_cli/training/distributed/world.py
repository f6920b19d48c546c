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
"""How long ranks wait for one that prepares data or writes files; the launcher notices a rank that dies."""


class ReportedByRank0(Fatal):
    """A failure of all ranks whose message rank 0 prints."""


class World:
    """All ranks, and collectives over them.

    RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT must be set (`launch.relaunch`).
    """

    def __init__(self, sp_size: int = 1):
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", 0))
        self.on_gpu = torch.cuda.is_available()
        self.device = torch.device("cuda", self.local_rank) if self.on_gpu else torch.device("cpu")
        self.sp_size = sp_size
        """Ranks that share a row (sequence parallelism)."""
        self._control: Any = None

    @classmethod
    def simulated(cls, size: int, sp_size: int) -> World:
        """A world of `size` ranks that do not exist, for a dry run."""
        world = cls(sp_size)
        world.size = size
        return world

    def __enter__(self) -> World:
        self._owns_process_group = not dist.is_initialized()
        import_deepspeed().init_distributed(dist_backend="nccl" if self.on_gpu else "gloo", timeout=CONTROL_TIMEOUT)
        # Control messages have a group of their own, so that they never wait for the device.
        self._control = dist.new_group(backend="gloo", timeout=CONTROL_TIMEOUT) if self.size > 1 else None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._owns_process_group and dist.is_initialized():  # vLLM destroys it as it closes
            dist.destroy_process_group()

    @property
    def is_rank0(self) -> bool:
        return self.rank == 0

    @property
    def dp_size(self) -> int:
        """Data-parallel groups: each sees other samples."""
        return self.size // self.sp_size

    @property
    def dp_rank(self) -> int:
        """Number of this rank's data-parallel group."""
        return self.rank // self.sp_size

    @property
    def sp_rank(self) -> int:
        """Number of this rank within its sequence-parallel group."""
        return self.rank % self.sp_size

    def neighbours(self, size: int) -> Any:
        """The process group of `size` ranks in a row that this rank belongs to; a collective of all ranks."""
        groups = [
            dist.new_group(list(range(first, first + size)), CONTROL_TIMEOUT, "gloo")
            for first in range(0, self.size, size)
        ]
        return groups[self.rank // size]

    def all_max(self, values: list[float]) -> list[float]:
        """Maxima over ranks, in float64; -inf stays only where all ranks have it."""
        return self._all_reduce(values, dist.ReduceOp.MAX)

    def all_sum(self, values: list[float]) -> list[float]:
        """Sums over ranks, in float64; NaN if any rank has NaN."""
        return self._all_reduce(values, dist.ReduceOp.SUM)

    def broadcast(self, value: Any) -> Any:
        """The value of rank 0, on all ranks."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self._control)
        return box[0]

    def all_gather(self, value: Any) -> list[Any]:
        """The values of all ranks, on all ranks."""
        if self.size == 1:
            return [value]
        boxes: list[Any] = [None] * self.size
        dist.all_gather_object(boxes, value, group=self._control)
        return boxes

    def on_all_ranks(self, action: Callable[[], T]) -> T:
        """Run `action` (no collectives inside) on every rank; if it raises Fatal on one, raise on all.

        Raises Fatal on rank 0 and ReportedByRank0 on the others.
        """
        result, failure = None, None
        try:
            result = action()
        except Fatal as error:
            failure = (int(error.status), str(error))
        failures = [each for each in self.all_gather(failure) if each is not None]
        if failures:
            kind = Fatal if self.is_rank0 else ReportedByRank0
            raise kind(Exit(failures[0][0]), failures[0][1])
        return cast(T, result)

    def on_rank0(self, action: Callable[[], T]) -> T:
        """Run `action` (no collectives inside) on rank 0 and broadcast its result; if it raises Fatal, raise on all."""
        return cast(T, self.broadcast(self.on_all_ranks(lambda: action() if self.is_rank0 else None)))

    def _all_reduce(self, values: list[float], operation: Any) -> list[float]:
        if self.size == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, operation, group=self._control)
        return tensor.tolist()


def import_deepspeed() -> Any:
    """DeepSpeed, silenced, and on a CPU without its own collectives, which would take a minute to compile."""
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


def device_of(world: World) -> tuple[str, float]:
    """The name of this rank's device, `CPU` without a GPU, and the GB of its memory."""
    if world.on_gpu:
        found = torch.cuda.get_device_properties(world.device)
        return str(found.name), float(found.total_memory) / 1e9
    return "CPU", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
