"""The trainer's end of the weight transfer to vLLM servers: over HTTP, or by NCCL."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import torch

from libra_cli.engines.vllm_server import VllmServers
from libra_cli.exits import Exit, Fatal

HTTP_BYTES, NCCL_BYTES = 64 << 20, 1 << 30
"""Weights that travel at once."""
_SHAPE = ("model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
          "num_key_value_heads", "head_dim", "tie_word_embeddings")  # fmt: skip


class HttpTransfer:
    """Sends weights in the bodies of requests; on the other side is `vllm_weight_receiver`."""

    def __init__(self, servers: VllmServers, config: Any):
        """`config`: of the model, as transformers has it."""
        self._servers = servers
        own = config.get_text_config()
        self._shape = {name: getattr(own, name) for name in _SHAPE if isinstance(getattr(own, name, None), (int, str))}

    def connect(self) -> None:
        self._servers.everywhere("/init_weight_transfer_engine", {"init_info": {"shape": self._shape}})

    def send(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        from safetensors.torch import save

        for chunk in chunks(named, HTTP_BYTES):
            content = save({name: tensor.detach().cpu().contiguous() for name, tensor in chunk})
            info = {"names": [name for name, _ in chunk], "tensors": base64.b64encode(content).decode()}
            self._servers.everywhere("/update_weights", {"update_info": info})


def chunks(named: Iterable[tuple[str, torch.Tensor]], limit: int) -> Iterator[list[tuple[str, torch.Tensor]]]:
    """Runs of weights of at most `limit` bytes, or of one weight that is larger."""
    held: list[tuple[str, torch.Tensor]] = []
    size = 0
    for name, tensor in named:
        if held and size + tensor.nbytes > limit:
            yield held
            held, size = [], 0
        held.append((name, tensor))
        size += tensor.nbytes
    if held:
        yield held


class NcclTransfer:
    """Sends weights by NCCL, from this process's GPU to those of all servers at once.

    vLLM's own `NCCLTrainerWeightTransferEngine` sends each chunk; the update that the chunks belong to begins and ends
    outside of it, so that a model larger than this GPU's free memory fits through.
    """

    def __init__(self, servers: VllmServers, workers: Sequence[int], device: torch.device):
        """`workers`: how many each server has."""
        self._servers, self._workers, self._device = servers, workers, device
        self._engine: Any = None
        self._ended = threading.Event()
        self._failed: BaseException | None = None
        self._chunk: list[tuple[str, torch.Tensor]] = []

    def connect(self) -> None:
        from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo, NCCLTrainerWeightTransferEngine

        try:
            self._servers.everywhere("/shutdown_weight_transfer_engine")  # an earlier trainer's connection
        except Fatal:  # which was killed in the middle of an update
            self._servers.everywhere("/finish_weight_update")
            self._servers.everywhere("/shutdown_weight_transfer_engine")
        self._engine = self._guarded(
            lambda: NCCLTrainerWeightTransferEngine.trainer_init(
                NCCLTrainerInitInfo(
                    master_address=own_address(self._servers.names[0]),
                    master_port=free_port(),
                    world_size=1 + sum(self._workers),
                    rank=0,
                ),
                client=self,
                source=_chunk_source(self),
            )
        )

    def send(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        for self._chunk in chunks(named, NCCL_BYTES):
            self._guarded(self._engine.send_weights)

    def named_weights(self) -> list[tuple[str, torch.Tensor]]:
        """The weights of the chunk that is sent."""
        return self._chunk

    # -- the client of vLLM's engine, a VLLMWeightSyncClient -----------------------------------------------------------

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        """Each server's workers follow those of the server before it."""
        offsets = [init_info["rank_offset"] + sum(self._workers[:number]) for number in range(len(self._workers))]
        bodies = [{"init_info": {**init_info, "rank_offset": offset}} for offset in offsets]
        self._rpc(lambda: self._servers.everywhere("/init_weight_transfer_engine", bodies=bodies))

    def start_weight_update(self) -> None:
        """Does nothing: the whole update has begun."""

    def update_weights(self, update_info: dict[str, Any]) -> None:
        self._rpc(lambda: self._servers.everywhere("/update_weights", {"update_info": update_info}))

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        """Does nothing: more chunks may follow."""

    # -- a server that dies while NCCL waits for it --------------------------------------------------------------------

    def _rpc(self, call: Any) -> None:
        try:
            call()
        except BaseException as error:
            self._failed = error
            self._ended.set()
            raise

    def _guarded(self, action: Any) -> Any:
        """The result of `action`, which runs in a thread of its own: NCCL would wait for ever for a dead server."""
        self._ended.clear()
        self._failed = None
        results: list[Any] = []

        def run() -> None:
            torch.cuda.set_device(self._device)
            try:
                results.append(action())
            except BaseException as error:  # noqa: BLE001 -- raised below, in the thread that waits
                self._failed = self._failed or error
            self._ended.set()

        threading.Thread(target=run, name="libra-nccl", daemon=True).start()
        self._ended.wait()
        if isinstance(self._failed, Fatal):
            raise self._failed
        if self._failed is not None:
            reason = " ".join(str(self._failed).split())[:300] or type(self._failed).__name__
            what = f"{', '.join(self._servers.names)}: NCCL cannot bring the weights there ({reason})"
            raise Fatal(Exit.BACKEND, f"{what}; NCCL_DEBUG=INFO says more")
        return results[0]


def _chunk_source(transfer: NcclTransfer) -> Any:
    """The weights of one chunk after the other, as vLLM's engine takes them."""
    from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource

    class ChunkSource(WeightSource):
        def metadata(self) -> list[ParamMeta]:
            return [ParamMeta(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in transfer.named_weights()]

        def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
            return iter(transfer.named_weights())

    return ChunkSource()


def own_address(url: str) -> str:
    """This machine's address on the way to a server."""
    parts = urlsplit(url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((parts.hostname, parts.port or 80))  # sends nothing
        return str(way.getsockname()[0])


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
