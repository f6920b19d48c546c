"""Makes functions commands of libra: shared options, `--config`, `--print-config`, help, and the run around it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from libra_cli.cli.config_file import CONFIG_FILE, key_of
from libra_cli.cli.help_text import grouped, help_all_option, last_group, write_help
from libra_cli.cli.nearest import no_such_option, unknown_variables, variable_prefix
from libra_cli.cli.renamed import current_config
from libra_cli.cli.stage_options import StageOption, config_options, stream_options
from libra_cli.exits import InvalidOptions

if TYPE_CHECKING:
    from libra_cli.stream.files import OutputFile
    from libra_cli.stream.options import StageInfo, StreamOptions
    from libra_cli.stream.resume import Carried
    from libra_cli.stream.run import OpenSource

    OpenInputs = Callable[[StreamOptions, dict[str, Any]], OpenSource | None]
    Named = Sequence[str] | Callable[[dict[str, Any]], Sequence[str]]
    Carries = Callable[[dict[str, Any]], Carried]

ORIGINS = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "config file",
    ParameterSource.DEFAULT: "default",
}


class StageCommand(click.Command):
    """A command with examples, grouped options, and (for a stage with rows) fields and exit statuses in its help."""

    def __init__(
        self,
        info: StageInfo | None = None,
        examples: Sequence[str] = (),
        takes: str = "FILE",
        reads_in_words: str = "",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.info, self.takes, self.reads_in_words = info, takes, reads_in_words
        self._help_all = help_all_option()
        self.examples: Sequence[str] = info.examples if info else examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from libra_cli.stream.line_source import STDIN

        if self.takes != "FILE":  # -:100 is an amount of standard input, and click would take it for an option
            args = [STDIN + text[1:] if text.startswith("-:") else text for text in args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise no_such_option(error, self.get_params(ctx)) from None

    def invoke(self, ctx: click.Context) -> Any:
        self._warn_of_variables(ctx)
        if ctx.meta.get("libra.print_config"):
            click.echo(printed_config(ctx), nl=False)
            return 0
        return super().invoke(ctx)

    def _warn_of_variables(self, ctx: click.Context) -> None:
        from libra_cli.stream.console import write_message

        group = ctx.parent.command if ctx.parent else None
        stages = group.list_commands(ctx) if isinstance(group, click.Group) else [str(self.name)]
        for warning in unknown_variables(ctx, stages):
            write_message(f"{ctx.command_path}: {warning}\n")

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), self._help_all]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_help(self, ctx, formatter)

    def rows(self) -> list[tuple[str, str]]:
        """The fields that the stage reads and writes, as (verb, fields)."""
        if self.info is None:
            return []
        read = self.reads_in_words or ", ".join(self.info.reads)
        return [(verb, fields) for verb, fields in (("reads", read), ("writes", ", ".join(self.info.writes))) if fields]


def grouped_options(command: click.Command, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """Help records of all options by group: the stage's own groups first, `--help` last."""
    groups = grouped(command.get_params(ctx), last_group(command))
    return {
        title: [record for option in options if (record := option.get_help_record(ctx))]
        for title, options in groups.items()
    }


def printed_config(ctx: click.Context) -> str:
    """Every option with its value and origin, as YAML that --config reads; JSON values are YAML, too."""
    import json

    from libra_cli.masking import MASK, without_secrets

    lines = []
    for param in ctx.command.get_params(ctx):
        if isinstance(param, click.Option) and param.name in ctx.params:
            given = json.loads(json.dumps(ctx.params[param.name]))
            shown = without_secrets(given, str(param.name))
            value, note = json.dumps(shown, ensure_ascii=False), "" if shown == given else f"; {MASK} is a secret"
            source = ctx.get_parameter_source(param.name)
            key = '"null"' if key_of(param) == "null" else key_of(param)  # YAML reads a bare null as no key
            lines.append(f"{key}: {value}  # {ORIGINS.get(source, 'default') if source else 'default'}{note}\n")
    return "".join(lines)


def stage(
    name: str,
    *,
    reads: Any = None,
    reads_in_words: str = "",
    writes: Sequence[str] = (),
    drops: Named = (),
    names: Named = (),
    carries: Carries | None = None,
    resumable: bool = True,
    examples: Sequence[str] = (),
    inputs: OpenInputs | None = None,
    takes: str = "FILE",
) -> Callable[[Callable[..., None]], StageCommand]:
    """Makes `function(run, **own options)` the stage `name`.

    The docstring of `function` is the help, its first line the summary. `function` receives an entered Run, and its
    options by name. The other parameters describe the stage's rows as in StageInfo; `reads_in_words` names in the help
    all fields that are read, where they are more than those that every row must have (`reads`). `drops` and `names` may
    be functions of the option values, and `carries` makes `carried` of them. `inputs(options, values)` opens the input
    of a stage that reads more than JSONL, or returns None for plain JSONL. If an input is more than a file name,
    `takes` is its metavar, and `inputs` puts the file names into `options.inputs`; what it adds to `values` counts as
    shaping rows.
    """
    from libra_cli.stream.options import StageInfo

    def decorate(function: Callable[..., None]) -> StageCommand:
        info = StageInfo(
            name,
            _summary(function),
            reads=reads or {},
            writes=tuple(writes),
            resumable=resumable,
            examples=tuple(examples),
            current_config=partial(current_config, name),
        )
        shared = stream_options(takes, resumable)
        command = _command(name, function, shared, info=info, takes=takes, reads_in_words=reads_in_words)
        command.callback = _runner(function, info, command, inputs, drops, names, carries)
        return command

    return decorate


