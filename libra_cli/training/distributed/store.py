"""The store at which the ranks of a run meet, for what they tell each other outside of collectives."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any

_REPLY = timedelta(seconds=30)


def open_store(purpose: str, host: bool = False) -> Any:
    """The part of the store that is for this purpose; with `host`, this process keeps the store.

    Raises OSError or RuntimeError if it is not there.
    """
    import torch.distributed as dist

    host = host and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"  # else torchrun keeps it
    address, port = _place()
    if not host:
        socket.create_connection((address, port), 2).close()  # torch would wait, and complain on stderr
    store = dist.TCPStore(address, port, None, host, _REPLY, False, multi_tenant=True)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return dist.PrefixStore(f"libra/{purpose}/{attempt}", store)


def is_refused() -> bool:
    """Whether there is no process any more that keeps the store, although its node answers."""
    try:
        socket.create_connection(_place(), 2).close()
    except ConnectionError:
        return True
    except OSError:
        return False
    return False


def _place() -> tuple[str, int]:
    return os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
