"""`libra mix`: several data sets in stated proportions (section 3 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import stage
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import choice_seed_option, spool_dir_option
from libra_cli.cli.stage_options import option
from libra_cli.stages.mix.amounts import MOST_ROWS

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


@stage(
    "mix",
    reads_in_words="any rows; id, task and messages to find duplicates",
    resumable=False,
    inputs=_name_files,
    takes="FILE[:AMOUNT]",
    examples=EXAMPLES,
)
@option(
    "-n",
    "--rows",
    type=NumberType(int, 1, MOST_ROWS),
    metavar="N",
    help="Total number of rows. Default: the sum of the amounts; with weights, as many as can be had without using a "
    "row again.",
)
@choice_seed_option()
@option(
    "--no-shuffle",
    is_flag=True,
    help="Keep the order of the rows within each set, and interleave the sets in proportion.",
)
@option(
    "--repeat",
    is_flag=True,
    help="Use the rows of a set again if its weight or its number of rows asks for more than it has. Default: that is "
    "an error.",
)
@option(
    "--duplicates",
    type=click.Choice(choices.MIX_DUPLICATES),
    default="keep",
    help="What to do with a row that an earlier set has, too. keep: use both. drop: leave it out and count it.",
)
@option(
    "--duplicates-by",
    type=click.Choice(choices.DUPLICATE_KEYS),
    default="id",
    help="What makes two rows duplicates. id: the same id and task. content: the same messages (for rows without "
    "messages: the same fields).",
)
@option("--source-key", metavar="NAME", help="Add to each row a field NAME with the file that it comes from.")
@spool_dir_option()
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
    """Mix data sets in stated proportions.

    Each input is a set of rows, FILE[:AMOUNT]; - is standard input. AMOUNT is a number of rows, a weight or a multiple.
    :4000 takes 4000 rows (a number without a decimal point, so :1 is one row). :0.4 is a weight (a number with a
    decimal point, as in :1.0): sets with a weight share the rows of -n that remain after numbers and multiples; weights
    need not add up to 1. :3x takes every row three times, :0.5x takes half of the rows. Without AMOUNT a set counts as
    :1x. If the name of a file itself ends like an amount, add one: a:7:1x.

    A row is used again only if a multiple above 1x or --repeat asks for it, and only after all rows of its set have
    been used.

    Rows are shuffled. With --no-shuffle, every prefix of the output has the proportions of the whole. Rows keep their
    bytes (except that U+2028 and the like are escaped). The same input and --seed give the same output. Rows that an
    earlier set has, too, are counted on stderr; --duplicates drop leaves them out. Duplicates within one set always
    stay.

    At the end stderr shows the mixture: rows, share and epochs of each set and of each `task` in it. In the counts, a
    row that is used three times counts as three, and rows that are not used are filtered (surplus, duplicate). With
    --shard, the amounts apply to each part.

    The whole input is read first. Memory holds about 50 bytes per row; the rows themselves are read again from their
    files, or from an unnamed temporary file if they came through a pipe or were compressed.
    """
    from libra_cli.stages.mix.amounts import parse_parts
    from libra_cli.stages.mix.run import MixPlan, mix

    plan = MixPlan(rows, seed, not no_shuffle, repeat, duplicates == "drop", duplicates_by, source_key)
    mix(run, parse_parts(mixture or ("-",)), plan, spool_dir)
