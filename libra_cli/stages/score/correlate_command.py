"""`libra score correlate`: does a better judge make a better policy?"""

from __future__ import annotations

from typing import Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.report_options import output_options
from libra_cli.cli.stage_options import option
from libra_cli.stages.score.options import Resamples


@plain(
    "score correlate",
    examples=(
        "libra score correlate --x judge_accuracy --y aime24 downstream.jsonl",
        "libra score correlate --x judge_accuracy --y aime24 --group policy --plot correlation.svg downstream.jsonl",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option("--x", metavar="FIELD", default="accuracy", help="Field with the accuracy of the judge.")
@option(
    "--y",
    metavar="FIELD",
    default="pass@1",
    help="Field with the accuracy of the policy trained with that judge.",
)
@option(
    "--group",
    metavar="FIELD",
    help="Field that names what was trained, such as the base policy. Adds the correlation within each group, and one "
    "over all rows after subtracting the mean of each group.",
)
@option(
    "--resamples",
    type=Resamples(),
    default=1000,
    metavar="N",
    help="Number of bootstrap resamples of the rows; 0 leaves the bootstrap intervals out.",
)
@option("--seed", type=NumberType(int, 0), default=0, metavar="N", help="Random seed for the bootstrap.")
@output_options("tables, plots and the judge's most instructive mistakes")
def command(
    inputs: tuple[str, ...], x: str, y: str, group: str | None, resamples: int, seed: int, **options: Any
) -> int:
    """Correlate the accuracy of judges with the accuracy of the policies that they trained.

    Each row is one judge: its accuracy in field --x, the accuracy of the policy trained with its verdicts in field --y,
    and its name (`judge`, `model`, `name` or `id`). The report has the Pearson and the Spearman correlation, each with
    an interval by Fisher's z and one by bootstrap, and what each would be without any single judge. With fewer than ten
    judges it warns that they prove little.
    """
    from libra_cli.reports.outputs import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs("score correlate", inputs)
    from libra_cli.stages.score.correlation import CorrelationAxes, correlation

    outputs.write({"correlation": correlation(inputs, CorrelationAxes(x, y, group, resamples, seed))})
    return 0
