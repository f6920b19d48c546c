"""`libra score correlate`: does a better judge make a better policy?"""

from __future__ import annotations

from typing import Any

import click

from libra_cli.cli.command import option, plain
from libra_cli.stages.score.options import Resamples, output_options


@plain(
    "score correlate",
    examples=(
        "libra score correlate --x judge_accuracy --y aime24 downstream.jsonl",
        "libra score correlate --x judge_accuracy --y aime24 --group policy --plot correlation.svg downstream.jsonl",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option("--x", metavar="FIELD", default="accuracy", help="The field with the accuracy of a judge.")
@option("--y", metavar="FIELD", default="pass@1", help="The field with what came of training with it.")
@option("--group", metavar="FIELD",
        help="The field that says what was trained: each group is also looked at by itself, and all of them by the "
        "deviations from the means of their groups.")  # fmt: skip
@option("--resamples", type=Resamples(), default=1000, metavar="N", help="Of the bootstrap over points; 0: none.")
@option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Of the resamples.")
@output_options
def command(inputs: tuple[str, ...], x: str, y: str, group: str | None, resamples: int, seed: int,
            **options: Any) -> int:  # fmt: skip
    """Correlate the accuracy of judges with what came of training with them.

    A row is one judge: a number in --x, a number in --y, and its name (`judge`, `model`, `name` or `id`). Pearson and
    Spearman come with an interval by Fisher's z and one by bootstrap, and with what is left of them without each of the
    points. A few judges say little: below ten there is a warning.
    """
    from libra_cli.stages.score.writing import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs(inputs, outputs.files)
    from libra_cli.stages.score.correlation import CorrelationAxes, correlation

    outputs.write({"correlation": correlation(inputs, CorrelationAxes(x, y, group, resamples, seed))})
    return 0