def plain(name: str, *, examples: Sequence[str] = ()) -> Callable[[Callable[..., int]], StageCommand]:
    """Makes `function(**own options)`, which returns an exit status, the command `name`: a command without rows."""

    def decorate(function: Callable[..., int]) -> StageCommand:
        def checked(**values: Any) -> int:
            if written := _written(command, values):
                from libra_cli.stream.files import check_files

                check_files(written, (*(values.get("inputs") or ("-",)), *_read(command, values)))
            return function(**values)

        command = _command(name, function, [], examples=tuple(examples), callback=checked)
        return command

    return decorate


def _written(command: click.Command, values: Mapping[str, Any]) -> tuple[OutputFile, ...]:
    """The files that the options of `command` have it write."""
    from libra_cli.stream.files import OutputFile

    options = [param for param in command.params if isinstance(param, StageOption) and param.writes]
    return tuple(
        OutputFile("-o" if "-o" in param.opts else max(param.opts, key=len), value, str(param.writes), param.keys)
        for param in options
        if (value := values.get(str(param.name))) is not None
    )


def _read(command: click.Command, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that the options of `command` have it read, --config among them."""
    config = click.get_current_context().meta.get(CONFIG_FILE)
    names = [str(param.name) for param in command.params if isinstance(param, StageOption) and param.reads]
    named = [one for name in names if values.get(name) for one in _paths(values[name])]
    paths = (one if isinstance(one, str) else one[-1] for one in named)  # of TASK=FILE the file
    return (*([] if config is None else [config]), *paths)


def _summary(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").split("\n")[0]


def _command(name: str, function: Callable[..., Any], shared: list[click.Parameter], **kwargs: Any) -> StageCommand:
    """A command with the options that decorate `function`, followed by the `shared` ones."""
    own: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
    return StageCommand(
        name=name,
        help=function.__doc__,
        short_help=_summary(function),
        params=[*own, *config_options(), *shared],
        context_settings={
            "help_option_names": ["-h", "--help"],
            "auto_envvar_prefix": variable_prefix(name).rstrip("_"),
        },
        **kwargs,
    )


def _runner(
    function: Callable[..., None],
    info: StageInfo,
    command: StageCommand,
    inputs: OpenInputs | None,
    drops: Named,
    names: Named,
    carries: Carries | None,
) -> Callable[..., int]:
    from libra_cli.stream.options import StreamOptions

    shared = {field.name for field in dataclass_fields(StreamOptions)}
    by_content, watched = (
        [str(param.name) for param in command.params if getattr(param, kind, False)]
        for kind in ("by_content", "watched")
    )

    def run_stage(**values: Any) -> int:
        import sys

        from libra_cli.stream.resume import named_by_content
        from libra_cli.stream.run import Run
        from libra_cli.stream.signals import leave

        writes, also_read = _written(command, values), _read(command, values)
        options = StreamOptions(**{name: values.pop(name) for name in list(values) if name in shared})
        options.writes, options.also_read = writes, also_read
        options.taken = {values["response_field"]: "response"} if "response_field" in values else {}
        if values.get("dry_run"):  # which prints, and leaves every file as it is
            options.check_files()
            options = replace(options, output=None, errors=None, manifest=None, writes=())
        read, options.watched = (
            {name: _paths(values[name]) for name in kind if values[name]} for kind in (by_content, watched)
        )
        open_source = inputs(options, values) if inputs else None
        if open_source is None and not options.inputs and (sys.stdin is None or sys.stdin.isatty()):
            raise click.UsageError(f"there is no input: name a file, or pipe rows in (libra {info.name} FILE)")
        shapeless = {param.name for param in command.params if not getattr(param, "shapes_rows", False)}
        shapeless |= {
            param.name
            for param in command.params
            if getattr(param, "omitted_unset", False) and values.get(str(param.name)) in (None, ())
        }
        config = {name: value for name, value in values.items() if name not in shapeless}
        config.update({name: [named_by_content(path) for path in paths] for name, paths in read.items()})
        left_out, known_by = (tuple(given(values) if callable(given) else given) for given in (drops, names))
        info_of_run = replace(info, drops=left_out, names=known_by, carried=carries(values) if carries else None)
        with Run(info_of_run, options, config, open_source) as run:
            try:
                function(run, **values)
            except InvalidOptions as error:
                raise click.UsageError(str(error)) from None
        if run.stop.ended_at_once:  # in the middle of a library's work: it must not keep whoever asked us to stop
            leave(run.status)
        return int(run.status)

    return run_stage


def _paths(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
