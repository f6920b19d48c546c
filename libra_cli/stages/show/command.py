"""`libra show`: options and help."""

from __future__ import annotations

import sys
from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import plain
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import choice_seed_option, where_option
from libra_cli.cli.stage_options import option

EXAMPLES = (
    "libra show judged.jsonl                           # a page at a time",
    "libra show --diff label judged.jsonl              # the wrong verdicts",
    "libra show --diff judge weak.jsonl strong.jsonl   # where judges differ",
    "libra show --where 'label == null' --random 5 labelled.jsonl",
    "libra show --index 3 --thinking sft.jsonl",
)


def _numbers(text: str | None) -> tuple[int, int | None]:
    """The first and the last row of N, N:M, N: or :M."""
    if text is None:
        return 1, None
    first, colon, last = text.partition(":")
    kind = NumberType(int, 1)
    try:
        begin = kind.convert(first, None, None) if first or not colon else 1
        end = begin if not colon else kind.convert(last, None, None) if last else None
    except click.UsageError:
        begin, end = 2, 1
    if end is not None and end < begin:
        raise click.UsageError(f"--index {text}: write N, or N:M with 1 <= N <= M (rows count from 1)")
    return begin, end


@plain("show", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option("--index", metavar="N|N:M", help="Show row N, or rows N to M, counted from 1 over all files.")
@option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Show rows with this id, or ID/MODEL/SAMPLE; the beginning of the id is enough (4 characters or more). "
    "Repeatable.",
)
@where_option("Show only rows for which EXPR is true.")
@option(
    "--diff",
    type=click.Choice(choices.DIFFERENCES),
    help="judge: show responses on which judges differ, once, with what each of them wrote. label: show rows whose "
    "verdict contradicts the label; a score counts by the threshold of its task.",
)
@option("--head", type=NumberType(int, 1), metavar="N", help="Show the first N of these rows.")
@option("--random", type=NumberType(int, 1), metavar="N", help="Show N of these rows, chosen at random.")
@choice_seed_option()
@option("--thinking", is_flag=True, help="Show thinking whole, instead of its first and last lines.")
@option(
    "--width",
    type=NumberType(int, 20, 1000),
    metavar="N",
    help="Columns of the text. Default: $COLUMNS, or those of the terminal, or 120.",
)
@option("--no-pager", is_flag=True, help="Write to the terminal without a pager ($PAGER, or less).")
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Show rows as text to read: question, reference, thinking (folded), response, label and judgments.

    Reads every form of row that other stages read: problems, responses, pairs and lists, conversations to train on,
    judged rows, published results of benchmarks, and the rows in an --errors file. On a terminal the text comes a page
    at a time. Characters that control a terminal are written as escapes.
    """
    first, last = _numbers(options["index"])
    if not inputs and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("there is no input: name a file, or pipe rows in (libra show FILE)")
    from libra_cli.stages.show.run import show
    from libra_cli.stages.show.selection import RowSelection
    from libra_cli.stream.where import parse

    wheres = tuple(parse(text) for text in options["where"])
    selection = RowSelection(
        first, last, options["ids"], wheres, options["head"], options["random"], options["seed"], options["diff"]
    )
    return show(inputs, selection, width=options["width"], whole=options["thinking"], paged=not options["no_pager"])
