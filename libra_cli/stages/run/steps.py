"""Makes command lines of the steps of a pipeline file, and puts the steps in order."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import click

from libra_cli import miniature
from libra_cli.cli.config_file import CONFIG_PLACES, ConfigValue, key_of, option_of_key, setting_of_key
from libra_cli.cli.nearest import variable_prefix
from libra_cli.cli.stage_options import StageOption
from libra_cli.stages.run.pipe_file import REFERENCE, PipeError, PipeErrors, PipeFile, StepText, replaced
from libra_cli.stages.run.references import References
from libra_cli.stages.run.shell_line import BASH, filled_line, words_of
from libra_cli.stages.run.step import Step

ENDINGS = {"rows": ".jsonl", "result": ".txt", "model folder": ""}
"""Form of what `-o` of a stage writes -> how the name ends that a step gives it. A command makes `result` or `made`."""
NO_STEPS = ("review", "run", "schema", "doctor")
"""Stages that make nothing from files alone."""
ELSEWHERE = ("base_url", "replay", "batch_out", "batch_in")
"""Parameters with which a stage loads no model itself, so that models have the names of a server or a recording."""


def make_steps(ctx: click.Context, pipe: PipeFile) -> list[Step]:
    """The steps of `pipe`, each after those that it needs, otherwise as in the file; raises PipeError.

    `ctx` is the context of `libra run`, from whose parent the commands of the stages are taken. Their options are
    checked as a `--config` file is; nothing is read but such files.
    """
    parent = ctx.parent
    assert parent is not None
    assert isinstance(parent.command, click.Group)
    steps: dict[str, Step] = {}
    commands: dict[str, click.Command] = {}
    for text in pipe.steps:
        pipe.broken.add(text.group)
        with pipe.errors.collected():
            if not text.stage:
                steps[text.name] = _command_with_output(pipe, text)
                pipe.broken.discard(text.group)
                continue
            if text.stage in NO_STEPS:
                reason = "run it yourself, and name what it wrote in the inputs of a step"
                raise PipeError(pipe.place(text.line), f"libra {text.stage} can be no step; {reason}")
            command = parent.command.get_command(parent, text.stage)
            assert command is not None
            commands[text.name] = command
            steps[text.name] = _with_output(pipe, text, command)
            pipe.broken.discard(text.group)
    for text in pipe.steps:
        if text.name in steps:
            with pipe.errors.collected():
                if text.stage:
                    _fill_in(parent, pipe, text, commands[text.name], steps)
                else:
                    _fill_in_command(pipe, text, steps)
    pipe.errors.check()
    _check_outputs(pipe, steps.values())
    _need_makers(pipe, steps.values())
    return _in_order(pipe, steps)


def _with_output(pipe: PipeFile, text: StepText, command: click.Command) -> Step:
    """The step with the name of its output, to which others may refer."""
    written = next((param for param in command.params if "-o" in param.opts), None)
    if not isinstance(written, StageOption) or written.writes not in ENDINGS:
        raise PipeError(pipe.place(text.line), f"libra {text.stage} has no -o FILE, and so can be no step")
    output = _output(pipe, text, ENDINGS[written.writes])
    return Step(text.name, text.group, text.stage, text.line, output, written.writes)


def _command_with_output(pipe: PipeFile, text: StepText) -> Step:
    """The same of a command; what ends in .txt is for people, as what libra score and report write."""
    output = _output(pipe, text, ENDINGS["rows"])
    form = "result" if output.endswith(ENDINGS["result"]) else "made"
    return Step(text.name, text.group, "", text.line, output, form)


def _output(pipe: PipeFile, text: StepText, ending: str) -> str:
    """What a step writes: as its `output` says, or its name with `ending` in the folder of the pipeline."""
    if "output" not in text.options:
        return os.path.join(pipe.output, text.name + ending)
    known = {**pipe.variables, **text.values}
    return str(replaced(pipe.path, text.options["output"], known.get, known).text)


def _check_outputs(pipe: PipeFile, steps: Iterable[Step]) -> None:
    """Raises PipeError if two steps would write one file; devices and pipes may be shared."""
    makers: dict[str, Step] = {}
    for step in steps:
        for option, path in {"output": step.output, **step.writes}.items():
            is_device = os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))
            other = step if is_device or path == "-" else makers.setdefault(os.path.abspath(path), step)
            if other is not step:
                reason = f"the steps {other.name} and {step.name} would both write {path}"
                raise PipeError(pipe.place(step.line), f"{reason}; give one another `{option.lstrip('-')}`")


def _need_makers(pipe: PipeFile, steps: Collection[Step]) -> None:
    """Lets a step that names a file by its path need the step that writes it; of others keeps what is there to read.

    A folder that a line for the shell names is no file that it reads, unless a step makes it or it is an input. Nor is
    a file in the folder of the pipeline that no step makes: the line may have written it.
    """
    makers = files_made(steps)
    for step in steps:
        named, step.reads = step.reads, []
        for path in named:
            maker = maker_of(path, makers)
            if maker is not None and maker is not step and maker.name not in step.needs:
                step.needs.append(maker.name)
            is_read = maker is not None or os.path.exists(path)
            if not step.stage and path not in step.inputs:
                own = os.path.abspath(path).startswith(os.path.join(os.path.abspath(pipe.output), ""))
                is_read = maker is not step if maker is not None else os.path.isfile(path) and not own
            if is_read:
                step.reads.append(path)


def files_made(steps: Iterable[Step]) -> dict[str, Step]:
    """Absolute path -> the step that writes it."""
    return {os.path.abspath(path): step for step in steps for path in (step.output, *step.writes.values())}


def maker_of(path: str, makers: Mapping[str, Step]) -> Step | None:
    """The step that writes `path`, or a folder that it lies in, among those of `files_made`; None if there is none."""
    whole = os.path.abspath(path)
    folders = (str(folder) for folder in PurePath(whole).parents)
    return next((makers[name] for name in (whole, *folders) if name in makers), None)


def _fill_in(
    parent: click.Context, pipe: PipeFile, text: StepText, command: click.Command, steps: Mapping[str, Step]
) -> None:
    """Puts the command line, what the step reads and which steps it needs into `steps[text.name]`."""
    step, references = steps[text.name], References(pipe, text, steps)
    options: dict[str, ConfigValue] = {}
    for key, given in text.options.items():
        if key not in ("inputs", "output"):
            with pipe.errors.collected():
                if (found := references.fill_in(given)) is not None:
                    options[key] = found
    if "inputs" in text.options:
        options["inputs"] = references.inputs(text.options["inputs"])
    config = options.pop("config", None)
    checked = command.make_context(text.stage, [], parent=parent, resilient_parsing=True)
    places, words, step.inputs = _set_options(pipe, checked, step, options)
    start = [] if config is None else ["--config", str(config.text)]
    parsed = _parse(parent, command, text, start, step.settings, places, pipe.errors)
    step.variables = _variables(parsed, {*step.settings, "output", *(["config"] if start else [])})
    configs = start[1:] or [os.environ.get(name, "") for name in step.variables if name.endswith("_CONFIG")]
    step.reads += [path for path in _files(command, parsed.params, configs) if path not in step.reads]  # or may read
    if not parsed.params.get("inputs") and not parsed.params.get("preset"):
        raise PipeError(pipe.place(step.line), f"the step {step.name} has no `inputs`; name a step, or a file")
    step.models = _models(command, parsed.params, places, pipe.place(text.line))
    step.words = [*start, *words, "-o", step.output, *step.inputs]
    step.overwrites = any("--overwrite" in param.opts for param in command.params)
    step.writes, step.shard = _written(command, parsed.params), parsed.params.get("shard")


def _fill_in_command(pipe: PipeFile, text: StepText, steps: Mapping[str, Step]) -> None:
    """Puts the line for the shell, what it reads and which steps it needs into `steps[text.name]`."""
    step, references = steps[text.name], References(pipe, text, steps)
    if "inputs" in text.options:
        step.inputs = references.inputs(text.options["inputs"]).text
    own = {"inputs": step.inputs, "output": step.output}

    def known(name: str) -> ConfigValue | None:
        return ConfigValue(step.line, own[name], own[name]) if name in own else references.known(name)

    given = text.options["command"]
    line = filled_line(pipe.path, given, known, [*own, *references.names])
    step.prints = all(match[1] != "output" for match in REFERENCE.finditer(given.text))
    step.words = [*BASH, line]
    step.reads += [path for path in (*step.inputs, *words_of(line)) if path not in step.reads]


def _set_options(
    pipe: PipeFile, checked: click.Context, step: Step, options: Mapping[str, ConfigValue]
) -> tuple[dict[str | None, str], list[str], list[str]]:
    """Puts options into the settings of a step; returns their places, by parameter, and their words, inputs apart."""
    places: dict[str | None, str] = {}
    words: list[str] = []
    last: list[str] = []
    for key, given in options.items():
        place = pipe.place(given.line)
        with pipe.errors.collected():
            if key.replace("-", "_") == "print_config":
                raise PipeError(place, "--print-config prints instead of working, and so is no option of a step")
            param = option_of_key(checked, place, key)
            if param.name in places:
                raise PipeError(place, f"{key} is set by another spelling, too; keep one of them")
            step.settings[str(param.name)] = value = setting_of_key(checked, param, place, key, given)
            places[param.name] = place
            (words if isinstance(param, click.Option) else last).extend(_words(param, value))
    return places, words, last


def _parse(
    parent: click.Context,
    command: click.Command,
    text: StepText,
    start: Sequence[str],
    settings: Mapping[str, Any],
    places: Mapping[str | None, str],
    errors: PipeErrors,
) -> click.Context:
    """Checks the values as the command itself would; a UsageError names the line of the value.

    Wrong values are collected in `errors`, one after the other, until the rest is right.

    Variables of the environment for options among `settings` are hidden meanwhile: the command line goes before them.
    """
    before = parent.meta.get(CONFIG_PLACES)
    parent.meta[CONFIG_PLACES] = dict(places)
    names = [variable_prefix(text.stage) + name.upper() for name in (*settings, *(["config"] if start else []))]
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        right = dict(settings)
        while True:
            try:
                return command.make_context(text.stage, list(start), parent=parent, default_map=right)
            except click.BadParameter as error:
                if error.param is None or right.pop(str(error.param.name), None) is None:
                    raise
                with errors.collected():
                    raise
    finally:
        parent.meta[CONFIG_PLACES] = before or {}
        os.environ.update(hidden)


def _variables(ctx: click.Context, given: Collection[str]) -> list[str]:
    """The variables that set an option of the command which is not among the parameters `given`."""
    options = (param for param in ctx.command.params if isinstance(param, click.Option))
    return [f"{ctx.auto_envvar_prefix}_{name.upper()}" for param in options if (name := str(param.name)) not in given]


def _words(param: click.Parameter, value: Any) -> list[str]:
    """What the command line says for an option that is set to `value`, or for the inputs."""
    if value is None:
        return []
    if not isinstance(param, click.Option):
        return [f"./{one}" if one.startswith("-") else str(one) for one in value]
    name = f"--{key_of(param).replace('_', '-')}"
    if param.is_flag:
        is_on = value in (True, "true", "True", "TRUE")
        return [name] if is_on else list(param.secondary_opts[:1])
    words = []
    for one in value if param.multiple else [value]:
        if getattr(param.type, "structured", False):
            one = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
        values = [str(part) for part in one] if isinstance(one, (list, tuple)) else [str(one)]
        if len(values) == 1 and values[0].startswith("-"):
            words.append(f"{name}={values[0]}")
        else:
            words += [name, *values]
    return words


def _files(command: click.Command, values: Mapping[str, Any], configs: Sequence[str]) -> list[str]:
    """`configs` and what may be files and model folders among the values of a command's parameters."""
    named = list(configs)
    for param in command.params:
        is_read = getattr(param, "reads", False) or param.name in ("inputs", "model", "tokenizer")
        value = values.get(str(param.name)) if is_read else None
        for one in value if isinstance(value, (list, tuple)) else [value]:
            text = str(one[-1]) if isinstance(one, tuple) else str(one or "")
            named += [path for path in (text, text.rpartition(":")[0]) if path]
    return named


