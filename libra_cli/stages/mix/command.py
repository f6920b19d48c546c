"""`libra mix`: several data sets in stated proportions (section 3 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, stage

if TYPE_CHECKING:
    from libra_cli.stream.options import StreamOptions
    from libra_cli.stream.run import Run

EXAMPLES = (
    "libra mix score.jsonl reason.jsonl -o math.jsonl  # all of both, shuffled",
    "libra mix score.jsonl:38917 reason.jsonl:186731 rank.jsonl:25706 general.jsonl:26232 --seed 7 -o sft.jsonl",
    "libra mix score.jsonl:0.4 reason.jsonl:0.6 -n 100000 | libra sft --config sft.yaml",
    "libra mix hard.jsonl:3x easy.jsonl:0.5x new.jsonl.zst:0.2 -n 50000 --source-key origin > mixed.jsonl",
)


def _name_files(options: StreamOptions, values: dict[str, Any]) -> None:
    """Leaves the files in `options.inputs`, and their amounts with them in `values`; they are read as everywhere."""
    from libra_cli.stages.mix.amounts import parse_parts

    values["mixture"] = options.inputs
    options.inputs = tuple(part.path for part in parse_parts(options.inputs))


@stage("mix", resumable=False, inputs=_name_files, takes="FILE[:AMOUNT]", examples=EXAMPLES)
@option("-n", "--rows", type=click.IntRange(1), metavar="N",
        help="Rows in all.  [default: what the amounts make; with weights as many as need no repeating]")  # fmt: skip
@option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Another seed, another choice and order.")
@option("--no-shuffle", is_flag=True, help="Keep the order of each set, and take turns in proportion.")
@option("--repeat", is_flag=True, help="Use rows again where a weight or a count is more than a set has.")
@option(
    "--duplicates",
    type=click.Choice(choices.MIX_DUPLICATES),
    default="keep",
    help="A row that an earlier set also has: keep it, or drop it and count it.",
)
@option(
    "--duplicates-by",
    type=click.Choice(choices.DUPLICATE_KEYS),
    default="id",
    help="id: rows with the same id and task are duplicates; content: rows with the same messages (or, without "
    "messages, with the same fields).",
)
@option("--source-key", metavar="NAME", help="Add the field NAME, with the file that the row came from.")
@option("--spool-dir", metavar="DIR", shapes_rows=False,
        help="Where rows wait that come through a pipe or compressed. Default: TMPDIR.")  # fmt: skip
def command(
    run: Run,
    mixture: tuple[str, ...],
    rows: int | None,
    seed: int,
    no_shuffle: bool,
    repeat: bool,
    duplicates: str,
    duplicates_by: str,
    source_key: str | None,
    spool_dir: str | None,
) -> None:
    """Mix data sets in stated proportions, and say what came of it.

    Each input is FILE[:AMOUNT]; - is standard input. :4000 is so many rows: a number without a point, so that :1 is one
    row. :0.4 is a weight: a number with a point, as in :1.0; the weights share what -n leaves after rows and times, and
    need not add up to 1. :3x is three times the whole set, :0.5x half of it; without an amount it is :1x.

    No row of a set is used again before all of them were used, and none at all beyond what a set has, unless :3x or
    --repeat says so. A file whose own name ends like an amount takes one more: a:7:1x.

    The rows come shuffled; with --no-shuffle every beginning of the output has the proportions of the whole. They are
    the input's bytes (U+2028 and the like escaped), and the same input and --seed give the same output. Where rows have
    the id and the task of a row of an earlier set, stderr says how many; --duplicates drop leaves those out. A
    set's own repetitions stay.

    At the end stderr has the mixture: rows, share and epochs of each set, and of each `task` in it. In the counts a row
    that is used three times counts as three; rows that are not used are filtered (surplus, duplicate). With --shard the
    amounts are those of each part.

    The whole input is read first. About 50 bytes a row are held in memory; the rows themselves are read again from
    their file, or from an unnamed temporary file where they came through a pipe or were compressed.
    """
    from libra_cli.stages.mix.amounts import parse_parts
    from libra_cli.stages.mix.run import MixPlan, mix

    plan = MixPlan(rows, seed, not no_shuffle, repeat, duplicates == "drop", duplicates_by, source_key)
    mix(run, parse_parts(mixture or ("-",)), plan, spool_dir)
