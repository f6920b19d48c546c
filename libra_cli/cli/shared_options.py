"""Options that several stages declare in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from libra_cli.cli.engine_options import Markers
from libra_cli.cli.numbers import MOST_WORKERS, NumberType
from libra_cli.cli.stage_options import option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def spool_dir_option() -> Decorator:
    """`--spool-dir`, for a stage that reads its input twice."""
    return option(
        "--spool-dir",
        writes="scratch folder",
        metavar="DIR",
        shapes_rows=False,
        help="Directory for temporary files, such as the copy of input that cannot be read twice (a pipe or a "
        "compressed file). Default: $TMPDIR, or /tmp.",
    )


def any_markers_option(purpose: str = "Markers around the thinking that is removed from responses") -> Decorator:
    """`--thinking-markers`, for a stage that reads texts from any model."""
    return option(
        "--thinking-markers",
        multiple=True,
        type=Markers(),
        metavar="NAME|OPEN,CLOSE",
        help=f"{purpose}: a known name (libra rollout --help-all lists them), or the opening and closing text. "
        "Repeatable. Default: all known pairs.",
    )


def asked_with_options(template: str) -> Decorator:
    """`--template` (`template` is its help) and `--system`, for a stage that makes prompts again."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        prompt = option("--template", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help=template)
        system = option(
            "--system",
            metavar="TEXT",
            help="System prompt that libra rollout was given, which is part of the prompt. Default: the row's own, if "
            "it has one.",
        )
        return prompt(system(function))

    return decorate


def choice_seed_option(**more: Any) -> Decorator:
    """`--seed`, for a stage that chooses among rows."""
    help = "Random seed for selection and order."
    return option("--seed", type=NumberType(int, 0), default=0, metavar="N", help=help, **more)


def workers_option(help: str) -> Decorator:
    """`-j, --workers`."""
    return option("-j", "--workers", type=NumberType(int, 1, MOST_WORKERS), metavar="N", shapes_rows=False, help=help)


def where_option(purpose: str) -> Decorator:
    """`--where`, whose expressions libra_cli.stream.where reads; `purpose` says what becomes of the rows."""
    return option(
        "--where",
        multiple=True,
        metavar="EXPR",
        callback=_expressions,
        help=f"{purpose} EXPR is made of field names and == != < <= > >= in, and or not, + - "
        "* / %, 'text', null, [a, b], len(x), lower(x), number(x), matches(x, 'regex'), field('odd name'). Repeatable; "
        "all must be true.",
    )


def _expressions(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    from libra_cli.stream import where

    for text in texts:
        try:
            where.parse(text)
        except where.WhereError as error:
            raise click.UsageError(f"--where cannot be read:\n{error.shown()}") from None
    return texts