def _written(command: click.Command, values: Mapping[str, Any]) -> dict[str, str]:
    """The files besides its output that a command writes, by the option that names them."""
    options = (param for param in command.params if getattr(param, "writes", None) and "-o" not in param.opts)
    return {max(param.opts, key=len): str(value) for param in options if (value := values.get(str(param.name)))}


def _models(
    command: click.Command, values: Mapping[str, Any], places: Mapping[str | None, str], otherwise: str
) -> list[tuple[str, str]]:
    """The models that a command loads, each after `FILE:LINE: key`; `otherwise` is the place of what no line says."""
    if any(values.get(name) for name in ELSEWHERE) or values.get("engine") in ("openai", "replay"):
        return []
    found = []
    for param in command.params:
        if getattr(param, "suggested", ()) == miniature.MODELS and (value := values.get(str(param.name))):
            place = f"{places.get(param.name, otherwise)}: {key_of(param)}"
            found += [(place, str(one)) for one in ([value] if isinstance(value, str) else value)]
    return found


def _in_order(pipe: PipeFile, steps: Mapping[str, Step]) -> list[Step]:
    """The steps, each after those that it needs; raises PipeError for a circle."""
    order: dict[str, Step] = {}

    def visit(step: Step, path: list[str]) -> None:
        if step.name in path:
            circle = " -> ".join([*path[path.index(step.name) :], step.name])
            raise PipeError(pipe.place(step.line), f"the steps need each other in a circle: {circle}")
        if step.name not in order:
            for name in step.needs:
                visit(steps[name], [*path, step.name])
            order[step.name] = step

    for step in steps.values():
        visit(step, [])
    return list(order.values())
