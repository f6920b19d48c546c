"""Options of stages that ask a model: which model, which engine, and how to sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.config_file import YamlError, read_value
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.server_options import finish_reason_option, price_option, server_options
from libra_cli.cli.stage_options import option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


LONGEST_NUMBER = 40
"""Characters of the longest number that is read as JSON; others are left to YAML, which limits them."""
_JSON_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?"
_OWN_NUMBER = r"[-+]?0[\d_]+|.*:.*"
"""Octal numbers and those to base 60."""


class KeyValue(click.ParamType):
    """KEY=VALUE with a YAML (hence also JSON) value; converts to a (key, value) pair."""

    name = "key=value"
    structured = True
    """In a configuration file the value may be a number, a list or an object."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return str(value[0]), value[1]
        key, equals, text = str(value).partition("=")
        if not (key and equals):
            self.fail(f"{value!r}: write KEY=VALUE", param, ctx)
        try:
            return key.strip().replace("-", "_"), _value_of(text)
        except YamlError as error:
            self.fail(f"{value!r}: the value is neither JSON nor YAML ({error})", param, ctx)


def _value_of(text: str) -> Any:
    """The value of a text: a number as JSON writes it, or else what YAML reads; `text` where JSON has no such value.

    Text, too, are numbers that only YAML 1.1 reads, as 8 or 750: 010, 12:30.
    """
    import json

    bare = text.strip()
    is_number = len(bare) < LONGEST_NUMBER and re.fullmatch(_JSON_NUMBER, bare)
    value = json.loads(bare) if is_number else read_value(text)  # 1e-5 is text to YAML 1.1
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return text
    is_of_yaml = not is_number and type(value) in (int, float) and re.fullmatch(_OWN_NUMBER, bare)
    return text if is_of_yaml else value


class Markers(click.ParamType):
    """The name of a known pair of thinking markers, or OPEN,CLOSE."""

    name = "markers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from libra_cli.tasks import thinking

        try:
            thinking.markers(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Dtype(click.ParamType):
    """A dtype of torch by either of its names; converts the short one (`bf16`) to the long one (`bfloat16`)."""

    name = "dtype"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}.get(value, value)


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of EngineOptions, which `EngineOptions.take` collects."""
    replay = (
        "Take the responses from FILE, rows of an earlier run, instead of running a model. A response is found by the "
    )
    replay += (
        "row's id (or else question, or index), the model and the sample's number. If no --model is given, all models "
    )
    replay += "in FILE answer. Repeatable."
    return _all(function, _engine_option(), *_name_options(), *_running_options(replay))


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a stage that asks models for verdicts and has its own option to name them.

    EngineOptions.take and SamplingOptions.take collect them. The stage itself supplies the models, samples, stop,
    prefill and thinking_markers, for which there are no options here.
    """
    seed = (
        "Base random seed of the models asked. The seed of each request follows from it, from the row's id, model and "
    )
    seed += "sample, from the name of the model asked, and from the number of the request among those about the row."
    replay = (
        "Take what the models wrote from FILE, a recording (see above), instead of running them. If no model is named, "
    )
    replay += "all models in FILE answer. Repeatable."
    return _all(function, *_number_options(seed), _sampling_arg(), _engine_option(), *_running_options(replay))


def reward_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a stage that also takes scalar reward models; EngineOptions.take collects them, too."""
    return _all(
        function,
        _engine(
            "--scalar/--generative",
            default=None,
            help="Take the models for reward models with a scalar head, or for models that generate text. Default: "
            "what each model's config.json says; --generative for models on a server.",
        ),
        _engine(
            "--score-index",
            type=NumberType(int, 0),
            metavar="I",
            help="Index, from 0, of the output of a reward model that is its score. Needed if its head has several.",
        ),
    )


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of SamplingOptions, which `SamplingOptions.take` collects."""
    seed = "Base random seed. The seed of each sample follows from it, from the row's id and from the sample's number."
    return _all(function, _samples_option(), *_number_options(seed), *_text_options())


def _running_options(replay: str) -> list[Decorator]:
    """How a model runs; `replay` is the help of `--replay`."""
    recordings = _engine("--replay", first=True, multiple=True, watched=True, metavar="FILE", help=replay)
    return [
        *_model_options(),
        *_hardware_options(),
        *server_options(),
        finish_reason_option(),
        price_option(),
        recordings,
    ]


def _samples_option() -> Decorator:
    return _sampling(
        "-n",
        "--samples",
        first=True,
        type=NumberType(int, 1),
        default=1,
        shapes_rows=False,
        metavar="N",
        help="Number of responses per row and model. With -o FILE, a later run with a larger N adds the missing ones.",
    )


def _number_options(seed: str) -> list[Decorator]:
    return [
        _sampling("--seed", type=NumberType(int, 0), default=0, metavar="N", help=seed),
        _sampling(
            "--thinking/--no-thinking",
            default=True,
            help="Use the defaults for models that think (temperature 0.6, at most 32768 tokens), or those for models "
            "that do not (temperature 0, at most 4096 tokens, enable_thinking=false for the chat template). "
            "--temperature, --max-tokens and --chat-template-arg override them.",
        ),
        _sampling(
            "--temperature",
            first=True,
            type=NumberType(float, 0),
            metavar="T",
            help="Sampling temperature; 0 always takes the most probable token. Default: see --thinking.",
        ),
        _sampling(
            "--top-p",
            type=NumberType(float, 0, 1, low_open=True),
            default=1.0,
            metavar="P",
            help="Sample from the fewest most probable tokens whose probabilities add up to P; 1 uses all tokens.",
        ),
        _sampling(
            "--top-k",
            type=NumberType(int, 1),
            metavar="K",
            help="Sample from the K most probable tokens. Default: left to the engine.",
        ),
        _sampling(
            "--min-p",
            type=NumberType(float, 0, 1),
            metavar="P",
            help="Exclude tokens that are less than P times as probable as the most probable one. Default: left to the "
            "engine.",
        ),
        _sampling(
            "--max-tokens",
            first=True,
            type=NumberType(int, 1),
            metavar="N",
            help="Maximum length of the model's output in tokens, including its thinking. Default: see --thinking.",
        ),
    ]


