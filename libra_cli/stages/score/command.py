"""`libra score`: what judges are worth, from their judged rows, with intervals."""

from __future__ import annotations

from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, plain
from libra_cli.cli.numbers import NumberType
from libra_cli.stages.score.options import At, Resamples, Threshold, output_options


@plain(
    "score",
    examples=(
        "libra judge --model libra-mini/strong labelled.jsonl | libra score",
        "libra score --json judged.jsonl | jq .macro_f1",
        "libra score --threshold cross-fit --html report.html --against published judged.jsonl",
        "libra score strong.jsonl weak.jsonl",
        "libra score --as reasoning --at 1,8,32 labelled.jsonl",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option(
    "--as",
    type=click.Choice(choices.ROW_KINDS),
    metavar="KIND",
    help=f"Kind of the rows: {', '.join(choices.ROW_KINDS)}. Default: recognised from the first row of each file.",
)
@option(
    "--protocol",
    type=click.Choice(choices.PROTOCOLS),
    default="official",
    help="Rules to follow where they differ: the benchmark's own (official) or those of the Libra paper (paper).",
)
@option(
    "--threshold",
    type=Threshold(),
    metavar="T|search|cross-fit",
    help="A response with a score above the threshold counts as judged correct. search: use the threshold with the "
    "highest overall accuracy on these rows. cross-fit: for each fold, use the best threshold of the other folds. "
    "Default: the predictions in the rows; without predictions 2 for score, 5 for rate, search for rewards.",
)
@option("--folds", type=NumberType(int, 2), default=5, metavar="N", help="Number of folds of problems for cross-fit.")
@option(
    "--null",
    type=click.Choice(choices.NULL_RULES),
    default="rule",
    help="Rows without a verdict. rule: the benchmark's own rule (usually: counts as wrong). exclude: leave them out "
    "of all figures. Their number is reported in either case.",
)
@option(
    "--at",
    type=At(),
    metavar="K,K...",
    help="Values of k for pass@k, maj@k and best of k (kind reasoning). Default: 1, 2, 4, ... and the number of "
    "samples.",
)
@option(
    "--allow-short",
    is_flag=True,
    help="Also score problems that have fewer samples than the others (kind reasoning). Default: this is an error.",
)
@option(
    "--resamples",
    type=Resamples(),
    default=1000,
    metavar="N",
    help="Number of bootstrap resamples of problems for the 95% intervals; 0 leaves the intervals out.",
)
@option(
    "--seed",
    type=NumberType(int, 0),
    default=0,
    metavar="N",
    help="Random seed for the bootstrap, the folds and the sampled subsets.",
)
@output_options
@option(
    "--against",
    type=click.Choice(choices.COMPARISONS),
    help="published: show the result among the figures published in the Libra paper.",
)
@option("-q", "--quiet", is_flag=True, help="Print only errors on stderr.")
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Measure judges on their judged rows: accuracy, calibration, pass@k, with 95% intervals.

    FILE holds rows of libra judge, result files of reward-model benchmarks, bare predictions (`label`, with
    `prediction` or `score`; optionally `subset`, and `question`, `id` or `index`), or, for pass@k, rows of libra
    verify. Each file, and each `judge` in it, gets a report. Any two reports on the same benchmark are compared on the
    items that both judged (matched by id, index or question, and by model and sample).

    Single responses (`label` 0 or 1): accuracy of each subset and the plain mean over subsets, confusion matrix, macro
    F1, accuracy on correct and on incorrect responses, and calibration of the scores. A response that libra judge
    decided by rule to be no answer counts as judged incorrect, whatever the threshold. Pairs and lists: the figures of
    each benchmark, section by section, as published.

    Several samples per problem: unbiased pass@k; maj@k, which groups equivalent answers and shares ties; and, if rows
    have a judge's scores, best of k and weighted majority. A problem with fewer samples than the others is an error
    unless --allow-short is given.

    Intervals come from a bootstrap that resamples problems, with all their rows, within each subset. Two judges are
    compared by resampling the problems of both together, and by McNemar's exact test.

    A row that cannot be scored ends the run with its place and the remedy; no metric silently omits it.
    """
    from libra_cli.stages.score.writing import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs(inputs)
    from libra_cli.answers.pool import HARD_SECONDS
    from libra_cli.answers.time_limit import time_limit
    from libra_cli.exits import Exit, Fatal
    from libra_cli.stages.score.reading import ScoreConfig
    from libra_cli.stages.score.run import score
    from libra_cli.stream.console import Console

    against = options.pop("against")
    console = Console("score", quiet=options.pop("quiet"))
    kind, at = options.pop("as"), options.pop("at") or ()
    config = ScoreConfig(kind=kind, at=at, examples=outputs.html is not None, **options)
    with time_limit(HARD_SECONDS):
        scored = score(inputs, config, console.progress)
    console.clear()
    if against is not None:
        from libra_cli.rm_benchmarks.published import rank_among_published

        try:
            scored["published"] = [row for report in scored["reports"] for row in rank_among_published(report)]
        except ValueError as error:
            raise Fatal(Exit.USAGE, f"--against published: {error}") from None
    outputs.write(scored)
    return 0
