"""`libra judge`: what judges decide about responses: scores, preferences, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.command import stage
from libra_cli.cli.engine_options import Markers, asking_options, reward_options
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.server_options import batch_options
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.engines.reward.base import ImplicitReward
    from libra_cli.stages.judge.run import Judging
    from libra_cli.stream.run import Run


def _show_template(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Prints a built-in prompt and ends."""
    if name is not None:
        from libra_cli.tasks import JUDGING, template

        click.echo(template.load(JUDGING[name].template))
        ctx.exit()


def _names(values: dict[str, Any]) -> tuple[str, ...]:
    return ("model", "sample", "judge", *(["probe"] if values["probe"] else []))


def _drops(values: dict[str, Any]) -> tuple[str, ...]:
    """What a probe replaces."""
    if not values["probe"]:
        return ()
    from libra_cli.records.items import OTHER_RESPONSES

    return OTHER_RESPONSES


@stage(
    "judge",
    reads_in_words="question (or prompt), and one of: response or response_with_cot; response_a and response_b; chosen "
    "and rejected; responses; the fields of a known benchmark. reference with --task verify; id, model and sample if "
    "there are any",
    writes=choices.JUDGE_FIELDS,
    drops=_drops,
    names=_names,
    examples=(
        "libra judge --model libra-mini/strong labelled.jsonl > judged.jsonl",
        "libra judge --model Qwen/QwQ-32B -k 8 --reduce median -o judged.jsonl rollouts.jsonl",
        "libra judge --model A --model B --base-url http://localhost:8000/v1 pairs.jsonl | libra score",
        "libra judge --show-template score > my.txt; libra judge --model A --task score --template my.txt rows.jsonl",
        "libra judge --model libra-mini/strong --probe master-keys labelled.jsonl > probed.jsonl",
    ),
)
@option(
    "--model",
    multiple=True,
    shapes_rows=False,
    metavar="NAME",
    suggested=miniature.MODELS,
    help="Judge model: a directory, a name on the Hugging Face hub or the server, or one of the small models that come "
    "with libra: libra-mini/judge, libra-mini/weak, libra-mini/medium, libra-mini/strong. Repeatable; judges run one "
    "after another.",
)
@option(
    "--judge-name",
    multiple=True,
    shapes_rows=False,
    metavar="NAME",
    help="Value of the `judge` field, instead of the --model text. Another name gives other votes, as another --seed "
    "does. Repeatable: one per --model, in the same order.",
)
@option(
    "--task",
    type=click.Choice(choices.JUDGE_TASKS),
    help="Kind of judgment. score: the judge solves the problem itself, then rates a response from 0 to 4. rate: it "
    "rates a response from 1 to 10. verify: it calls a response correct or wrong, with the reference in view. rank: it "
    "compares two responses, from A>>B to B>>A. best: it chooses the best of a list. Default: score for one response, "
    "rank for two, rate for lists of chosen and rejected responses, best for other lists.",
)
@option(
    "-k",
    "--votes",
    type=NumberType(int, 1, 1024),
    default=1,
    metavar="VOTES",
    help="Votes per judge and row. A vote takes one request to the model; on a pair with --orders both it takes two, "
    "and on several responses that are judged one by one, one for each.",
)
@option(
    "--reduce",
    type=click.Choice(choices.REDUCTIONS),
    default="mean",
    help="How the votes on a row become its score. majority: the most frequent vote (of several equally frequent ones "
    "the mean; for comparisons, a tie). max: the highest vote; not for comparisons.",
)
@option(
    "--orders",
    type=click.Choice(choices.ORDERS),
    default="both",
    help="Order in which a judge sees the responses of a pair or list. both: for each vote on a pair ask twice, once "
    "in each order; for each vote on a list rotate it by another offset. first: always as in the row. random: draw "
    "one order for each vote.",
)
@option(
    "--threshold",
    type=NumberType(float),
    metavar="T",
    help="Call scores above T correct. The `prediction` of a single response is 1 then, else 0 (incorrect). "
    "Default: for --task verify 0.5, where a tie of the votes is undecided (null, `unjudged` is tied); for other "
    "tasks `prediction` is null, and libra score applies a threshold.",
)
@option(
    "--template",
    by_content=True,
    metavar="FILE",
    help="Prompt template with {{slots}} to use instead of the task's own (see --show-template). Needs --task, which "
    "says how verdicts are read.",
)
@option(
    "--show-template",
    type=click.Choice(choices.JUDGE_TASKS),
    is_eager=True,
    expose_value=False,
    callback=_show_template,
    shapes_rows=False,
    metavar="NAME",
    help="Print the built-in prompt template of a task, then exit.",
)
@option(
    "--gate/--no-gate",
    default=None,
    help="Decide about non-answers (see above) without asking a judge; --no-gate sends them to judges, too. Default: "
    "--gate; --no-gate with --probe.",
)
@option(
    "--probe",
    type=click.Choice(choices.PROBES),
    help="Test the judges with non-answers. Each of a set of them stands in place of each row's response, and the "
    "report says how often a judge accepts them as correct.",
)
@option(
    "--no-texts",
    is_flag=True,
    help="Leave out of the rows what the judges wrote (`text` and `text_with_cot` of each vote).",
)
@option(
    "--judge-markers",
    default="think",
    type=Markers(),
    metavar="NAME|OPEN,CLOSE",
    help="Markers around the judges' own thinking: a known name (libra rollout --help-all lists them), or the opening "
    "and closing text.",
)
@option(
    "--report",
    writes="report",
    keys=("judges",),
    metavar="FILE",
    shapes_rows=False,
    help="Write the summary of each judge, which stderr shows, to FILE as JSON.",
)
@option(
    "--implicit",
    omitted_unset=True,
    is_flag=True,
    default=None,
    help="Take the models for implicit reward models, which libra dpo --loss ce makes (see above). Needs --reference.",
)
@option(
    "--reference",
    omitted_unset=True,
    metavar="NAME",
    suggested=miniature.MODELS,
    help="Reference of --implicit: the model that its training began with.",
)
@option(
    "--beta",
    omitted_unset=True,
    type=NumberType(float, 0, low_open=True),
    metavar="BETA",
    help="Factor of the log-ratios of --implicit: the --beta of its training. Default: 0.01.",
)
@option(
    "--step-separator",
    omitted_unset=True,
    metavar="TEXT",
    help="Text behind which a step of a response ends, for --implicit. Default: two line breaks.",
)
@option(
    "--dry-run",
    is_flag=True,
    shapes_rows=False,
    help="Print the first prompt as each judge would receive it, with its token ids, and ask nothing.",
)
@asking_options
@batch_options
@reward_options
def command(run: Run, report: str | None, dry_run: bool, **options: Any) -> None:
    """Judge responses with one or more models: rate, compare, or check them against a reference.

    A row has one response (`response`), two (`response_a` and `response_b`, or `chosen` and `rejected`), a list
    (`responses`), or the fields of a known reward-model benchmark. Its `system` is shown before the question. Each
    judge adds one output row per input row. If a row has several responses and the task shows one, they are judged one
    by one (`scores`). The thinking of a response is removed before a judge sees it, a reward model too (libra
    train-rm trains without it). Nothing in a response can pass for part of the prompt or for a verdict.

    Each judge gives -k votes on a row. The verdict of a vote is read from what the judge writes after its own thinking.
    `judgments` lists all votes; their verdicts are about the responses in the row's own order, whatever order was
    shown. A vote without a verdict is null and has a reason: truncated, in_thinking, no_verdict, contradictory, hedged,
    out_of_range, verify_timeout (reading it takes too long), or the engine's error. Null votes do not count. A vote on
    a pair that was shown in both orders counts only if both verdicts can be read.

    `score` is what --reduce makes of the votes: a number on the task's scale; for comparisons a number from 2 (A>>B) to
    -2 (B>>A); for lists the share of votes for the `prediction`; for verify the share of "correct". If `score` is null,
    or the votes are tied, `unjudged` says why. A row is refused, and the next run asks it again, if a server or a batch
    left one of its requests without an answer, or if all of them failed.

    A non-answer is a response that says nothing: it is empty, has only symbols, or only an opener such as "Solution:".
    Non-answers are not shown to a judge. They get the lowest score, lose against any other response, tie with each
    other, and are left out of lists; `gate` says what kind of non-answer it is. Reward models have no lowest score:
    there a non-answer has a null score and prediction 0.

    With --implicit, the reward of a step is --beta times the sum of log p(token) - log p_reference(token) over its
    tokens (arXiv:2412.01981): `steps` of a judgment lists them, and `score` is their sum. Of a row with
    `response_with_cot` such a model reads all, the thinking included, after the prompt that libra rollout asked, as
    libra dpo-pairs --unpaired writes it. After libra dpo --loss ce, a score above 0 says that the response is more
    likely correct than not (--threshold 0).

    With -o FILE, the same command continues after a stop, and another --model adds its rows. A repeated request has the
    same random seed as before, and so gives the same vote.

    A recording for --replay holds rows that libra judge wrote, or one row per text that a judge wrote: the text in
    `response_with_cot`, `response` or `text`, the judge in `model`, the number of the request in `sample`, and in `id`
    the response judged, as ID/MODEL/SAMPLE (its row's id, model and sample, as far as it has them; with --probe
    followed by /PROBE).
    """
    judging = _judging(run, options)
    if dry_run:
        judging.show_first()
    else:
        judging.run()
        judging.conclude(report)


