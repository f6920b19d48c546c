"""Which engine answers all requests first on a CPU: transformers starts sooner, vLLM generates faster.

A run takes the start and, for each token, (1 + C / n) (parameters / power + overhead) seconds with n requests at a
time. The figures were fitted to runs with PyTorch 2.13, transformers 5.19 and vLLM 0.32, in processor seconds of one
thread of an x86-64 server: libra-mini (0.5 million parameters) and random weights of 25, 101 and 294 million, with 2,
16 or 64 requests at a time. Each measured rate is within a quarter of what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.engines import vllm
from libra_cli.engines.architectures import config_of
from libra_cli.engines.base import LocalModel
from libra_cli.engines.devices import has_gpu
from libra_cli.engines.requirements import REQUIREMENTS
from libra_cli.plural import duration
from libra_cli.stream.counts import RequestCount

CountRequests = Callable[[], "RequestCount | None"]

TRANSFORMERS, VLLM = "transformers", "vllm"
LONGEST_ANSWER = 1024
"""Tokens that an answer is taken to have where the limit leaves more room."""
AT_ONCE = 64
"""Requests that both engines have at work."""
_ALONE = 12.0
"""C: a step costs as much as this many of its sequences, however few they are."""


def unknown() -> RequestCount | None:
    """The number of requests where nobody knows it."""
    return None


def automatic(
    model: LocalModel, scalar: bool, requests: CountRequests, max_tokens: int, spread: bool, n_models: int = 1
) -> tuple[str, str]:
    """The engine that --engine auto takes, and why; empty where vLLM runs on a GPU, as is usual.

    `spread`: the model runs in several processes, which only vLLM does. `n_models` are asked in this run.
    """
    on_gpu = has_gpu()
    if scalar and not on_gpu:
        return TRANSFORMERS, "on a CPU, a model that generates nothing"
    why = ""
    if not on_gpu and not spread:
        config = config_of(model.path, model.revision)
        window = (config.get("text_config") or config).get("max_position_embeddings")
        longest = min(max_tokens, window) if isinstance(window, int) else max_tokens
        engine, why = soonest(parameters_of(config), requests(), longest, n_models)
        if engine == TRANSFORMERS:
            return engine, why
    reason = vllm.unavailable(model)
    if reason is None:
        return VLLM, why
    if "No module named 'vllm'" in reason:
        return TRANSFORMERS, f"vLLM is not installed; the extra {REQUIREMENTS[VLLM].extra} brings it"
    return TRANSFORMERS, f"vLLM cannot be imported: {reason}"


@dataclass(frozen=True)
class EnginePace:
    """How fast an engine is on a CPU."""

    start: float
    """Seconds until the first token; importing the libraries takes most of them."""
    power: float
    """Parameters x tokens per second."""
    overhead: float
    """Seconds of a token in a model of no parameters."""

    def seconds(self, parameters: float, requests: int, tokens: int) -> float:
        """Time of a run that generates `tokens` for each of `requests`."""
        each = (1 + _ALONE / min(requests, AT_ONCE)) * (parameters / self.power + self.overhead)
        return self.start + requests * tokens * each


PACES = {TRANSFORMERS: EnginePace(5.0, 2.3e10, 3.6e-5), VLLM: EnginePace(15.0, 7.0e10, 6.5e-5)}


def soonest(
    parameters: float | None, requests: RequestCount | None, max_tokens: int, n_models: int = 1
) -> tuple[str, str]:
    """The engine that answers all `requests` first, and why; what is not known is taken to be large.

    A run that continues takes the engine that it began with, and says what is left; of several models nobody knows
    which has answered what.
    """
    if parameters is None:
        return VLLM, "on a CPU, for a model of unknown size"
    tokens = min(max_tokens, LONGEST_ANSWER)
    taken = 1_000_000 if requests is None else max(requests.total, 1)
    seconds = {name: pace.seconds(parameters, taken, tokens) for name, pace in PACES.items()}
    first, last = sorted(seconds, key=lambda name: seconds[name])
    length, at = (
        (f" of up to {tokens:,} tokens", "") if max_tokens <= LONGEST_ANSWER else ("", f" at {tokens:,} tokens each")
    )
    if requests is None:
        gain = f"{label(first)} is {seconds[last] / seconds[first]:.1f} times as fast as {label(last)} with many{at}"
        return first, f"an unknown number of requests{length} on a CPU: {gain}"
    work = f"{requests.bound}{requests.total:,} request{'s' * (requests.total != 1)}{length}"
    if requests.done and n_models == 1:
        left = max(0, requests.total - requests.done)
        time = PACES[first].seconds(parameters, max(left, 1), tokens)
        most = "up to " if requests.may_be_more else ""
        return first, f"{most}{left:,} of {work} are left, on a CPU: about {duration(round(time))}{at}"
    about = {name: duration(round(time)) for name, time in seconds.items()}
    done = ", with those that are done," if requests.done else ""
    return first, f"{work}{done} on a CPU: about {about[first]}{at}, {label(last)} {about[last]}"


def label(engine: str) -> str:
    """The name of an engine as people write it."""
    return {VLLM: "vLLM"}.get(engine, engine)


def parameters_of(config: Mapping[str, Any]) -> float | None:
    """Parameters that a token meets in a decoder with this config.json, but for biases and norms; None for other forms.

    Of experts, those that the token is sent to.
    """
    text = config.get("text_config") or config
    try:
        width, heads = text["hidden_size"], text["num_attention_heads"]
        head = text.get("head_dim") or width / heads
        attention = 2 * width * head * (heads + (text.get("num_key_value_heads") or heads))
        experts = text.get("num_experts_per_tok")
        inner = experts * text["moe_intermediate_size"] if experts else text["intermediate_size"]
        return float(text["num_hidden_layers"] * (attention + 3 * width * inner) + text["vocab_size"] * width)
    except (KeyError, TypeError, ZeroDivisionError):
        return None
