"""`libra balance`: even, cut, and count (the last step of V2V, section 3.1 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from libra_cli.cli.command import stage
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import any_markers_option, choice_seed_option, spool_dir_option
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stream.run import Run

EXAMPLES = (
    "libra verify responses.jsonl | libra balance > bench.jsonl",
    "libra balance labelled.jsonl --per-cell 200 --per-problem 4 --seed 7 -o bench.jsonl",
    "libra balance labelled.jsonl --per-cell 120 --per-cell MATH-500=134 -o bench.jsonl  # the paper's sizes",
    "libra balance labelled.jsonl --published --report census.json > libra-bench.jsonl",
)


def _checked_sizes(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            NumberType(int, 1).convert(value.rpartition("=")[2], None, None)
        except click.BadParameter:
            raise click.BadParameter(f"{value!r} is neither N nor SUBSET=N, with N of at least 1") from None
    cells = [value.rpartition("=")[0] for value in values]
    twice = next((cell for cell in cells if cells.count(cell) > 1), None)
    if twice is not None:
        raise click.BadParameter(f"is given twice for {twice or 'all subsets'}; keep one of them")
    return values


@stage(
    "balance",
    reads={"question": str, "label": object, "model": str},
    reads_in_words="question, label, model, subset, and response or response_with_cot; reference with --published; id, "
    "index and sample if there are any",
    writes=("response", "response_with_cot", "subset"),
    resumable=False,
    examples=EXAMPLES,
)
@option(
    "--per-cell",
    multiple=True,
    metavar="[SUBSET=]N",
    callback=_checked_sizes,
    help="Keep at most N correct and N incorrect responses in each cell (one subset and one model); SUBSET=N sets the "
    "limit for the cells of one subset. Repeatable. Default: as many as there are of both.",
)
@option(
    "--per-problem",
    type=NumberType(int, 1),
    metavar="N",
    help="Keep at most N correct and N incorrect responses to one problem in a cell. Default: no limit.",
)
@choice_seed_option()
@any_markers_option()
@option(
    "--default-subset", metavar="NAME", help="Subset of the rows that have no `subset`. Default: such rows are refused."
)
@option("--published", is_flag=True, help="Write only the eight fields of the published Libra Bench.")
@option(
    "--report",
    writes="report",
    keys=("problems", "samples", "subsets"),
    metavar="FILE",
    shapes_rows=False,
    help="Write the census (counts by subset and model) to FILE as JSON.",
)
@spool_dir_option()
def command(
    run: Run,
    per_cell: tuple[str, ...],
    per_problem: int | None,
    seed: int,
    thinking_markers: tuple[str, ...],
    default_subset: str | None,
    published: bool,
    report: str | None,
    spool_dir: str | None,
) -> None:
    """Remove the thinking, and keep as many correct as incorrect responses per subset and model.

    A cell is all rows of one subset and one model. From each cell as many correct as incorrect responses are kept: as
    many as possible, or --per-cell of each. Its problems take turns, in an order drawn with --seed, so that none
    dominates. Rows are written cell by cell, correct and incorrect in turn. The order of the input does not change the
    output, and the rows that a smaller --per-cell keeps are among those that a larger one keeps.

    `response` becomes the text after the thinking; `response_with_cot` is the full text. These rows are dropped and
    counted: without text after the thinking (no_response); with a null label (unlabelled); with the id, sample and text
    of another row (duplicate), or the same but with the opposite label (contradictory); and those that the cell does
    not need (surplus).

    Before anything is dropped, stderr lists the cells that have fewer rows than asked for, and what they lack. At the
    end it shows the census: problems and responses by subset and model (Table 1 of the paper).

    The whole input is read first, in little memory: about 50 bytes per row are sorted in an unnamed temporary file, and
    the rows are read again from their files, or from such a file too if they came through a pipe or were compressed.
    """
    from libra_cli.stages.balance.quota import CellLimits
    from libra_cli.stages.balance.run import balance
    from libra_cli.stages.balance.samples import BalanceFormat
    from libra_cli.tasks import thinking

    sizes = {subset: int(size) for subset, _, size in (text.rpartition("=") for text in per_cell)}
    limits = CellLimits(sizes.pop("", None), per_problem, sizes)
    pairs = [thinking.markers(text) for text in thinking_markers] or list(thinking.MARKERS.values())
    row_format = BalanceFormat(pairs, default_subset, published)
    balance(run, row_format, limits, seed, spool_dir, report)
