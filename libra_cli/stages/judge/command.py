"""`libra judge`: what judges decide about responses: scores, preferences, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.command import option, stage
from libra_cli.cli.engine_options import Markers, asking_options, reward_options
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.stages.judge import RESULTS

if TYPE_CHECKING:
    from libra_cli.stages.judge.run import Judging
    from libra_cli.stream.run import Run

_SHOWN = ("question", "prompt", "problem", "conversation_input", "response", "response_with_cot", "responses",
          "response_a", "response_b", "response_A", "response_B", "response_1", "response_2", "chosen", "rejected",
          "reject", "bon_best", "loser_list", "eval_solution", "eval_solution_A", "eval_solution_B",
          "sampled_conflict_pairs", "reference")  # fmt: skip
"""Fields in which the forms of records have what a judge is shown."""


def _show_template(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Prints a built-in prompt and ends."""
    if name is not None:
        from libra_cli.tasks import JUDGING, template

        click.echo(template.load(JUDGING[name].template))
        ctx.exit()


def _names(values: dict[str, Any]) -> tuple[str, ...]:
    return ("model", "sample", "judge", *(["probe"] if values["probe"] else []))


def _finite(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    if value is not None and value - value != 0:
        raise click.BadParameter(f"{value} is no number that a score could be above")
    return value


@stage(
    "judge",
    writes=RESULTS,
    used=_SHOWN,
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
    help="A judge: a directory, a name of a hub or server, or libra-mini/judge, weak, medium, strong. Several run one "
    "after another.",
)
@option(
    "--judge-name",
    multiple=True,
    shapes_rows=False,
    metavar="NAME",
    help="What the field judge says instead, one for each --model.",
)
@option(
    "--task",
    type=click.Choice(choices.JUDGE_TASKS),
    help="score: 0 to 4, answering first. rank: A>>B to B>>A. verify: correct or wrong, the reference in view. rate: 1 "
    "to 10. best: the best of a list. Default: score for one response, rank for two, rate for lists of chosen and "
    "rejected ones, best for other lists.",
)
@option("-k", "--votes", type=click.IntRange(1), default=1, metavar="VOTES", help="Votes on what is shown.")
@option(
    "--reduce",
    type=click.Choice(choices.REDUCTIONS),
    default="mean",
    help="How votes become one score. majority: the most frequent one (of several their mean, of comparisons a tie); "
    "best: the highest.",
)
@option(
    "--orders",
    type=click.Choice(choices.ORDERS),
    default="both",
    help="both: each vote on a pair is two, one in either order; a list begins elsewhere each time. first: as in the "
    "row. random: one order by chance for each vote.",
)
@option(
    "--threshold",
    type=float,
    callback=_finite,
    metavar="T",
    help="Predict that a response is correct where its score is above T. Default: leave it to libra score.",
)
@option(
    "--template",
    by_content=True,
    metavar="FILE",
    help="Prompt with {{slots}} that replaces the task's own; --task says how its verdict is read.",
)
@option(
    "--show-template",
    type=click.Choice(choices.JUDGE_TASKS),
    is_eager=True,
    expose_value=False,
    callback=_show_template,
    shapes_rows=False,
    metavar="NAME",
    help="Print the prompt of a task and end.",
)
@option(
    "--gate/--no-gate",
    default=None,
    help="Decide by rule about responses that are no answer at all, or ask judges about them, too. Default: by rule, "
    "but not with --probe.",
)
@option(
    "--probe",
    type=click.Choice(choices.PROBES),
    help="Put each of a set of responses that answer nothing in place of every row's own, and measure how often a "
    "judge accepts them.",
)
@option("--no-texts", is_flag=True, help="Leave what judges wrote out of the rows.")
@option(
    "--thinking-markers",
    default="think",
    type=Markers(),
    metavar="NAME|OPEN,CLOSE",
    help="What encloses the judges' thinking; known names as for libra rollout.",
)
@option("--report", metavar="FILE", shapes_rows=False, help="Write the account of each judge to FILE, as JSON.")
@option(
    "--dry-run",
    is_flag=True,
    shapes_rows=False,
    help="Print the first prompt as each judge would see it, token ids included; ask nobody.",
)
@asking_options
@reward_options
def command(run: Run, report: str | None, dry_run: bool, **options: Any) -> None:
    """Judge responses with one or more models: score them, compare them, or check them.

    A row has one response (`response`), two (`response_a` and `response_b`, or `chosen` and `rejected`) or a list
    (`responses`), or the fields of a known reward-model benchmark. Each judge gives one row for each, and runs after
    the one before it. Tasks that are shown one response judge several of them one by one (`scores`). The thinking of
    responses is cut, and nothing that a response holds can pass for the prompt's own words or for a verdict.

    A verdict is read from what the judge writes after its thinking. `judgments` has every vote, in terms of the row's
    own order, whichever order was shown. A vote without a verdict is null with the reason (truncated, in_thinking,
    no_verdict, contradictory, hedged, out_of_range, or the engine's error) and no number; nor has a vote on a pair that
    was shown in both orders and can be read in one only. `score` is what --reduce makes of the others: of a comparison
    a number from 2 (A>>B) to -2, of a list the share of the votes for its `prediction`, of verify the share of correct
    ones. Where it is null, `unjudged` says why. A row of which every request failed is refused, and the next run asks
    again.

    By rule a response that is no answer (empty, symbols only, a bare opener such as "Solution:") gets the lowest score
    before any judge sees it, loses against any other, ties with another one like it, and is left out of lists; `gate`
    says why. Reward models, which give a number, have no lowest score: such a row's score is null and its prediction 0.

    With -o FILE the same command continues after a stop, and another --model adds its rows. Every request has its own
    seed, made from --seed, the row, the judge and the number of the request: what is asked again gets the same votes.

    A recording for --replay names the response ID/MODEL/SAMPLE in its `id` (what of these its row has), with --probe
    /PROBE behind it, the judge in its `model` and the number of the request in its `sample`. Rows that libra judge
    wrote are a recording, too.
    """
    run.options.check_names(report)
    from libra_cli.stream.sinks import check_report

    judging = _judging(run, options)
    if dry_run:
        judging.show_first()
    else:
        check_report(report, "--report")
        judging.run()
        judging.conclude(report)


def _judging(run: Run, options: dict[str, Any]) -> Judging:
    """The run that the options describe; raises click.UsageError if the template does not suit the task."""
    from libra_cli.stages.judge.run import JudgeConfig, Judging
    from libra_cli.tasks import JUDGING, slots

    named = {"model": options.pop("model"), "model_name": options.pop("judge_name"), "naming": "judge-name"}
    markers = options.pop("thinking_markers")
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
    engines = EngineOptions.take(options, **named)
    sampling = SamplingOptions.take(options, samples=1, stop=(), prefill="", thinking_markers=markers)
    return Judging(run, engines, sampling, config)
