"""Two ways to drive vLLM through the same verbs (add, step, close): in this process, or in processes of its own.

`add` submits a request; `step` returns the requests that finished since, as (key, output) or (key, exception) pairs.
An exception that either raises means that the engine is broken.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
import subprocess
import threading
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from libra_cli.engines.weight_digest import HeldWeight

Finished = list[tuple[str, Any]]

_STEP_SECONDS = 0.5
_START_SECONDS = 3600.0
_STOP_SECONDS = 20.0


class Driver(Protocol):
    """What the engine needs of either driver."""

    config: Any
    """The engine's VllmConfig."""

    def tasks(self) -> Sequence[str]:
        """What the model can do, by vLLM's names: generate, classify, ..."""
        ...

    def add(self, key: str, prompt: Any, params: Any) -> None: ...

    def step(self) -> Finished: ...

    def close(self) -> None: ...


class InProcess:
    """The synchronous LLMEngine inside this process: starts fastest, and needs no other process."""

    def __init__(self, args: Any):
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        self._engine = LLMEngine.from_engine_args(args, usage_context=UsageContext.LLM_CLASS)
        self.config = self._engine.vllm_config

    def tasks(self) -> Sequence[str]:
        return self._engine.get_supported_tasks()

    def add(self, key: str, prompt: Any, params: Any) -> None:
        self._engine.add_request(key, prompt, params)

    def step(self) -> Finished:
        return [(output.request_id, _only(output)) for output in self._engine.step() if output.finished]

    def update_weights(self, named: Iterable[tuple[str, Any]]) -> None:
        """Replaces weights by their names in a checkpoint; no request may be at work."""
        # `model.load_weights` would not do: a CPU keeps weights in a format of its kernels, which this converts anew.
        self._engine.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(named)})
        self._engine.apply_model(repack_tied_head)
        self._engine.reset_prefix_cache()  # it holds keys and values of the old weights

    def held_weights(self, draw: int) -> list[list[HeldWeight]]:
        """What each worker in this process computes with."""
        from libra_cli.engines.vllm_held_weights import held_weights

        held: list[list[HeldWeight]] = self._engine.apply_model(partial(held_weights, draw=draw))
        return held

    def sleep(self) -> None:
        """Drops the weights, which `update_weights` replaces, and the KV cache; there is nothing to free on a CPU."""
        from vllm.platforms import current_platform

        if not current_platform.is_cpu():
            self._engine.sleep(level=2)

    def wake(self) -> None:
        from vllm.platforms import current_platform

        if not current_platform.is_cpu():
            self._engine.wake_up()

    def close(self) -> None:
        from vllm.distributed import cleanup_dist_env_and_memory

        self._engine.engine_core.shutdown()
        cleanup_dist_env_and_memory()


class OwnProcesses:
    """AsyncLLM, which runs `data_parallel_size` engines in processes and balances them; its loop is a thread here.

    (The synchronous LLMEngine can run its engine in a process too, but waits forever if that process is killed.)
    """

    def __init__(self, args: Any):
        self._loop = asyncio.new_event_loop()
        self._finished: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, name="libra-vllm", daemon=True).start()
        self._engine = asyncio.run_coroutine_threadsafe(self._create(args), self._loop).result(_START_SECONDS)
        self.config = self._engine.vllm_config
        self._guard = ProcessGuard()

    def tasks(self) -> Sequence[str]:
        return asyncio.run_coroutine_threadsafe(self._engine.get_supported_tasks(), self._loop).result(_STOP_SECONDS)

    def add(self, key: str, prompt: Any, params: Any) -> None:
        self._loop.call_soon_threadsafe(self._begin, key, prompt, params)

    def step(self) -> Finished:
        from vllm.v1.engine.exceptions import EngineDeadError

        finished: Finished = []
        try:
            finished.append(self._finished.get(timeout=_STEP_SECONDS))
            while True:
                finished.append(self._finished.get_nowait())
        except queue.Empty:
            pass  # no more have finished
        for _, output in finished:
            if isinstance(output, EngineDeadError):
                raise output
        return finished

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._guard.close()

    @staticmethod
    async def _create(args: Any) -> Any:
        from vllm.v1.engine.async_llm import AsyncLLM

        return AsyncLLM.from_engine_args(args)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._engine.shutdown(timeout=_STOP_SECONDS / 2)

    def _begin(self, key: str, prompt: Any, params: Any) -> None:
        task = self._loop.create_task(self._one(key, prompt, params))
        self._tasks.add(task)  # the loop itself holds only weak references
        task.add_done_callback(self._tasks.discard)

    async def _one(self, key: str, prompt: Any, params: Any) -> None:
        from vllm import SamplingParams

        ask = self._engine.generate if isinstance(params, SamplingParams) else self._engine.encode
        try:
            async for output in ask(prompt, params, key):
                if output.finished:
                    self._finished.put((key, _only(output)))
        except Exception as error:  # noqa: BLE001 -- `step` returns it, with the request that it concerns
            self._finished.put((key, error))


def repack_tied_head(model: Any) -> None:
    """Packs a head that shares the embedding's weight for the CPU's kernels again.

    vLLM 0.32 reloads the shared weight into the embedding alone, and would compute logits with the old copy.
    """
    head: Any = getattr(model, "lm_head", None)
    if getattr(head, "cpu_linear", None) is not None and head.weight.numel():  # untied, it is packed and then emptied
        head.quant_method.process_weights_after_loading(head)


def _only(output: Any) -> Any:
    """The only output of a request: the one sample, or the numbers of a pooling model."""
    return output.outputs[0] if isinstance(output.outputs, list) else output.outputs


class ProcessGuard:
    """Ends the engine's processes if this one is killed: else they would go on and keep the GPU's memory.

    On Linux those that load a model end by themselves (`vllm_parent`), also while they start. What is left to this are
    the coordinator of data parallelism, which calls no plugins, and systems whose kernel cannot do that.
    """

    def __init__(self) -> None:
        pids = [str(child.pid) for child in multiprocessing.active_children()]
        self._shell: subprocess.Popen[bytes] | None = None
        if pids:
            # The pipe closes when this process ends, however it ends.
            words = ["sh", "-c", 'cat >/dev/null; kill -KILL "$@" 2>/dev/null', "libra-guard", *pids]
            self._shell = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        if self._shell is not None:
            self._shell.kill()
            self._shell.communicate()
