"""A vLLM server that samples for a trainer, in a process of its own."""

from __future__ import annotations

import dataclasses
import json
import runpy
import sys
from collections.abc import Mapping
from typing import Any

from libra_cli.engines.base import LocalModel
from libra_cli.engines.vllm import engine_args, set_environment
from libra_cli.engines.vllm_server import EXTENSION

_OF_A_RANK = ("RANK", "WORLD_SIZE", "LOCAL_", "GROUP_", "ROLE_", "MASTER_", "TORCHELASTIC_", "LIBRA_")
"""Environment variables (or how their names begin) that place a rank among others; the server is none of them."""


def spelled(model: LocalModel, backend: str, host: str, port: int) -> str:
    """What `main` reads, as JSON: serve this model at `host`:`port`, and take weights by `backend`."""
    served = dataclasses.replace(model, chat_template=None, chat_args={})  # prompts come as token ids
    return json.dumps({"model": dataclasses.asdict(served), "backend": backend, "host": host, "port": port})


def serving_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server, from that of a rank."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_OF_A_RANK)}
    kept.pop("VLLM_API_KEY", None)  # the trainer would not know it
    return {**kept, "VLLM_SERVER_DEV_MODE": "1"}


def main() -> None:
    """Serves what sys.argv[1] spells until a signal ends it."""
    given = json.loads(sys.argv[1])
    model = LocalModel(**given["model"])
    set_environment(model)
    flags = _flags(model, given["backend"], given["host"], given["port"])
    # The script `vllm` asks for a package of that name, and that for CPUs has another.
    module = "vllm.entrypoints.openai.api_server"
    sys.argv = [module, *flags]
    runpy.run_module(module, run_name="__main__")


def _flags(model: LocalModel, backend: str, host: str, port: int) -> list[str]:
    """vLLM's command line: the flags that `VllmServers.facts` asks for, and the model's own arguments.

    The weights are random ones until the trainer sends its own, unless the model's own arguments say otherwise.
    """
    args = {
        "load_format": "dummy",
        **engine_args(model),
        "logprobs_mode": "processed_logprobs",
        "served_model_name": model.name,
        "host": host,
        "port": port,
        "weight_transfer_config": {"backend": backend},
        "worker_extension_cls": EXTENSION,
        "disable_uvicorn_access_log": True,
    }
    return [word for name, value in args.items() for word in _flag(name, value)]


def _flag(name: str, value: Any) -> list[str]:
    """An engine argument on vLLM's command line; none for None."""
    flag = "--" + name.replace("_", "-")
    if value is None:
        return []
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    return [flag, value if isinstance(value, str) else json.dumps(value)]
