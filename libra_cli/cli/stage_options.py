"""The options of stages: what an option knows about rows and files, and those that stages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from libra_cli import choices
from libra_cli.cli.config_file import CONFIG_PLACES, load_config
from libra_cli.cli.nearest import did_you_mean
from libra_cli.cli.numbers import NumberType, seconds


class StageOption(click.Option):
    """An option of a stage.

    `shapes_rows`: another value gives other rows, so a resumed run must not change it. `omitted_unset`: a manifest
    names the option only if it is set, so that runs begun before there was the option go on. `group`: its heading
    in help. `suggested`: values that shells complete in addition to file names. `by_content`: its value is a file,
    or several, whose content shapes rows. `watched`: its value is files that may grow between two runs of the same
    command, but not change otherwise. `writes`: the form (see stream.files.FORMS) of the file that it has the run
    write, which is recognised by its `keys`. `reads`: its value may name a file that the run reads; so does every
    other option whose metavar says FILE. `shared`: several stages have the option, so that `--help` leaves it out
    unless a `first` run needs it.
    """

    def __init__(
        self,
        *args: Any,
        shapes_rows: bool = True,
        omitted_unset: bool = False,
        group: str = "Options",
        suggested: Sequence[str] = (),
        by_content: bool = False,
        watched: bool = False,
        writes: str | None = None,
        keys: Sequence[str] = (),
        reads: bool = False,
        shared: bool = False,
        first: bool = False,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.shared, self.first = shared, first
        self.writes, self.keys = writes, tuple(keys)
        self.reads = reads or (writes is None and "FILE" in (self.metavar or ""))
        self.omitted_unset = omitted_unset
        self.shapes_rows, self.group, self.suggested = shapes_rows, group, tuple(suggested)
        self.by_content, self.watched = by_content, watched

    def make_metavar(self, ctx: click.Context) -> str:
        """Choices without the square brackets of click, in which a single one looks optional."""
        return (
            super().make_metavar(ctx).strip("[]") if isinstance(self.type, click.Choice) else super().make_metavar(ctx)
        )

    def handle_parse_result(self, ctx: click.Context, opts: Any, args: list[str]) -> Any:
        """Names the line of the configuration file, or the environment variable, from which a wrong value comes."""
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.UsageError as error:
            source = ctx.get_parameter_source(str(self.name))
            place = None
            if source is ParameterSource.DEFAULT_MAP:
                place = ctx.meta.get(CONFIG_PLACES, {}).get(self.name)
            elif source is ParameterSource.ENVIRONMENT:
                variable = self.envvar or f"{ctx.auto_envvar_prefix}_{str(self.name).upper()}"
                place = f"environment variable {variable}"
            if place is None:
                raise
            message = error.format_message()
            if isinstance(self.type, click.types.BoolParamType):
                message = f"{self.opts[-1]} takes true or false"
            raise click.UsageError(f"{place}: {message[:1].lower()}{message[1:]}", ctx) from None

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Says which choice may be meant by one that there is not."""
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            if not isinstance(self.type, click.Choice):
                raise
            known = [str(choice) for choice in self.type.choices]
            given = [str(one) for one in (value if isinstance(value, (list, tuple)) else [value])]
            hint = did_you_mean(next((one for one in given if one not in known), ""), known)
            raise click.BadParameter(error.message.rstrip(".") + hint, ctx, self) from None

    def get_help_extra(self, ctx: click.Context) -> Any:
        extra = super().get_help_extra(ctx)
        if isinstance(self.type, NumberType) and self.type.range:
            extra["range"] = self.type.range
        return extra


def option(*names: str, **kwargs: Any) -> Callable[[Callable], Callable]:
    """`click.option` for stages; defaults are shown in the help."""
    kwargs.setdefault("show_default", not kwargs.get("is_flag") and kwargs.get("default") is not None)
    return click.option(*names, cls=StageOption, **kwargs)


def _common(*names: str, **kwargs: Any) -> StageOption:
    kwargs.setdefault("show_default", not kwargs.get("is_flag") and kwargs.get("default") is not None)
    return StageOption(names, shapes_rows=False, group="Streams", shared=True, **kwargs)


