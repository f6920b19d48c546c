"""vLLM as a trainer's sampler: in the trainer's process, with weights that the trainer replaces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from libra_cli.engines.base import LocalModel, Sampling
from libra_cli.engines.vllm import VllmEngine
from libra_cli.engines.weight_digest import HeldWeight
from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    import torch

    from libra_cli.engines.vllm_drivers import InProcess


class VllmPolicyEngine(VllmEngine):
    """A PolicyEngine of vLLM in this process, on this rank's device.

    Under a distributed launcher (RANK is set) vLLM joins the trainer's process group: `tensor_parallel_size` ranks then
    share one model, and must make the same calls with the same requests. Closing the engine destroys that group, so
    close it after everything else that uses the group. An engine that breaks is not restarted: a restart would load
    the folder's weights, not the trained ones.
    """

    _restarts_allowed = 0

    def __init__(self, model: LocalModel, sampling: Sampling, note: Callable[[str], None]):
        super().__init__(model, sampling, note)
        if int(model.args.get("data_parallel_size") or 1) > 1:
            raise Fatal(Exit.USAGE, "data_parallel_size: a policy has one vLLM for each rank; start more ranks")
        launched = "RANK" in os.environ
        if int(model.args.get("tensor_parallel_size") or 1) > 1 and not launched:
            raise Fatal(Exit.USAGE, "tensor_parallel_size: a policy needs as many ranks; start them with torchrun")
        self._executor = "external_launcher" if launched else "uni"

    def update_weights(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        self._in_process().update_weights(named)

    def held_weights(self, draw: int) -> dict[str, list[list[HeldWeight]]]:
        return {"": self._in_process().held_weights(draw)}

    def sleep(self) -> None:
        """Does nothing on a CPU, which has no device memory to free."""
        if self._driver is not None:
            self._in_process().sleep()

    def wake(self) -> None:
        if self._driver is not None:
            self._in_process().wake()

    def _in_process(self) -> InProcess:
        self._start_if_needed()
        return self._driver  # type: ignore[return-value]

    def _needs_processes(self, _given: Mapping[str, Any]) -> bool:
        return False

    def _engine_args(self) -> dict[str, Any]:
        from vllm.platforms import current_platform

        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        args = {**super()._engine_args(), "distributed_executor_backend": self._executor}
        return args if current_platform.is_cpu() else {"enable_sleep_mode": True, **args}
