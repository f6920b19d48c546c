"""`libra score`: what judges are worth, from their judged rows, with intervals."""

from __future__ import annotations

from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, plain
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
    help=f"Kind of the rows: {', '.join(choices.ROW_KINDS)}. Default: recognise it from the first row of each file.",
)
@option("--protocol", type=click.Choice(choices.PROTOCOLS), default="official",
        help="Where they differ, the benchmark's own rule or that of the Libra paper.")  # fmt: skip
@option("--threshold", type=Threshold(), metavar="T|search|cross-fit",
        help="A score above it means correct. search: the one of the best overall accuracy on these rows. cross-fit: "
        "the best one of the other problems, for each fold. Default: the rows' predictions; without them 2 for score, "
        "5 for rate, search for rewards.")  # fmt: skip
@option("--folds", type=click.IntRange(2), default=5, metavar="N", help="Folds of problems for cross-fit.")
@option("--null", type=click.Choice(choices.NULL_RULES), default="rule",
        help="Rows without a verdict. rule: as the benchmark has it, which is as wrong for most; exclude: left out of "
        "every figure. They are counted beside either way.")  # fmt: skip
@option("--at", type=At(), metavar="K,K...",
        help="Reasoning: the k of pass@k, maj@k and best of k. Default: 1, 2, 4 and so on, and all.")  # fmt: skip
@option("--allow-short", is_flag=True, help="Reasoning: score problems with fewer samples than the others, too.")
@option("--resamples", type=Resamples(), default=1000, metavar="N",
        help="Of the bootstrap over problems, for 95% intervals; 0 leaves them out.")  # fmt: skip
@option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Of resamples, folds and drawn subsets.")
@output_options
@option("--against", type=click.Choice(choices.COMPARISONS),
        help="Set the result among the figures that the Libra paper prints.")  # fmt: skip
@option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Score judges on their judged rows: accuracy, calibration, pass@k, with 95% intervals.

    FILE has judged rows of libra judge, or result files of reward-model benchmarks, or bare predictions (`label`, and
    `prediction` or `score`; `subset`, and `question`, `id` or `index` where known), or verified responses of libra
    verify for pass@k. Each file and each `judge` in it gets a report; of several, each two of the same benchmark are
    compared on the items that both judged (matched by id or index or question, and by model and sample).

    Responses one by one (`label` 0 or 1): accuracy of each subset and their plain mean, confusion matrix, macro F1,
    accuracy on correct and on incorrect responses, and calibration of the scores. A response that the gate of libra
    judge found to be no answer is judged incorrect whatever the threshold. Benchmarks of pairs and lists: as published,
    section by section.

    Several samples of each problem: pass@k without bias, maj@k with equivalent answers together and ties shared, and
    where rows have scores of a judge, best of k and weighted majority. A problem with fewer samples than the others is
    an error unless --allow-short is given.

    Intervals come from a bootstrap over problems, which brings all rows of a problem together, within each subset. Two
    judges are compared by resampling the problems of both alike, and by McNemar's exact test.

    A row that cannot be scored ends the run, with its place and the cure: there is no figure without it.
    """
    from libra_cli.stages.score.writing import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs(inputs, outputs.files)
    from libra_cli.exits import Exit, Fatal
    from libra_cli.stages.score.reading import ScoreConfig
    from libra_cli.stages.score.run import score
    from libra_cli.stream.console import Console

    against = options.pop("against")
    console = Console("score", quiet=options.pop("quiet"))
    kind, at = options.pop("as"), options.pop("at") or ()
    config = ScoreConfig(kind=kind, at=at, examples=outputs.html is not None, **options)
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
