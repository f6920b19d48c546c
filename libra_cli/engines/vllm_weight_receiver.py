"""A weight-transfer backend of vLLM, for servers that NCCL does not reach: tensors come in the bodies of HTTP requests.

It runs inside the workers of a server: `vllm serve --worker-extension-cls
libra_cli.engines.vllm_weight_receiver.WorkerExtension --weight-transfer-config '{"backend": "libra"}'`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from safetensors.torch import load
from vllm.distributed.weight_transfer.base import (
    WeightTransferEngine,
    WeightTransferInitInfo,
    WeightTransferUpdateInfo,
)
from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload

from libra_cli.engines.vllm_drivers import repack_tied_head
from libra_cli.engines.vllm_held_weights import held_weights
from libra_cli.engines.vllm_server import HTTP_BACKEND


@dataclass
class ReceiverInit(WeightTransferInitInfo):
    """What the trainer says of its model."""

    shape: dict[str, Any]
    """The values of its configuration that decide which weights there are."""


@dataclass
class ReceivedTensors(WeightTransferUpdateInfo):
    """Some weights, by their names in a checkpoint."""

    names: list[str]
    """In the order of the model: vLLM loads a layer once it is complete."""
    tensors: str
    """A safetensors file in base64."""


class WeightReceiver(WeightTransferEngine[ReceiverInit, ReceivedTensors]):
    """Loads weights that come over HTTP, a few layers at a time, in the order of the model."""

    init_info_cls, update_info_cls = ReceiverInit, ReceivedTensors
    supports_draft_weight_update = False

    def init_transfer_engine(self, init_info: ReceiverInit) -> None:
        """Raises ValueError if the trainer's model is another one: weights that do not fit would break this one."""
        own = self.model_config.hf_text_config
        for name, value in init_info.shape.items():
            if getattr(own, name, value) != value:
                raise ValueError(f"this server's model has {name} {getattr(own, name)}, the trainer's {value}")

    def start_weight_update(self) -> None:
        initialize_layerwise_reload(self.model)

    def receive_weights(self, update_info: ReceivedTensors) -> None:
        tensors: dict[str, Any] = load(base64.b64decode(update_info.tensors))
        self.model.load_weights((name, tensors[name].to(self.device)) for name in update_info.names)

    def finish_weight_update(self) -> None:
        finalize_layerwise_reload(self.model, self.model_config)
        repack_tied_head(self.model)

    def shutdown(self) -> None:
        """Does nothing."""


class WorkerExtension:
    """What a worker can do besides; importing this module makes the backend known there."""

    def held_weights(self, draw: str) -> list[list[Any]]:
        """The weights that this worker computes with; its arguments and values travel as JSON."""
        return [list(each) for each in held_weights(self.get_model(), int(draw))]  # type: ignore[attr-defined]


if HTTP_BACKEND not in WeightTransferEngineFactory._registry:
    WeightTransferEngineFactory.register_engine(HTTP_BACKEND, WeightReceiver)
