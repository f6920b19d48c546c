"""`libra report`: the curves of training runs, side by side."""

from __future__ import annotations

from typing import Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.report_options import output_options

EXAMPLES = (
    "libra report judge                             # the folder of libra sft, dpo or grpo",
    "libra report --html curves.html sft grpo grpo-kl0",
    "libra grpo --config grpo.yaml > run.jsonl; libra report run.jsonl",
)


@plain("report", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[RUN]...")
@output_options("the curves of all runs")
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Show training runs side by side: their figures, and a page with their curves.

    RUN is the folder of a run (-o of libra sft, dpo or grpo), or a file with its events: what the run wrote to
    standard output. A run that is still at work can be shown, too.

    The tables say how far each run came, and from what to what its figures went: means over the first and over the last
    tenth of the events that have the figure, because single steps are noisy; of accuracies the best, too. --html draws
    the curves of all runs into one chart for each figure.
    """
    from libra_cli.reports.outputs import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs("report", inputs)
    from libra_cli.stages.report.run import read_runs

    outputs.write({"runs": read_runs(inputs)})
    return 0