def _text_options() -> list[Decorator]:
    return [
        _sampling(
            "--stop",
            multiple=True,
            metavar="TEXT",
            help="End the response where the model writes TEXT, which is left out; even inside the thinking, and where "
            "a server goes on. Repeatable.",
        ),
        _sampling_arg(),
        _sampling(
            "--prefill",
            default="",
            show_default=False,
            metavar="TEXT",
            help="Text that every response begins with. Default: none.",
        ),
        _sampling(
            "--thinking-markers",
            default="think",
            type=Markers(),
            metavar="NAME|OPEN,CLOSE",
            help="Markers around the model's thinking: a known name (think, thinking, reasoning, seed, magistral, "
            "channel, begin-of-thought, exaone, kimi, cohere or analysis), or the opening and closing text.",
        ),
    ]


def _sampling_arg() -> Decorator:
    return _sampling(
        "--sampling-arg",
        multiple=True,
        type=KeyValue(),
        metavar="KEY=VALUE",
        help="Pass another sampling parameter by the engine's own name; VALUE is JSON or YAML. null leaves one out "
        "that a server refuses (temperature, top_p, seed). Repeatable.",
    )


def _engine_option() -> Decorator:
    return _engine(
        "--engine",
        first=True,
        type=click.Choice(choices.ENGINES),
        default="auto",
        help="Engine that runs the model. auto: openai with --base-url, replay with --replay; otherwise vllm if it is "
        "installed, else transformers. Without a GPU, reward models run on transformers, and others on the engine that "
        "should answer all rows first, by their number, --max-tokens and the size of the model; a line says why.",
    )


def _name_options() -> list[Decorator]:
    return [
        _engine(
            "--model",
            first=True,
            multiple=True,
            shapes_rows=False,
            metavar="NAME",
            suggested=miniature.MODELS,
            help="Model to sample from: a directory, a name on the Hugging Face hub or the server, or one of the small "
            "models that come with libra: libra-mini/weak, libra-mini/medium, libra-mini/strong, libra-mini/judge. "
            "Repeatable; models run one after another.",
        ),
        _engine(
            "--model-name",
            multiple=True,
            shapes_rows=False,
            metavar="NAME",
            help="Value of the `model` field, instead of the --model text. Repeatable: one per --model, in the same "
            "order.",
        ),
    ]


def _model_options() -> list[Decorator]:
    return [
        _engine(
            "--revision", metavar="REV", help="Branch, tag or commit of a model on the hub. Default: the main branch."
        ),
        _engine(
            "--dtype",
            type=Dtype(),
            default="auto",
            metavar="auto|bf16|fp16|fp32",
            help="Dtype of the weights. auto: as stored (on a CPU, transformers takes fp32).",
        ),
        _engine(
            "--max-model-len",
            type=NumberType(int, 1),
            metavar="N",
            help="Maximum number of tokens in prompt and response together. Default: the model's own limit.",
        ),
        _engine("--trust-remote-code", is_flag=True, help="Allow running Python code that comes with the model."),
        _engine(
            "--chat-template",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False),
            by_content=True,
            help="Jinja chat template to use instead of the model's own.",
        ),
        _engine(
            "--chat-template-arg",
            multiple=True,
            type=KeyValue(),
            metavar="KEY=VALUE",
            help="Set a variable of the chat template; VALUE is JSON or YAML, null unsets the variable. Repeatable.",
        ),
        _engine(
            "--engine-arg",
            multiple=True,
            type=KeyValue(),
            metavar="KEY=VALUE",
            help="Pass an argument to the engine by its own name: a field of vLLM's EngineArgs, an argument of "
            "from_pretrained (transformers), or a field of the request body (openai); null leaves the field out. "
            "Repeatable.",
        ),
    ]


def _hardware_options() -> list[Decorator]:
    """Options that change no sample beyond rounding, so that a run may continue with other values."""
    size: dict[str, Any] = {"type": NumberType(int, 1), "shapes_rows": False, "metavar": "N"}
    return [
        _engine(
            "--tensor-parallel-size", help="vllm: number of GPUs over which each layer is split. Default: 1.", **size
        ),
        _engine(
            "--pipeline-parallel-size",
            help="vllm: number of pipeline stages, each with some of the layers. Default: 1.",
            **size,
        ),
        _engine(
            "--data-parallel-size",
            help="vllm: number of replicas of the model, among which the prompts are divided. Default: 1.",
            **size,
        ),
        _engine(
            "--concurrency",
            help="Maximum number of requests in progress at once. Default: 64 (openai), vLLM's own max_num_seqs "
            "(vllm); transformers goes by --batch-size.",
            **size,
        ),
        _engine(
            "--batch-size",
            help="transformers: maximum number of sequences in a batch. Default: 64; 256 for the models that come "
            "with libra.",
            **size,
        ),
    ]


def _engine(*names: str, **kwargs: Any) -> Decorator:
    return option(*names, group="Engine", shared=True, **kwargs)


def _sampling(*names: str, **kwargs: Any) -> Decorator:
    return option(*names, group="Sampling", shared=True, **kwargs)


def _all(function: Callable[..., Any], *decorators: Decorator) -> Callable[..., Any]:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function
