"""`libra dpo-pairs`: preference pairs from judged responses (section 7 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import stage
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import asked_with_options, choice_seed_option, spool_dir_option
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stream.run import Run


@stage(
    "dpo-pairs",
    reads_in_words="question, response_with_cot or response; prediction or score of libra judge, or label of libra "
    "verify; if there are any: id, judge, model, sample, n_tokens, provenance",
    writes=(
        "id",
        "prompt",
        "chosen",
        "rejected",
        "chosen_model",
        "rejected_model",
        "chosen_value",
        "rejected_value",
        "source",
    ),
    resumable=False,
    examples=(
        "libra rollout --model policy -n 4 queries.jsonl | libra judge --model judge | libra dpo-pairs > pairs.jsonl",
        "libra dpo-pairs --match length --per-query 1 --confusion judge.score.json judged.jsonl -o pairs.jsonl",
        "libra dpo-pairs --by score --margin 1 judged.jsonl -o pairs.jsonl",
        "libra dpo-pairs --consensus majority judge-a.jsonl judge-b.jsonl judge-c.jsonl -o pairs.jsonl",
        "libra dpo-pairs --unpaired judged.jsonl -o kto.jsonl  # prompt, completion, label",
    ),
)
@option(
    "--by",
    type=click.Choice(choices.PAIR_BASES),
    default="prediction",
    help="What decides which response is better. prediction: the judge's verdict, correct or incorrect (see "
    "--threshold); score: its rating; label: the rule of libra verify, which needs references.",
)
@option(
    "--threshold",
    type=NumberType(float),
    metavar="X",
    help="With --by prediction: a response without a verdict is correct if its score is above X. Default: as the task "
    "of the judge has it (score: 2, rate: 5); a reward model's scores have no threshold.",
)
@option(
    "--margin",
    type=NumberType(float, 0),
    metavar="X",
    help="With --by score: pair only responses whose scores differ by X or more. Default: any difference.",
)
@option(
    "--match",
    type=click.Choice(choices.PAIR_MATCHINGS),
    default="random",
    help="Which correct response meets which incorrect one. length: those whose lengths are closest, so that pairs "
    "teach no length.",
)
@option(
    "--per-query",
    type=NumberType(int, 1),
    metavar="N",
    help="Keep at most N pairs of a query: with --match length the closest, with --by score the widest apart, else "
    "drawn with --seed. Default: all.",
)
@option(
    "--consensus",
    type=click.Choice(choices.CONSENSUS),
    help="How several judges of one response decide together. all: they must agree; majority: more than half of them; "
    "mean (with --by score): the mean of their scores. Default: all, or mean with --by score.",
)
@option(
    "--unpaired",
    is_flag=True,
    help="Write each response with a verdict by itself (prompt, completion, label), as KTO and BCO learn from.",
)
@option(
    "--confusion",
    metavar="FILE",
    help="Report of libra score --json about the judge: from its confusion matrix follow the expected share of pairs "
    "that are the wrong way round, and a label smoothing for them.",
)
@asked_with_options("Prompt template with {{slots}} that the responses were asked with, if not libra's own.")
@choice_seed_option()
@spool_dir_option()
@option(
    "--report",
    writes="report",
    keys=("pairs", "queries", "length"),
    metavar="FILE",
    shapes_rows=False,
    help="Write the counts, the length bias and the expected flips to FILE as JSON.",
)
def command(run: Run, by: str, **options: Any) -> None:
    """Make preference pairs of judged responses, for DPO and other preference learning.

    Of each query, as many pairs are made as there are responses of the scarcer kind: one response that the judge calls
    correct, one that it calls incorrect, each response used once. No reference is needed; --by label uses one. By
    score, the best response is paired with the worst, the second best with the second worst, and so on.

    Rows of several judges about one response are merged (--consensus). Left out and counted are a response without a
    verdict (null), one that not all judges of the input were asked about (missing_judge), one that they do not agree on
    (no_consensus), one that one judge called both correct and incorrect (contradictory), a repetition of another
    response's text (duplicate), and one without a counterpart (unpaired). The second row of a pair is counted as
    second_of_pair, the rows of further judges as same_response.

    Each output row has `prompt`, `chosen` and `rejected` as conversations, which TRL and datasets read as they are. The
    prompt is rebuilt as the policy received it (or from --template); the responses are all that it wrote, thinking
    included. The summary shows the length bias of the pairs.

    The order of the input does not change the output. The whole input is read first, in little memory: 65 bytes a row
    go to an unnamed temporary file, and so do rows that came through a pipe or were compressed.
    """
    from libra_cli.sampling.asked_prompts import Prompts
    from libra_cli.stages.dpo_pairs.opinions import OpinionIndex
    from libra_cli.stages.dpo_pairs.pairing import PairRule
    from libra_cli.stages.dpo_pairs.reading import OpinionReader
    from libra_cli.stages.dpo_pairs.report import read_confusion
    from libra_cli.stages.dpo_pairs.run import make_pairs
    from libra_cli.stream.row_store import RowStore
    from libra_cli.tasks import slots

    by_score, unpaired = by == "score", options["unpaired"]
    consensus = options["consensus"] or ("mean" if by_score else "all")
    if options["threshold"] is not None and by != "prediction":
        raise click.UsageError(f"--threshold makes verdicts of scores; leave it out with --by {by}")
    if options["margin"] is not None and not by_score:
        raise click.UsageError("--margin is a distance of scores; give --by score, too")
    if by_score != (consensus == "mean") and options["consensus"] is not None:
        other = "mean" if by_score else "all or majority"
        raise click.UsageError(f"--consensus {consensus} does not go with --by {by}; use {other}")
    if unpaired and (by_score or options["match"] == "length" or options["per_query"]):
        raise click.UsageError("--unpaired makes no pairs: leave out --by score, --match and --per-query")
    if by_score and options["match"] == "length":
        raise click.UsageError("--match length pairs correct with incorrect responses; leave out --by score")
    text = None
    if options["template"] is not None:
        try:
            text = slots.read_prompt(options["template"], None)
        except ValueError as error:
            raise click.UsageError(f"--template {options['template']}: {error}") from None
    confusion = None
    if options["confusion"] is not None:
        try:
            confusion = read_confusion(options["confusion"])
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise click.UsageError(f"--confusion {options['confusion']}: {why}") from None
    rule = None if unpaired else PairRule(by_score, options["margin"] or 0.0, options["match"], options["per_query"])
    reader = OpinionReader(Prompts(text, options["system"]), by, options["threshold"])
    index = OpinionIndex(options["seed"], options["spool_dir"])
    with RowStore(options["spool_dir"], "--spool-dir") as store:
        make_pairs(run, reader, index, consensus, rule, store, confusion, options["report"])
