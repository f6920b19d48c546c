"""`libra merge`: options and help."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import stage
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stream.options import StreamOptions
    from libra_cli.stream.run import Run


def _in_order(options: StreamOptions, values: dict[str, Any]) -> None:
    """Leaves the parts that are there in `options.inputs`, in the order of their shards; all stand in `values`."""
    values["parts"] = options.inputs
    if values["no_check"]:
        return
    if not options.inputs:
        raise click.UsageError("name the files of the parts: libra merge part.*.jsonl")
    if "-" in options.inputs:
        raise click.UsageError("standard input has no manifest: name the files, or use --no-check")
    from libra_cli.stages.merge.parts import read_part

    there = [path for path in options.inputs if os.path.exists(path)]
    options.inputs = tuple(sorted(there, key=lambda path: read_part(path).index)) or (os.devnull,)


@stage(
    "merge",
    reads_in_words="the rows that libra STAGE --shard I/N -o FILE wrote, and the manifest beside each FILE",
    resumable=False,
    inputs=_in_order,
    examples=(
        "libra merge --check part.*.jsonl                           # are they all there?",
        "libra merge --check --input responses.jsonl part.*.jsonl   # and is each row of the input in them?",
        "libra merge part.*.jsonl -o labelled.jsonl",
    ),
)
@option("--check", is_flag=True, help="Only check, and write no rows.")
@option(
    "--input",
    "input_files",
    multiple=True,
    metavar="FILE",
    shapes_rows=False,
    help="Rows that the parts were made from: check that each of them is in a part, and none twice. Repeatable.",
)
@option(
    "--no-check",
    is_flag=True,
    help="Join the files as they are, without any proof: for files that have no manifest.",
)
def command(run: Run, parts: tuple[str, ...], check: bool, input_files: tuple[str, ...], no_check: bool) -> None:
    """Join the parts of a sharded run, after proving that nothing is missing.

    The parts are complete if each run finished, each file holds the rows that its run wrote (by their SHA-256), every
    shard of N is there once, all were made by the same stage with the same options from the same input, and each row
    is in the shard to which its id belongs. With --input, each row of those files must also be in the parts, and none
    twice. Rows that a run refused are reported.

    What is missing is named with the command that makes it, and nothing is written. The status is 7 if rows are
    missing, 2 if the files are not parts of one whole, and 3 if all is there but rows that a run refused.

    Rows are written shard by shard. Memory holds a few bytes for each row of --input.
    """
    from libra_cli.stages.merge.run import merge

    if no_check and (check or input_files):
        raise click.UsageError("--no-check goes with neither --check nor --input")
    if check and run.options.output is not None:
        raise click.UsageError("--check writes no rows; leave out -o, or --check")
    if not no_check and (run.options.limit is not None or run.options.shard is not None):
        raise click.UsageError("parts are checked whole; leave out --limit and --shard")
    merge(run, parts, input_files, writes=not check, checks=not no_check)
