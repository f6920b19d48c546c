"""vLLM servers whose weights cannot be read back: they are not asked, and may miss what the trainer sends."""

from __future__ import annotations

from libra_cli.engines import vllm_server
from libra_cli.engines.vllm_server import VllmServers
from libra_cli.engines.vllm_weight_senders import HttpTransfer


def patch(kind: str) -> None:
    """From now on the trainer takes servers for such; with `stale`, only the first hand-over reaches them."""
    vllm_server.EXTENSION = "another.Extension"

    def asked(_servers: VllmServers, _draw: int) -> None:
        raise AssertionError("asked for weights")

    VllmServers.held_weights = asked  # type: ignore[assignment,method-assign]
    send, sent = HttpTransfer.send, 0

    def spoilt(self: HttpTransfer, named: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 1 or kind != "stale":
            send(self, named)  # type: ignore[arg-type]

    HttpTransfer.send = spoilt  # type: ignore[assignment,method-assign]