def _implicit(options: dict[str, Any]) -> ImplicitReward | None:
    """Moves what --implicit needs out of `options`; raises click.UsageError if something is missing or not for it."""
    from libra_cli.engines.reward.base import ImplicitReward

    names = ("reference", "beta", "step_separator")
    given = {name: value for name in names if (value := options.pop(name)) is not None}
    if not options.pop("implicit"):
        if given:
            raise click.UsageError(f"--{next(iter(given)).replace('_', '-')} is for --implicit")
        return None
    if not given.get("reference"):
        raise click.UsageError("--implicit needs --reference, the model that the training began with")
    if given.get("step_separator") == "":
        raise click.UsageError("--step-separator is empty: give the text behind which a step ends")
    return ImplicitReward(given["reference"], given.get("beta", 0.01), given.get("step_separator", "\n\n"))


def _judging(run: Run, options: dict[str, Any]) -> Judging:
    """The run that the options describe; raises click.UsageError if the template does not suit the task."""
    from libra_cli.sampling.options import EngineOptions, SamplingOptions
    from libra_cli.sampling.server_model import with_server_model
    from libra_cli.stages.judge.run import JudgeConfig, Judging
    from libra_cli.tasks import JUDGING, slots

    named = {"model": options.pop("model"), "model_name": options.pop("judge_name"), "naming": "judge-name"}
    markers = options.pop("judge_markers")
    task, path, probe = options["task"], options["template"], options["probe"]
    if path and task is None:
        raise click.UsageError(
            "--template is the prompt of one task, by which its verdict is read: name it with --task"
        )
    try:
        template = slots.read_prompt(path, JUDGING[task].shows) if path else None
    except ValueError as error:
        raise click.UsageError(f"--template {path}: {error}") from None
    config = JudgeConfig(
        task,
        template,
        options["votes"],
        options["reduce"],
        options["orders"],
        options["threshold"],
        gate=probe is None if options["gate"] is None else options["gate"],
        texts=not options["no_texts"],
        probe=probe,
    )
    engines = EngineOptions.take(options, implicit=_implicit(options), **named)
    sampling = SamplingOptions.take(options, samples=1, stop=(), prefill="", thinking_markers=markers)
    return Judging(run, with_server_model(run, engines), sampling, config)
