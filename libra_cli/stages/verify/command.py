"""`libra verify`: labels responses by rule against the reference, by a panel of models, and by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import miniature
from libra_cli.cli.command import option, stage
from libra_cli.cli.engine_options import EngineOptions, Markers, SamplingOptions, asking_options

if TYPE_CHECKING:
    from libra_cli.stages.verify.panel import Panel
    from libra_cli.stages.verify.rule import Fields
    from libra_cli.stages.verify.run import Labelling
    from libra_cli.stream.run import Run


def _asks(values: dict[str, Any]) -> bool:
    """Whether there is a panel: of the models that are named, or of those of a recording or server."""
    return bool(values["annotator"] or values["replay"] or values["base_url"] or values["engine"] != "auto")


def _used(values: dict[str, Any]) -> tuple[str, ...]:
    fields = values["reference_field"], values["response_field"], "response_with_cot", "finish_reason"
    return (*fields, "question") if _asks(values) else fields


def _beside_rule(*names: str, **kwargs: Any) -> Any:
    return option(*names, group="Panel and people", **kwargs)


@stage(
    "verify",
    writes=("label", "verification", "task"),
    used=_used,
    names=("model", "sample"),
    examples=(
        "libra rollout problems.jsonl --model A | libra verify > labelled.jsonl",
        "libra verify -j 8 -o labelled.jsonl rollouts/*.jsonl",
        "libra verify --annotator A --annotator B --review review.jsonl -o panel.jsonl rollouts.jsonl",
        "libra review review.jsonl -o labels.jsonl && libra verify --labels labels.jsonl panel.jsonl > final.jsonl",
        "libra verify --reference-field answer --response-field output rows.jsonl",
    ),
)
@option("--response-field", metavar="NAME", default="response", help="Where the response is.")
@option("--reference-field", metavar="NAME", default="reference", help="Where the golden answer is: text or a number.")
@option(
    "--thinking-markers",
    metavar="NAME|OPEN,CLOSE",
    multiple=True,
    type=Markers(),
    help="Cut the thinking at these markers; repeatable. Default: all known pairs, <think> among them.",
)
@option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    shapes_rows=False,
    help="Processes for pairs that need computer algebra. Default: one for each core.",
)
@option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=0.5,
    metavar="SECONDS",
    help="CPU time for such a pair, after which it stays undecided.",
)
@option(
    "--hard-timeout",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    metavar="SECONDS",
    help="Time for such a pair, after which its process is killed.",
)
@_beside_rule(
    "--annotator",
    multiple=True,
    metavar="NAME",
    suggested=miniature.MODELS,
    help="A model to ask, by a directory or a name of a hub or server; repeatable. They run one after another.",
)
@_beside_rule(
    "--annotator-name", multiple=True, metavar="NAME", help="What votes call it instead, one for each --annotator."
)
@_beside_rule(
    "--annotator-markers",
    default="think",
    type=Markers(),
    metavar="NAME|OPEN,CLOSE",
    help="What encloses the annotators' thinking; known names as for --thinking-markers.",
)
@_beside_rule(
    "--rule",
    type=click.Choice(["first", "only", "never", "also"]),
    help="first: ask the annotators where the rule is undecided; also: ask both everywhere; never: only the "
    "annotators; only: only the rule. Default: first; for votes of an earlier run, as then.",
)
@_beside_rule(
    "--review", metavar="FILE", shapes_rows=False, help="Write rows that need a person to FILE, for libra review."
)
@_beside_rule(
    "--labels",
    multiple=True,
    metavar="FILE",
    by_content=True,
    help="Human labels that libra review wrote, as the last word; repeatable.",
)
@_beside_rule("--report", metavar="FILE", shapes_rows=False, help="Write how far annotators agree to FILE, as JSON.")
@asking_options
def command(
    run: Run,
    response_field: str,
    reference_field: str,
    thinking_markers: tuple[str, ...],
    jobs: int | None,
    timeout: float,
    hard_timeout: float,
    **options: Any,
) -> None:
    """Label responses as correct or incorrect against the reference answer.

    Reads `reference`, text or a number, and `response` (or `response_with_cot` where a row has no such field).
    Writes `label` 1 (correct), 0 (wrong) or null (undecided), and in `verification` which level of the rule decided
    (`by`), the final `answer` that was found, and the `reason` where the label is null.

    The thinking is cut first. The final answer is the last complete \\boxed{}; boxes with only "and", "or",
    "alternatively", commas, conditions or the numbers of parts between them answer together, so that a hedge between
    two answers to a question with one is wrong. Without a box, or where the words behind it call it wrong, it is what
    "the final answer is", "Answer:", "A:" or "####" names, then the last bold text, then what the last sentence ends
    in, then a text that is nothing but an answer.

    A pair is decided at the cheapest level that is certain, which `by` names: exact (the same text), normal (but for
    spelling), choice (a letter), number (exact arithmetic and units), text (words, times, ratios, bases), structure
    (tuples, sets, lists, intervals, matrices, equations, part by part), numeric (the values of formulas, to 30 digits
    and where they agree to 90), symbolic (computer algebra, in processes that are tried on known pairs before they
    serve and killed where they take too long).

    A complete response that gives no answer is wrong (by no_answer). One that was cut (`finish_reason` length) before
    it gave one is null, as is one that ended inside its thinking (by no_response), and as is whatever cannot be
    decided: a reference that cannot be parsed, a pair that takes too long.

    With --annotator models are asked whether the response arrives at the reference (rows need `question`, too). The
    whole input is read before the first of them is. Unanimous verdicts label; where annotators disagree, or rule and
    annotators, the label is null (disagreement), and so it is where one of them came to no verdict (no_verdict). All
    verdicts are in `verification.votes`. A response without an answer is never asked about. With -o FILE votes wait in
    FILE.votes until FILE is complete, so that the same command asks for none twice. Rows with votes of an earlier run
    keep them where no annotator is named: the rule decides anew, and the votes are combined with it again.

    A row that needs a person goes to --review FILE, with what the annotators wrote. --labels merges what people say of
    them: it decides, and the verdicts before it stay among the votes. A label for another response than its reviewer
    saw is refused.

    A recording for --replay names the response ID/MODEL/SAMPLE in its `id` (what of these its row has) and the
    annotator in its `model`.
    """
    run.options.check_names(options["review"], options["report"])
    from libra_cli.answers.pool import Pool, cores
    from libra_cli.stages.verify.rule import Fields
    from libra_cli.tasks import thinking

    pairs = [thinking.markers(text) for text in thinking_markers] or list(thinking.MARKERS.values())
    labelling = _labelling(run, Fields(response_field, reference_field, pairs), options)
    with Pool(jobs or cores(), timeout, hard_timeout) as pool:
        labelling.through(pool)
    labelling.conclude(options["report"])


def _labelling(run: Run, fields: Fields, options: dict[str, Any]) -> Labelling:
    """The rule on `fields`, and beside it the panel, the labels and the file for reviewers of `options`."""
    from libra_cli.records.human_labels import Labels
    from libra_cli.stages.verify.run import Labelling

    if _asks(options) and options["rule"] == "only":
        raise click.UsageError("--rule only asks no model; leave out --annotator, or name another --rule")
    panel = _panel_of(run, fields, options) if _asks(options) else None
    labels = Labels(options["labels"])
    review = run.open_side_file(options["review"], "--review") if options["review"] else None
    return Labelling(run, fields, options["rule"], labels, panel, review, options["report"] is not None)


def _panel_of(run: Run, fields: Fields, options: dict[str, Any]) -> Panel:
    from libra_cli.stages.verify.panel import Panel
    from libra_cli.stages.verify.vote_store import Ballots

    named = {"model": options["annotator"], "model_name": options["annotator_name"], "flag": "annotator"}
    engines = EngineOptions.take(dict(options), **named)
    markers = options["annotator_markers"]
    sampling = SamplingOptions.take(dict(options), samples=1, stop=(), prefill="", thinking_markers=markers)
    return Panel(run, engines, sampling, fields, Ballots.beside(run))