def stream_options(takes: str, resumable: bool) -> list[click.Parameter]:
    """The options that stages share, in the order of the manual; `takes` is the metavar of an input.

    A stage that begins its output anew each time has no rows in flight, hence no `--unordered` and no `--window`.
    """
    again = "continues an interrupted run" if resumable else "writes FILE anew"
    return [
        click.Argument(["inputs"], nargs=-1, metavar=f"[{takes}]..."),
        _common(
            "-o",
            "--output",
            first=True,
            writes="rows",
            metavar="FILE",
            help=f"Write rows to FILE instead of standard output. The same command {again}.",
        ),
        _common(
            "--errors",
            first=True,
            writes="lines",
            keys=("stage", "class", "reason", "row_sha256"),
            metavar="FILE",
            help="Write refused rows, each with the reason, to FILE. Default: only report them on stderr.",
        ),
        _common(
            "--overwrite",
            is_flag=True,
            help="Begin the --output FILE anew, even if another command wrote it; without this option, that is an "
            "error.",
        ),
        _common(
            "--shard",
            metavar="I/N|auto[[+OFFSET]/N]",
            help="Process only part I (from 0) of N; a hash of its id assigns each row to a part. auto: take I and N "
            "from the Slurm array or step. auto/N: take I alone from it, so that some tasks of an array of N can run "
            "again. auto+OFFSET/N: task 0 has part OFFSET, for more parts than an array may have tasks.",
        ),
        *_processing_options(ordered=resumable),
        _common("-q", "--quiet", is_flag=True, help="Print only errors on stderr."),
        _common(
            "--log-format",
            type=click.Choice(choices.LOG_FORMATS),
            default="text",
            help="Format of the messages on stderr: text for people, json for programs.",
        ),
        _common("--debug", is_flag=True, help="Show the traceback of the first unexpected error."),
    ]


def _processing_options(ordered: bool) -> list[click.Parameter]:
    """How rows are read, put in order if they are `ordered`, counted and stopped."""
    order = [
        _common("--unordered", is_flag=True, help="Write rows as they finish instead of in input order."),
        _common(
            "--window",
            type=NumberType(int, 1),
            default=1024,
            metavar="N",
            help="Maximum number of rows (for a model: of requests) that are read and not yet written; limits memory.",
        ),
    ]
    limit = "Read only the first N rows of the input. Default: all."
    return [
        _common("--limit", first=True, type=NumberType(int, 0), metavar="N", help=limit),
        *(order if ordered else []),
        _common(
            "--max-line-bytes",
            type=NumberType(int, 1),
            default=64 << 20,
            metavar="N",
            help="Refuse input lines longer than N bytes.",
        ),
        _common(
            "--expect-rows",
            type=NumberType(int, 0),
            metavar="N",
            help="End with status 7 unless the input has exactly N rows.",
        ),
        _common(
            "--manifest",
            writes="manifest",
            metavar="FILE",
            help="At the end, write the counts, the SHA-256 of the output and the configuration to FILE.",
        ),
        _common(
            "--expect-manifest",
            metavar="FILE",
            help="End with status 7 unless FILE, the --manifest of the stage that wrote the input, is complete and "
            "counts as many rows as the input has.",
        ),
        _common(
            "--grace",
            type=seconds(zero=True),
            default=20.0,
            metavar="SECONDS",
            help="Time to finish the work in progress after TERM or USR1; after Ctrl-C at most 5 s.",
        ),
        _common(
            "--stall-timeout",
            type=seconds(zero=True),
            default=1800.0,
            metavar="SECONDS",
            help="End with status 6 if no row (for a model: no request) finishes for this long; 0 disables the limit.",
        ),
    ]


class _ConfigOption(StageOption):
    """An option that a command line has once: of two files, click would drop the first."""

    def add_to_parser(self, parser: Any, _ctx: click.Context) -> None:
        """Has the parser collect all values."""
        parser.add_option(obj=self, opts=self.opts, dest=self.name, action="append")

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> Any:
        """Takes the only value; raises UsageError for several."""
        given = opts.get(str(self.name), ())
        if len(given) > 1:
            files = f"{', '.join(given[:-1])} and {given[-1]}"
            raise click.UsageError(f"--config is given {len(given)} times ({files}); put all options into one file")
        return super().consume_value(ctx, {**opts, str(self.name): given[0]} if given else opts)


def config_options() -> list[click.Parameter]:
    """`--config` and `--print-config`."""
    return [
        _ConfigOption(
            ["--config"],
            shapes_rows=False,
            group="Streams",
            shared=True,
            show_default=False,
            first=True,
            metavar="FILE.yaml",
            is_eager=True,
            expose_value=False,
            callback=load_config,
            help="Read options from FILE; keys are option names. The command line and LIBRA_* variables override it.",
        ),
        _common(
            "--print-config",
            is_flag=True,
            expose_value=False,
            callback=_note_print_config,
            help="Print every option with its value and origin, then exit.",
        ),
    ]


def _note_print_config(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.meta["libra.print_config"] = value
