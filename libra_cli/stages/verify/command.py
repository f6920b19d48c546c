"""`libra verify`: labels responses by rule against the reference, by a panel of models, and by people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.command import stage
from libra_cli.cli.engine_options import Markers, asking_options
from libra_cli.cli.numbers import seconds
from libra_cli.cli.shared_options import any_markers_option, workers_option
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.answers.process.pool import Pool
    from libra_cli.records.responses import ResponseFields
    from libra_cli.stages.verify.run import Labelling
    from libra_cli.stream.resume import Carried
    from libra_cli.stream.run import Run


def _asks(values: dict[str, Any]) -> bool:
    """Whether there is a panel: of the models that are named, or of those of a recording or server."""
    return bool(values["annotator"] or values["replay"] or values["base_url"] or values["engine"] != "auto")


def _carries(values: dict[str, Any]) -> Carried:
    """What stays of the votes of an earlier run with these options."""
    from libra_cli.records.human_labels import Labels
    from libra_cli.stages.verify.carried_votes import CarriedVotes

    keeps_models = not _asks(values) and values["rule"] != "only"
    return CarriedVotes(_response_fields(values), partial(Labels, values["labels"]), keeps_models)


def _response_fields(values: dict[str, Any]) -> ResponseFields:
    from libra_cli.engines.openai.end_words import meanings
    from libra_cli.records.responses import BY_OPTION, ResponseFields
    from libra_cli.tasks import thinking

    pairs = [thinking.markers(text) for text in values["thinking_markers"]] or list(thinking.MARKERS.values())
    ends = meanings(values["finish_reason"])
    return ResponseFields(values["response_field"], values["reference_field"], pairs, BY_OPTION, ends)


def _panel_option(*names: str, **kwargs: Any) -> Any:
    return option(*names, group="Annotators and human labels", **kwargs)


@stage(
    "verify",
    reads_in_words="reference, and response or response_with_cot (or names that everybody uses, such as answer and "
    "output); question with --annotator; if there are any: id, "
    "model, sample, finish_reason, and verification of an earlier run",
    writes=("label", "verification", "task"),
    names=("model", "sample"),
    carries=_carries,
    examples=(
        "libra rollout problems.jsonl --model A | libra verify > labelled.jsonl",
        "libra verify -j 8 -o labelled.jsonl rollouts/*.jsonl",
        "libra verify --annotator A --annotator B --review review.jsonl -o panel.jsonl rollouts.jsonl",
        "libra review review.jsonl -o labels.jsonl && libra verify --labels labels.jsonl panel.jsonl > final.jsonl",
        "libra verify --reference-field answer --response-field output rows.jsonl",
    ),
)
@option(
    "--response-field",
    metavar="NAME",
    default="response",
    help="Field with the response; dots lead into objects and lists (choices.0.text). For a benchmark, rename it with "
    "libra collect --map first.",
)
@option(
    "--reference-field",
    metavar="NAME",
    default="reference",
    help="Field with the reference answer: text, a number or a boolean; dots lead into objects and lists. For a "
    "benchmark, rename it with libra collect --map first.",
)
@any_markers_option()
@workers_option("Worker processes for the answers that need computer algebra. Default: one per core.")
@option(
    "--timeout",
    type=seconds(),
    default=0.5,
    metavar="SECONDS",
    help="CPU time for comparing one answer with its reference by computer algebra. A row that needs more stays "
    "undecided (label null).",
)
@option(
    "--hard-timeout",
    type=seconds(),
    default=2.0,
    metavar="SECONDS",
    help="Elapsed time for the same, after which the worker process is killed, and CPU time for finding an answer or "
    "comparing it without computer algebra.",
)
@_panel_option(
    "--annotator",
    multiple=True,
    metavar="NAME",
    suggested=miniature.MODELS,
    help="Model that compares responses with the reference: a directory, or a name on the Hugging Face hub or the "
    "server. Repeatable; models run one after another.",
)
@_panel_option(
    "--annotator-name",
    multiple=True,
    metavar="NAME",
    help="Name of an annotator in the votes, instead of the --annotator text. Repeatable: one per --annotator, in the "
    "same order.",
)
@_panel_option(
    "--annotator-markers",
    default="think",
    type=Markers(),
    metavar="NAME|OPEN,CLOSE",
    help="Markers around the annotators' own thinking: a known name (libra rollout --help-all lists them), or the "
    "opening and closing text.",
)
@_panel_option(
    "--rule",
    type=click.Choice(choices.RULES),
    help="Whether the rule decides (see above), or the annotators. only: the rule "
    "alone. first: the rule, and the annotators where it leaves a row undecided. also: both, on every row. "
    "never: the annotators alone. Default: first; for rows with votes of an earlier run, as in that run.",
)
@_panel_option(
    "--review",
    writes="side rows",
    metavar="FILE",
    shapes_rows=False,
    help="Also write the undecided rows that a person could decide to FILE, for libra review.",
)
@_panel_option(
    "--labels",
    multiple=True,
    metavar="FILE",
    by_content=True,
    help="File of human labels from libra review; they override all other verdicts. Repeatable.",
)
@_panel_option(
    "--report",
    writes="report",
    keys=("rows", "labels", "annotators", "pairs"),
    metavar="FILE",
    shapes_rows=False,
    help="Write to FILE, as JSON, how far the rule and the annotators agree.",
)
@asking_options
def command(run: Run, **options: Any) -> None:
    """Label responses as correct or incorrect against the reference answer.

    Reads `reference` and `response`, texts or numbers (`response_with_cot` in rows without `response`). In rows
    without these, `answer`, `final_answer`, `ground_truth` or `solution` stands for the first, and `output`,
    `completion` or `model_output` for the second, as a line on standard error says. Writes
    `label`: 1 (correct), 0 (incorrect) or null (undecided). `verification` holds the final `answer` that was found,
    what decided (`by`) and, if the label is null, why (`reason`).

    Labels come from the rule, which needs no model: it finds the final answer in the response and compares it with the
    reference.

    Finding the answer: the thinking is removed; the last complete \\boxed{} is the final answer. Boxes that are
    separated only by "and", "or", "alternatively", commas, conditions or the numbers of parts are one answer, so two
    alternatives for a question with one answer are incorrect. Without a box, or if the text after it takes it back, the
    answer is what "the final answer is", "Answer:", "A:" or "####" introduces; else the last bold text; else what the
    last sentence asserts; else the whole text, if it is nothing but an answer. If the reference is an option (B, "B. 7
    m"), a box or a statement that names an option comes first; the `question` says which text belongs to which letter.

    The reference may be more than an answer: a solution (what follows "####", or its last box, counts), a sentence that
    states a value, or an answer with its label, reasons and remarks ("12, because 3 * 4 = 12", "20 m/s (72 km/h)").

    Comparing: the first of these levels that is certain decides, and `by` names it: exact (same text), normal (same up
    to spelling), choice (a letter), number (exact arithmetic and units), text (words, times, ratios, bases), structure
    (tuples, sets, lists, intervals, matrices, equations, part by part), numeric (values of formulas to 30 digits; if
    equal, to 90), symbolic (computer algebra in worker processes).

    A complete response without an answer is incorrect (`by` no_answer), as is one that answers something else than the
    `question` (`by` other_answer): what somebody else has, 6/8 for lowest terms. Where no rule is certain, a response
    without any number that the reference may be is incorrect (`by` absent). A response that was truncated before its
    final answer is undecided (`reason` truncated): its `finish_reason` (or `stop_reason`) is length or an unknown word
    (--finish-reason), and it has no complete box and no finished line that states the answer; its last box is not
    closed; its text ends inside the thinking (in_thinking, if not cut off); or `response` is null. Undecided, too, is
    one that gives several numbers and no answer for certain (ambiguous) or takes its only answer back (retracted), and
    one whose answer cannot be compared because the reference cannot be parsed or the time runs out; `reason` says
    which. What only the last sentence asserts is undecided (ambiguous), not wrong, if the sentence has the number of
    the reference, too, one number of several, or a word that may make another number of it. The `question` says which
    of several values is asked for ("12 rabbits and 23 chickens").

    With --annotator, models judge whether a response arrives at the reference; rows need `question`, too. The whole
    input is read before the first model is asked. Verdicts that all agree become the label. The label is null if the
    annotators disagree with each other or with the rule (`reason` disagreement), or if one of them gives no verdict
    (no_verdict). `verification.votes` has all verdicts. Responses without a final answer are not sent to annotators.
    With -o FILE, votes are kept in FILE.votes until FILE is complete, so the same command asks nothing twice. Without
    --annotator, votes that rows carry from an earlier run stay: the rule decides again and is combined with them.

    Rows that need a person go to --review FILE, with what the annotators wrote. --labels merges the labels that people
    gave: they decide, and the earlier verdicts stay in the votes. A label for a response that has changed since its
    review is refused.

    A recording for --replay has one row per text that an annotator wrote: the text in `response_with_cot`, `response`
    or `text`, the annotator in `model`, and in `id` the response judged, as ID/MODEL/SAMPLE (its row's id, model and
    sample, as far as it has them).
    """
    from libra_cli.answers.process.pool import Pool, cores

    with Pool(options["workers"] or cores(), options["timeout"], options["hard_timeout"]) as pool:
        labelling = _labelling(run, pool, options)
        labelling.run()
    labelling.conclude(options["report"])


def _labelling(run: Run, pool: Pool, options: dict[str, Any]) -> Labelling:
    """The rule, and with it the panel, the human labels and the file for reviewers that `options` name."""
    from libra_cli.records.human_labels import Labels
    from libra_cli.stages.verify.run import Labelling
    from libra_cli.tasks.grading import Grader
    from libra_cli.tasks.reason import REASON

    if _asks(options) and options["rule"] == "only":
        raise click.UsageError("--rule only asks no model; leave out --annotator, or name another --rule")
    fields = _response_fields(options)
    panel = None
    if _asks(options):
        from libra_cli.sampling.options import EngineOptions, SamplingOptions
        from libra_cli.sampling.server_model import with_server_model
        from libra_cli.stages.verify.panel import Panel
        from libra_cli.stages.verify.vote_store import VoteStore

        named = {"model": options["annotator"], "model_name": options["annotator_name"], "flag": "annotator"}
        engines = EngineOptions.take(dict(options), **named)
        others = {**options, "thinking_markers": options["annotator_markers"]}  # the option itself is about the rows
        sampling = SamplingOptions.take(others, samples=1, stop=(), prefill="")
        panel = Panel(run, with_server_model(run, engines), sampling, fields, VoteStore.of(run))
    labels = Labels(options["labels"])
    review = run.open_side_file(options["review"], "--review") if options["review"] else None
    counts_votes = options["report"] is not None
    grader = Grader(REASON, pool)
    return Labelling(run, fields, grader, labels, options["rule"], panel, review, counts_votes)
