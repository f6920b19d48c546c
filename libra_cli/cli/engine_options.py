"""The options of every stage that asks a model: which one, through which engine, and how to sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.command import option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class KeyValue(click.ParamType):
    """`key=value` with a YAML (hence also JSON) value, as a (key, value) pair."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return str(value[0]), value[1]
        key, equals, text = str(value).partition("=")
        if not (key and equals):
            self.fail(f"{value!r}: write KEY=VALUE", param, ctx)
        import yaml

        try:
            return key.strip().replace("-", "_"), _as_json(yaml.safe_load(text), text)
        except yaml.YAMLError as error:
            self.fail(f"{value!r}: the value is neither JSON nor YAML ({' '.join(str(error).split())})", param, ctx)


def _as_json(value: Any, text: str) -> Any:
    """`value`, or the text itself where YAML made of it what JSON does not have (a date)."""
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return text
    return value


class Markers(click.ParamType):
    """A known name of a pair of markers, or OPEN,CLOSE."""

    name = "markers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from libra_cli.tasks import thinking

        try:
            thinking.markers(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of EngineOptions, which `EngineOptions.take` gathers again."""
    return _all(function, _engine_option(), *_name_options(), *_running_options())


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a stage that asks models for verdicts and names them by an option of its own.

    EngineOptions.take and SamplingOptions.take gather them again, given what such a stage has not: the models, and
    samples, stop, prefill and thinking_markers.
    """
    seeds = "Every request's own seed is made from this, the row's id, model and sample, and the model that is asked."
    return _all(function, *_number_options(seeds), _sampling_arg(), _engine_option(), *_running_options())


def reward_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a stage that also takes scalar reward models, which EngineOptions.take gathers as well."""
    return _all(
        function,
        _engine("--scalar/--generative", default=None,
                help="The models have a reward head that gives a number, or they write. Default: as config.json says; "
                     "a model behind a server writes."),
        _engine("--score-index", type=click.IntRange(0), metavar="I",
                help="Which output is the score, for a reward head that has several; counted from 0."),
    )  # fmt: skip


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of SamplingOptions, which `SamplingOptions.take` gathers again."""
    seeds = "Every sample's own seed is made from this, the row's id and the sample's number."
    return _all(function, _samples_option(), *_number_options(seeds), *_text_options())


def _running_options() -> list[Decorator]:
    return [*_model_options(), *_hardware_options(), *_server_options(), *_replay_options()]


def _samples_option() -> Decorator:
    return _sampling("-n", "--samples", type=click.IntRange(1), default=1, shapes_rows=False, metavar="N",
                     help="Responses to each row from each model; a higher N later adds the missing ones.")  # fmt: skip


def _number_options(seeds: str) -> list[Decorator]:
    fraction = click.FloatRange(0, 1)
    return [
        _sampling("--seed", type=click.IntRange(0), default=0, metavar="N", help=seeds),
        _sampling("--thinking/--no-thinking", default=True,
                  help="For models that think (temperature 0.6, 32768 tokens) or that do not (0.0 and 4096; the chat "
                       "template gets enable_thinking=false). Options given beside it win."),
        _sampling("--temperature", type=click.FloatRange(0), metavar="T", help="0 takes the most probable token."),
        _sampling("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, metavar="P",
                  help="Draw from the most probable tokens that add up to P."),
        _sampling("--top-k", type=click.IntRange(1), metavar="K", help="Draw from the K most probable tokens."),
        _sampling("--min-p", type=fraction, metavar="P",
                  help="Leave out tokens that are less probable than P times the most probable one."),
        _sampling("--max-tokens", type=click.IntRange(1), metavar="N", help="Longest response, its thinking included."),
    ]  # fmt: skip


def _text_options() -> list[Decorator]:
    return [
        _sampling("--stop", multiple=True, metavar="TEXT",
                  help="End where the model writes TEXT, inside its thinking too; TEXT is left out."),
        _sampling_arg(),
        _sampling("--prefill", default="", show_default=False, metavar="TEXT",
                  help="Words that every response begins with."),
        _sampling("--thinking-markers", default="think", type=Markers(), metavar="NAME|OPEN,CLOSE",
                  help="What encloses the thinking: think, thinking, reasoning, seed, magistral, channel, "
                       "begin-of-thought, exaone, or the two markers."),
    ]  # fmt: skip


def _sampling_arg() -> Decorator:
    return _sampling("--sampling-arg", multiple=True, type=KeyValue(), metavar="KEY=VALUE",
                     help="Any other sampling parameter by the engine's own name.")  # fmt: skip


def _engine_option() -> Decorator:
    return _engine(
        "--engine",
        type=click.Choice(choices.ENGINES),
        default="auto",
        help="auto: openai with --base-url, replay with --replay; else vllm where it can be imported, and "
        "transformers where not. libra-mini/NAME and reward models run on transformers where there is no GPU.",
    )


def _name_options() -> list[Decorator]:
    return [
        _engine("--model", multiple=True, shapes_rows=False, metavar="NAME", suggested=miniature.MODELS,
                help="A directory, a name of a hub or server, or libra-mini/weak, medium, strong, judge. Several run "
                     "one after another."),
        _engine("--model-name", multiple=True, shapes_rows=False, metavar="NAME",
                help="What the field model says instead, one for each --model."),
    ]  # fmt: skip


def _model_options() -> list[Decorator]:
    return [
        _engine("--revision", metavar="REV", help="Branch, tag or commit of a model from a hub."),
        _engine("--dtype", default="auto", metavar="TYPE",
                help="bfloat16, float16 or float32; auto is as stored (transformers on a CPU: float32)."),
        _engine("--max-model-len", type=click.IntRange(1), metavar="N",
                help="Tokens of prompt and response together. Default: the model's limit."),
        _engine("--trust-remote-code", is_flag=True, help="Run Python code that comes with the model."),
        _engine("--chat-template", metavar="FILE", type=click.Path(exists=True, dir_okay=False), by_content=True,
                help="Jinja chat template that replaces the model's own."),
        _engine("--chat-template-arg", multiple=True, type=KeyValue(), metavar="KEY=VALUE",
                help="Variable for the chat template (JSON or YAML; null unsets it)."),
        _engine("--engine-arg", multiple=True, type=KeyValue(), metavar="KEY=VALUE",
                help="Any argument of the engine by its own name: of vLLM's EngineArgs, of from_pretrained "
                     "(transformers), of the request's body (openai)."),
    ]  # fmt: skip


def _hardware_options() -> list[Decorator]:
    """None of them changes what a sample is, up to rounding."""
    size = {"type": click.IntRange(1), "shapes_rows": False, "metavar": "N"}
    return [
        _engine("--tensor-parallel-size", help="vllm: GPUs that share each layer.", **size),
        _engine("--pipeline-parallel-size", help="vllm: groups of GPUs that share the layers.", **size),
        _engine("--data-parallel-size", help="vllm: copies of the model that share the prompts.", **size),
        _engine("--concurrency", help="Requests at work at once (openai: 64; vllm: its max_num_seqs).", **size),
        _engine(
            "--batch-size", help="transformers: sequences at work at once. Default: 64, embedded models 256.", **size
        ),
    ]


def _server_options() -> list[Decorator]:
    seconds = {"type": click.FloatRange(0, min_open=True), "shapes_rows": False, "metavar": "SECONDS"}
    return [
        _engine("--base-url", multiple=True, shapes_rows=False, metavar="URL",
                help="openai: a server's address up to /v1; several share the load."),
        _engine("--api-key-env", shapes_rows=False, metavar="NAME",
                help="openai: environment variable that holds the key. Default: OPENAI_API_KEY."),
        _engine("--api-key-file", shapes_rows=False, metavar="FILE",
                help="openai: file that holds the key, readable by its owner only."),
        _engine("--request-timeout", help="openai: give up a request after so long. Default: 600 + 0.1 x --max-tokens.",
                **seconds),
        _engine("--retry-budget", default=1500.0, help="openai: how long a server may stay unreachable.", **seconds),
        _engine("--proxy", shapes_rows=False, metavar="URL",
                help="openai: go through this proxy; those of the environment are not used."),
    ]  # fmt: skip


def _replay_options() -> list[Decorator]:
    return [
        _engine("--replay", multiple=True, metavar="FILE",
                help="Answer from the rows of an earlier rollout, found by id (else question, else index), model and "
                     "sample. Where no model is named: every one in FILE."),
    ]  # fmt: skip


def _engine(*names: str, **kwargs: Any) -> Decorator:
    return option(*names, group="Engine", **kwargs)


def _sampling(*names: str, **kwargs: Any) -> Decorator:
    return option(*names, group="Sampling", **kwargs)


def _all(function: Callable[..., Any], *decorators: Decorator) -> Callable[..., Any]:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function
