"""`libra score`: what judges are worth, from their judged rows, with intervals."""

from __future__ import annotations

from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import plain
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.report_options import output_options
from libra_cli.cli.stage_options import option
from libra_cli.stages.score.options import At, Resamples, Threshold

_OTHER_KINDS = ("pointwise", "pairs", "lists", "reasoning")
_BENCHMARKS = ", ".join(kind for kind in choices.ROW_KINDS if kind not in _OTHER_KINDS)


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
    help="Kind of the rows. pointwise: single responses with a label. pairs: two responses with a preference. "
    "lists: several responses, and which is the best. "
    "reasoning: several labelled responses per problem, for pass@k. Rows of a benchmark: "
    f"{_BENCHMARKS}. Default: recognised from the first row of each file.",
)
@option(
    "--protocol",
    type=click.Choice(choices.PROTOCOLS),
    default="official",
    help="Whose protocol to follow where they differ: the benchmark's own (official) or that of the Libra paper "
    "(paper).",
)
@option(
    "--threshold",
    type=Threshold(),
    metavar="T|search|cross-fit",
    help="A response counts as judged correct if its score is above the threshold. T: a number. search: the threshold "
    "with the highest mean accuracy on these very rows, which flatters the judge. cross-fit: divide the problems "
    "into --folds parts, and use for each part the threshold that is best on the others, which is an honest estimate. "
    "Default: the predictions in the rows; without predictions 2 for task score, 5 for rate, search for reward models.",
)
@option(
    "--folds",
    type=NumberType(int, 2),
    default=5,
    metavar="N",
    help="Number of parts into which --threshold cross-fit divides the problems.",
)
@option(
    "--null",
    type=click.Choice(choices.NULL_RULES),
    default="rule",
    help="How rows without a verdict count. rule: as the benchmark prescribes (mostly as incorrect). exclude: not at "
    "all, in no figure. Their number is reported in either case.",
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
    help="Accept problems that have fewer samples than the others (kind reasoning). Default: they are an error.",
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
    help="Random seed for the bootstrap, the folds, and the subsets of samples that maj@k draws.",
)
@output_options("tables, plots and the judge's most instructive mistakes")
@option(
    "--against",
    type=click.Choice(choices.COMPARISONS),
    help="Show the result among the figures that the Libra paper has published for the same benchmark. A note says so "
    "if it has none.",
)
@option("-q", "--quiet", is_flag=True, help="Print only errors on stderr.")
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Measure judges by the rows that they judged: accuracy, calibration, pass@k, with 95% intervals.

    FILE holds rows of libra judge; the result file of a reward-model benchmark; the predictions of another program
    (`label`, and `prediction` or `score`; if there are any `subset`, and `question`, `id` or `index`); or, for pass@k,
    rows of libra verify. Each file, and each `judge` in it, gets a report. Any two reports on the same benchmark are
    compared on the rows that both judged (matched by id, index or question, and by model and sample);
    responses that the two files label differently are left out, and a note names the first of them.

    Single responses (`label` 0 or 1): accuracy on each subset and its plain mean over subsets, confusion matrix, macro
    F1, accuracy on correct and on incorrect responses, and calibration of the scores. A non-answer (see libra judge
    --help) counts as judged incorrect, whatever the threshold. Pairs and lists: the figures of each benchmark, section
    by section, as its authors define them. Of other lists (`responses`, or `scores` alone): how often the judge chooses
    the `best` response (its place from 0), or one of those that `correct` marks with 1.

    Several samples per problem: unbiased pass@k; maj@k, which groups equivalent answers and shares ties; and, if rows
    have a judge's scores, best of k and weighted majority. A problem with fewer samples than the others is an error
    unless --allow-short is given, or the rows are those of a training run (libra grpo --save-rollouts). It then counts
    in no figure of more samples than it has: mean@8, pass@8 and maj@8 are those of the problems with at least 8 (`n`
    says how many), and pass@1 is that of all.

    The 95% intervals come from a bootstrap that resamples problems, with all their rows, within each subset; a figure
    has none if a single problem is behind it, or if all resamples give the same value. Two judges are compared by
    resampling the problems of both together, and by McNemar's exact test. One is called better only where both p are at
    most 0.05, adjusted for all comparisons of the report (Holm); probably better where the difference is smaller than
    what such a set mostly reveals (`detectable`).

    A row that cannot be used ends the run; the message says which and what to do. No figure leaves a row out silently.
    """
    from libra_cli.reports.outputs import Outputs, check_inputs

    outputs = Outputs.take(options)
    check_inputs("score", inputs)
    from libra_cli.answers.time_limit import HARD_SECONDS, time_limit
    from libra_cli.stages.score.reading import ScoreConfig
    from libra_cli.stages.score.run import score
    from libra_cli.stream.console import Console
    from libra_cli.stream.progress import StageProgress

    against = options.pop("against")
    console = Console("score", quiet=options.pop("quiet"))
    kind, at = options.pop("as"), options.pop("at") or ()
    config = ScoreConfig(kind=kind, at=at, examples=outputs.html is not None, **options)
    now = ["waiting for rows"]
    with console.showing(lambda: StageProgress("score", now[-1])), time_limit(HARD_SECONDS):
        scored = score(inputs, config, now.append)
    if kind is None:  # rows with a verdict are taken for those of a judge
        for file in dict.fromkeys(one["file"] for one in scored["reports"] if one["benchmark"] == "reasoning"):
            who = "no judge has judged these rows: the figures are of the models that answered"
            console.note(f"{file}: {who}; for those of a judge, run libra judge first")
    if against is not None:
        from libra_cli.rm_benchmarks.published import rank_all_among_published

        scored["published"], why_not = rank_all_among_published(scored["reports"])
        for reason in why_not:
            console.note(f"--against published: {reason}")
    outputs.write(scored)
    return 0
