"""From options to engines: which engine runs each model, and how to make it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from libra_cli import miniature
from libra_cli.engines.architectures import config_of, has_head
from libra_cli.engines.base import Engine, LocalModel, Sampling
from libra_cli.engines.damage import no_model
from libra_cli.engines.devices import has_gpu
from libra_cli.engines.openai.addresses import server_address
from libra_cli.engines.openai.end_words import meanings
from libra_cli.engines.openai.endpoints import without_query
from libra_cli.engines.openai.usage import TokenUsage
from libra_cli.engines.requirements import REQUIREMENTS
from libra_cli.engines.reward.base import ImplicitReward, RewardEngine
from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.packages import broken_import, refuse_too_old
from libra_cli.sampling import engine_choice
from libra_cli.sampling.engine_choice import CountRequests, unknown
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.sampling.server_secrets import api_key, headers
from libra_cli.tasks import thinking
from libra_cli.tasks.template import read_template

Note = Callable[[str], None]
AnyEngine = Engine | RewardEngine
DEFAULT_URL = "OPENAI_BASE_URL"
CONCURRENCY = 64


def _unsaid(_doing: str) -> None:
    """Takes what is being done where nobody shows it."""


class MakeEngine(Protocol):
    """Makes an engine, which may load a model; `doing` takes what is being done, for people."""

    def __call__(self, doing: Note = _unsaid, /) -> AnyEngine: ...


@dataclass(frozen=True)
class ChosenModel:
    """A model that will run: its name in rows, and how to make its engine (nothing is loaded before)."""

    name: str
    make: MakeEngine
    scalar: bool = False
    """`make` gives a RewardEngine."""
    model: str = ""
    """What the user calls it, if its name in rows is another."""
    usage: TokenUsage | None = None
    """Where its engine counts tokens, if it asks a server."""


def choose_models(
    options: EngineOptions,
    sampling_options: SamplingOptions,
    note: Note,
    rewards: bool = False,
    requests: CountRequests = unknown,
) -> list[ChosenModel]:
    """The models of `options` in their order; raises Fatal(2), InvalidOptions among them.

    With `rewards`, scalar reward models get the engines that such models need. `requests` tells, as far as it is known,
    how many each model will be asked, when its engine is chosen.
    """
    sampling = sampling_options.to_sampling()
    if options.implicit:
        _check_implicit(options, options.implicit)
    if options.batch_out or options.batch_in:
        return _batch_models(options, sampling_options, sampling, note)
    if options.replay or options.engine == "replay":
        return _replayed_models(options)
    if not options.model:
        raise InvalidOptions(f"name a model: --{options.flag} libra-mini/strong, a directory, or a name of a hub")
    names = _names(options.model, options)
    by_server = options.engine == "openai" or bool(options.base_url)
    for model in options.model:
        if not by_server:
            _check_name(model, options.flag)
    if sampling_options.unset and not by_server:
        name = sampling_options.unset[0]
        raise InvalidOptions(f"--sampling-arg {name}=null: only a server (--base-url) can do without it")
    chosen = []
    scalars = [rewards and is_reward_model(model, options) for model in options.model]
    for name, model, scalar in zip(names, options.model, scalars, strict=True):
        usage = TokenUsage() if by_server else None
        if usage is not None:
            make = _server_factory(options, sampling_options, sampling, model, scalar, note, usage)
        else:
            local = _local_model(options, sampling_options, model)
            make = _local_factory(options, sampling, local, scalar, note, requests)
        chosen.append(ChosenModel(name, make, scalar, model, usage))
    return chosen


def is_reward_model(model: str, options: EngineOptions) -> bool:
    """Whether `model` gives a number instead of text: as --scalar or --generative says, else by its config.json.

    A model behind a server, a recording or an embedded model is taken to generate text. Raises Fatal if the config of
    a model cannot be read.
    """
    if options.implicit:
        return True
    if options.scalar is not None:
        return options.scalar
    if options.base_url or options.replay or options.engine in ("openai", "replay") or miniature.resolve(model):
        return False
    return has_head(config_of(model, options.revision))


def _check_name(model: str, flag: str) -> None:
    """Raises InvalidOptions if the model that --`flag` names cannot be one that this machine loads."""
    if why := no_model(model):
        raise InvalidOptions(f"--{flag} {model}: {why}")


def _check_implicit(options: EngineOptions, implicit: ImplicitReward) -> None:
    """Raises InvalidOptions for a reference that there is not, and for options that --implicit has no use for."""
    if options.engine not in ("auto", "transformers") or options.base_url or options.replay:
        raise InvalidOptions(
            "--implicit needs the log-probabilities of two models: only --engine transformers has them"
        )
    _check_name(implicit.reference, "reference")
    if options.scalar is not None or options.score_index is not None:
        raise InvalidOptions("--implicit models have no head: leave out --scalar, --generative and --score-index")


def _names(models: tuple[str, ...], options: EngineOptions) -> tuple[str, ...]:
    """The names of the models in rows."""
    given, flag = options.model_name, f"--{options.naming or options.flag + '-name'}"
    if given and len(given) != len(models):
        counts = f"{len(given)} times for {len(models)} models"
        raise InvalidOptions(f"{flag} is given {counts}; give one for each, in their order")
    names = given or models
    if len(set(names)) < len(names):
        raise InvalidOptions(f"two models have the same name, and so would their rows; give each a {flag}")
    return names


def _replayed_models(options: EngineOptions) -> list[ChosenModel]:
    from libra_cli.engines.replay import ReplayEngine
    from libra_cli.sampling.recordings import Recording

    if not options.replay or options.engine not in ("auto", "replay"):
        raise InvalidOptions("--engine replay and --replay FILE go together")
    recording = Recording(options.replay)
    models = options.model or tuple(name for name in recording.models if name)
    if not models:
        cure = f"name one with --{options.flag}"
        raise InvalidOptions(f"--replay {options.replay[0]}: its rows name no model; {cure}")

    def factory(model: str) -> MakeEngine:
        return lambda _doing=_unsaid, /: ReplayEngine(recording.find, model)

    return [ChosenModel(name, factory(model)) for model, name in zip(models, _names(models, options), strict=True)]


def _batch_models(
    options: EngineOptions, sampling_options: SamplingOptions, sampling: Sampling, note: Note
) -> list[ChosenModel]:
    from libra_cli.engines.openai.batch import BatchFormat
    from libra_cli.sampling.batches import BatchRequests, BatchResults

    flag = "--batch-out" if options.batch_out else "--batch-in"
    if options.batch_out and options.batch_in:
        raise InvalidOptions("--batch-out and --batch-in: write the requests first, then read their results")
    if options.engine not in ("openai", "auto") or options.base_url or options.scalar:
        raise InvalidOptions(f"{flag} asks no model itself: leave out --engine, --base-url and --scalar")
    if len(options.model) != 1:
        raise InvalidOptions(f"{flag}: a batch is for one model; name it with --{options.flag}")
    _refuse_loading(options)
    [model], [name] = options.model, _names(options.model, options)
    usage = TokenUsage()

    def make(_doing: Note = _unsaid, /) -> Engine:
        form = BatchFormat(
            model,
            sampling,
            _chat_args(options, sampling_options),
            _extra(options),
            sampling_options.defaults,
            thinking.markers(sampling_options.thinking_markers),
            usage,
            meanings(options.finish_reason),
            note,
        )
        if options.batch_out:
            return BatchRequests(form, options.batch_out, note)
        return BatchResults(form, options.batch_in, note)

    return [ChosenModel(name, make, model=model, usage=usage)]


# -- models that this machine loads ------------------------------------------------------------------------------------


def _local_model(options: EngineOptions, sampling_options: SamplingOptions, name: str) -> LocalModel:
    embedded = miniature.resolve(name)
    return LocalModel(
        name=name,
        path=str(embedded or os.path.expanduser(name)),
        revision=options.revision,
        dtype=options.dtype,
        max_model_len=options.max_model_len,
        trust_remote_code=options.trust_remote_code,
        small=embedded is not None,
        chat_template=_chat_template(options),
        chat_args=_chat_args(options, sampling_options),
        markers=thinking.markers(sampling_options.thinking_markers),
        args=dict(options.engine_arg),
    )


def _local_factory(
    options: EngineOptions,
    sampling: Sampling,
    model: LocalModel,
    scalar: bool,
    note: Note,
    requests: CountRequests,
) -> MakeEngine:
    parallel = {
        "tensor_parallel_size": options.tensor_parallel_size,
        "pipeline_parallel_size": options.pipeline_parallel_size,
        "data_parallel_size": options.data_parallel_size,
    }
    axis = next((axis for axis, size in parallel.items() if (size or 1) > 1), None)
    if axis and options.engine == "transformers":
        cure = "transformers spreads a model with --engine-arg device_map=auto"
        raise InvalidOptions(f"--{axis.replace('_', '-')} is for --engine vllm; {cure}")
    given = {name: value for name, value in parallel.items() if value is not None}
    if options.concurrency is not None:
        given["max_num_seqs"] = options.concurrency
    if options.implicit:
        name = options.implicit.reference
        path = str(miniature.resolve(name) or os.path.expanduser(name))
        reference = replace(model, name=name, path=path, revision=None)
    in_vllm = replace(model, args={**given, **model.args})  # arguments by vLLM's own names win

    def make(doing: Note = _unsaid, /) -> AnyEngine:
        engine = options.engine
        doing(f"loading {model.name}")
        if engine == "auto" and options.implicit:
            engine = "transformers"
        elif engine == "auto":
            n_models = len(options.model)
            engine, why = engine_choice.automatic(model, scalar, requests, sampling.max_tokens, bool(axis), n_models)
            if why:
                of_model = f" of {model.name}" if len(options.model) > 1 else ""
                note(f"engine{of_model}: {engine_choice.label(engine)} ({why})")
        doing(f"loading {model.name} on {engine_choice.label(engine)} ({'GPU' if has_gpu() else 'CPU'})")
        with installed(engine):
            if options.implicit:
                from libra_cli.engines.reward.implicit import ImplicitRewards

                return ImplicitRewards(model, reference, options.implicit, options.batch_size)
            if engine == "vllm" and scalar:
                from libra_cli.engines.reward.vllm import VllmRewards

                return VllmRewards(in_vllm, note, options.score_index)
            if engine == "vllm":
                from libra_cli.engines.vllm import VllmEngine

                return VllmEngine(in_vllm, sampling, note)
            if scalar:
                from libra_cli.engines.reward.head import RewardHead

                return RewardHead(model, options.score_index, options.batch_size)
            from libra_cli.engines.transformers import TransformersEngine

            return TransformersEngine(model, sampling, options.batch_size)

    return make


@contextmanager
def installed(engine: str) -> Iterator[None]:
    """Raises Fatal(6) if a package is missing, with the extra that brings it, is too old, or cannot be imported."""
    refuse_too_old(REQUIREMENTS[engine].extra)
    try:
        yield
    except Fatal:
        raise
    except Exception as error:
        if not isinstance(error, ImportError):
            unusable = broken_import(error)
            if unusable is None:
                raise
            raise unusable from error
        cure = f"install libra-cli with the extra {REQUIREMENTS[engine].extra}; libra doctor says more"
        raise Fatal(Exit.BACKEND, f"--engine {engine} needs what is not installed here ({error}): {cure}") from None


# -- models behind servers ---------------------------------------------------------------------------------------------


def _server_factory(
    options: EngineOptions,
    sampling_options: SamplingOptions,
    sampling: Sampling,
    model: str,
    scalar: bool,
    note: Note,
    usage: TokenUsage,
) -> MakeEngine:
    """Refuses options that a server cannot be given, since it has loaded its model already."""
    if options.engine not in ("openai", "auto"):
        raise InvalidOptions(f"--base-url is for --engine openai, not {options.engine}")
    urls = server_addresses(options)
    if not urls:
        raise InvalidOptions(f"--engine openai needs --base-url (or {DEFAULT_URL}), a server's address up to /v1")
    _refuse_loading(options)
    given: dict[str, Any] = {
        "concurrency": options.concurrency or CONCURRENCY,
        "api_key": api_key(options.api_key_env, options.api_key_file),
        "timeout": options.request_timeout,
        "retry_budget": options.retry_budget,
        "chat_template_args": _chat_args(options, sampling_options),
        "extra": _extra(options),
        "max_response_bytes": options.max_response_bytes,
        "proxy": options.proxy,
        "headers": headers(options.header),
        "note": note,
        "usage": usage,
    }
    markers = thinking.markers(sampling_options.thinking_markers)

    def make(doing: Note = _unsaid, /) -> AnyEngine:
        doing(f"connecting to {without_query(urls[0])}")
        with installed("openai"):
            if scalar:
                from libra_cli.engines.reward.server import ServerRewards

                return ServerRewards(model, urls, options.score_index, **given)
            from libra_cli.engines.openai.engine import OpenAIEngine

            defaults, words = sampling_options.defaults, meanings(options.finish_reason)
            return OpenAIEngine(
                model, urls, sampling, markers=markers, defaults=defaults, finish_reasons=words, **given
            )

    return make


def server_addresses(options: EngineOptions) -> list[str]:
    """The servers that the options, or else the environment, name; raises InvalidOptions for what is none."""
    default = os.environ.get(DEFAULT_URL)
    flag, given = ("--base-url", options.base_url) if options.base_url else (DEFAULT_URL, filter(None, [default]))
    return [server_address(url, flag) for url in given]


def _refuse_loading(options: EngineOptions) -> None:
    """Raises InvalidOptions for options of engines that load the model themselves."""
    loading = {
        "revision": options.revision,
        "dtype": options.dtype != "auto",
        "max-model-len": options.max_model_len,
        "trust-remote-code": options.trust_remote_code,
        "tensor-parallel-size": options.tensor_parallel_size,
        "pipeline-parallel-size": options.pipeline_parallel_size,
        "data-parallel-size": options.data_parallel_size,
    }
    unused = next((flag for flag, value in loading.items() if value), None)
    if unused:
        raise InvalidOptions(f"--{unused} is for engines that load the model themselves: give it to the server")


def _extra(options: EngineOptions) -> Mapping[str, Any]:
    """Further fields of the body of each request."""
    template = _chat_template(options)
    return {**({} if template is None else {"chat_template": template}), **dict(options.engine_arg)}


# -- chat format -------------------------------------------------------------------------------------------------------


def _chat_template(options: EngineOptions) -> str | None:
    """The text of --chat-template."""
    if options.chat_template is None:
        return None
    try:
        return read_template(options.chat_template)
    except ValueError as error:
        raise InvalidOptions(f"--chat-template {options.chat_template}: {error}") from None


def _chat_args(options: EngineOptions, sampling_options: SamplingOptions) -> Mapping[str, Any]:
    """The variables of the chat template."""
    args = {} if sampling_options.thinking else {"enable_thinking": False}
    return {name: value for name, value in {**args, **dict(options.chat_template_arg)}.items() if value is not None}
