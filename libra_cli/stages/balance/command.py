"""`libra balance`: even, cut, and count (the last step of V2V, section 3.1 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from libra_cli.cli.command import option, stage
from libra_cli.cli.engine_options import Markers

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
        size = value.rpartition("=")[2]
        if not (size.isascii() and size.isdigit() and int(size) > 0):
            raise click.BadParameter(f"{value!r} is neither N nor SUBSET=N, with N of at least 1")
    cells = [value.rpartition("=")[0] for value in values]
    twice = next((cell for cell in cells if cells.count(cell) > 1), None)
    if twice is not None:
        raise click.BadParameter(f"is given twice for {twice or 'all subsets'}; keep one of them")
    return values


@stage(
    "balance",
    reads={"question": str, "label": (int, type(None)), "model": str},
    writes=("response", "response_with_cot"),
    resumable=False,
    examples=EXAMPLES,
)
@option(
    "--per-cell",
    multiple=True,
    metavar="[SUBSET=]N",
    callback=_checked_sizes,
    help="At most N responses of each label in a cell; may be repeated for single subsets.",
)
@option("--per-problem", type=click.IntRange(1), metavar="N", help="At most N of each label to one problem in a cell.")
@option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Another seed, another choice.")
@option(
    "--thinking-markers",
    multiple=True,
    type=Markers(),
    metavar="NAME|OPEN,CLOSE",
    help="What opens and closes the thinking; may be repeated. Default: every known pair.",
)
@option("--default-subset", metavar="NAME", help="The subset of rows that name none.")
@option("--published", is_flag=True, help="Write the eight fields of the published benchmark, and no others.")
@option("--report", metavar="FILE", shapes_rows=False, help="Write the census to FILE, as JSON.")
@option("--spool-dir", metavar="DIR", shapes_rows=False,
        help="Where rows wait that come through a pipe or compressed. Default: TMPDIR.")  # fmt: skip
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
    """Cut the thinking and even correct and incorrect responses per subset and model.

    A cell is one subset with one model. In each cell as many correct responses as incorrect ones are kept, all that
    allow it or at most --per-cell of each. The problems take turns, in an order drawn from --seed, so that none
    dominates; the rows come out cell by cell, correct and incorrect in turn. The output is the same bytes whatever the
    order of the input, and a smaller --per-cell gives a part of what a larger one does.

    Before anything is dropped, stderr names the cells that cannot be filled and what they lack. At the end it has the
    census: problems and samples by subset and model (Table 1 of the paper).

    `response` becomes what stands after the thinking; `response_with_cot` is the full text. Left out and counted are
    rows with nothing after the thinking (no_response), with a null label (unlabelled), that repeat the id, sample and
    text of another (duplicate) or do so with the opposite label (contradictory), and the surplus of a cell.

    The whole input is read first. About 50 bytes a row are held in memory, 250 at most; the rows themselves are read
    again from their file, or from an unnamed temporary file where they came through a pipe or were compressed.
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
