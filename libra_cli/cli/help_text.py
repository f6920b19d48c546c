"""The help of a stage: two screens with what a first run needs, or all of it (`--help-all`)."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence
from typing import Any, Protocol

import click

from libra_cli.cli.example_lines import example_lines
from libra_cli.exits import MEANINGS

TWO_SCREENS = 90
"""Lines; help that is no longer than this is shown whole."""
HELP_ALL = "libra.help_all"
"""Key of `ctx.meta`: the whole help is asked for."""
MAX_TERM = 30
"""Columns of an option with its value, before its text begins on a line of its own."""
MAX_CHOICES = 40
"""Columns of an option with its choices, before they are a list of their own."""
LONG_SENTENCE = 90
"""Characters of a sentence that the short help cuts behind its first clause."""


class HelpedCommand(Protocol):
    """What the help needs of a command."""

    help: str | None
    info: Any
    examples: Sequence[str]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]: ...

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]: ...

    def rows(self) -> list[tuple[str, str]]: ...


def help_all_option() -> click.Option:
    """`--help-all`, which prints the whole help and ends."""

    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[HELP_ALL] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all", "_help_all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show every option and all that is said about it, then exit.",
    )


MANY = 24
"""Names of one option that stand beside its text."""


def write_help(command: HelpedCommand, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Writes the whole help if it is asked for or fits on two screens, and else the short one."""
    whole = click.HelpFormatter(width=formatter.width)
    _write(command, ctx, whole, list(command.get_params(ctx)), short=False)
    text = whole.getvalue()
    if not ctx.meta.get(HELP_ALL) and text.count("\n") > TWO_SCREENS:
        params = [param for param in command.get_params(ctx) if not is_left_out(param)]
        _write(command, ctx, formatter, params, short=True)
        formatter.write(f"\n{_rest(command, ctx, formatter.width)}\n")
    else:
        formatter.write(text)


def is_left_out(param: click.Parameter) -> bool:
    """Whether the short help leaves an option out: one that stages share, and that a first run does not need."""
    return bool(getattr(param, "shared", False)) and not getattr(param, "first", False)


def grouped(params: Sequence[click.Parameter], last: str) -> dict[str, list[click.Option]]:
    """The options that the help shows by group: the stage's own groups first; `last` is the one with `--help`."""
    groups: dict[str, list[click.Option]] = {}
    for param in params:
        if isinstance(param, click.Option) and not param.hidden:
            group = getattr(param, "group", last)
            groups.setdefault(last if group == "Streams" else group, []).append(param)
    closing = groups.pop(last, [])
    return {**groups, last: closing}


def last_group(command: click.Command | HelpedCommand) -> str:
    """Heading of the options that are no stage's own."""
    return "Streams" if getattr(command, "info", None) else "Options"


def _write(
    command: HelpedCommand,
    ctx: click.Context,
    formatter: click.HelpFormatter,
    params: Sequence[click.Parameter],
    short: bool,
) -> None:
    formatter.write_usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)))
    formatter.write_paragraph()
    about = inspect.cleandoc(command.help or "")
    formatter.write_text("\n\n".join(about.split("\n\n")[:2]) if short else about)
    if command.examples:
        with formatter.section("Examples"):
            for line in example_lines(command.examples, formatter.width - formatter.current_indent):
                formatter.write(" " * formatter.current_indent + line + "\n")
    for title, options in grouped(params, last_group(command)).items():
        with formatter.section(title):
            _write_options(options, ctx, formatter, short)
    if rows := command.rows():
        with formatter.section("Rows"):
            formatter.write_dl(rows)
    if command.info and not short:
        with formatter.section("Exit status"):
            formatter.write_dl([(str(int(status)), meaning) for status, meaning in MEANINGS.items()])


def _write_options(
    options: Sequence[click.Option], ctx: click.Context, formatter: click.HelpFormatter, short: bool
) -> None:
    """A list of options: term and text side by side, long lists of names in columns."""
    records = [record for option in options if (record := _record(option, ctx, short))]
    indent = " " * formatter.current_indent
    column = min(max(len(term) for term, _, _ in records), MAX_TERM) + 2
    for term, text, names in records:
        lines = textwrap.wrap(text, max(formatter.width - len(indent) - column, 10), break_on_hyphens=False)
        if len(names) <= MANY:
            lines += _columns(names, formatter.width - len(indent) - column)
        if len(term) > column - 2:
            formatter.write(f"{indent}{term}\n")
            term = ""
        for number, line in enumerate(lines):
            formatter.write(f"{indent}{'' if number else term:{column}}{line}\n")
        if len(names) > MANY:  # below the whole option, where more of them have room in a line
            formatter.write(
                "".join(f"{indent}    {line}\n" for line in _columns(names, formatter.width - len(indent) - 4))
            )


def _record(option: click.Option, ctx: click.Context, short: bool) -> tuple[str, str, Sequence[str]] | None:
    """An option as (term, text, the names that it takes if they are too many for the term)."""
    record = option.get_help_record(ctx)
    if record is None:
        return None
    term, text = record
    names: Sequence[str] = ()
    if isinstance(option.type, click.Choice) and (option.metavar or len(term) > MAX_CHOICES):
        names = [str(choice) for choice in option.type.choices]
        term = term if option.metavar else f"{term.rpartition(' ')[0]} NAME"
        text = text.replace(f" Names: {', '.join(names)}.", "")
    if short:
        default = re.search(r"\[.*?(default: [^;\]]*)[^\]]*\]$", text)
        text = _in_short(option.help or "") + (f"  [{default[1]}]" if default else "")
    return term, text, names


def _in_short(text: str) -> str:
    """The first sentence of a help text; of a long one the first clause. Nothing stands above it."""
    text = text.replace(" (see above)", "")
    sentence = re.split(r"(?<=\.) ", text, maxsplit=1)[0]
    if len(sentence) <= LONG_SENTENCE:
        return sentence
    clause = re.split(r"(?<=[a-z)][:;]) ", sentence, maxsplit=1)[0]
    return clause.rstrip(":;.") + "."


def _columns(names: Sequence[str], width: int) -> list[str]:
    """`names` in columns, in their own order from left to right."""
    if not names:
        return []
    cell = max(len(name) for name in names) + 2
    across = max((width + 2) // cell, 1)
    rows = [names[start : start + across] for start in range(0, len(names), across)]
    return ["".join(f"{name:{cell}}" for name in row).rstrip() for row in rows]


def _rest(command: HelpedCommand, ctx: click.Context, width: int) -> str:
    """How to get what the short help leaves out, on as many lines as it takes."""
    params = command.get_params(ctx)
    left_out = sum(is_left_out(param) for param in params)
    page = ctx.command_path.replace(" ", "-")
    more = f"{left_out} more options and the rest of the text" if left_out else "The rest of the text"
    how = f"{ctx.command_path} --help-all, or man {page}"
    if len(f"{more}: {how}") <= width:
        return f"{more}: {how}"
    return "\n".join(
        [
            *textwrap.wrap(f"{more}:", width),
            textwrap.fill(how, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False),
        ]
    )
