"""`libra rs-filter`: rejection sampling (section 3 of the paper): of what was generated, that which is correct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import option, stage
from libra_cli.cli.engine_options import Markers

if TYPE_CHECKING:
    from libra_cli.stages.rs_filter.checks import Checks
    from libra_cli.stages.rs_filter.prompts import Prompts
    from libra_cli.stream.run import Run

TASKS = ("reason", "score", "rank", "verify", "rate", "best", "general")


def _pass_rate(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    found = re.fullmatch(r"([01](?:\.[0-9]*)?|\.[0-9]+)\.\.([01](?:\.[0-9]*)?|\.[0-9]+)", value)
    low, high = (float(found[1]), float(found[2])) if found else (1.0, 0.0)
    if not 0 <= low <= high <= 1:
        raise click.BadParameter(f"{value!r} is not LO..HI with 0 <= LO <= HI <= 1 (0.1..0.9)")
    return low, high


def _choosing(*names: str, **kwargs: Any) -> Any:
    return option(*names, group="Choice", **kwargs)


@stage(
    "rs-filter",
    writes=("id", "task", "messages", "label", "model", "source", "provenance"),
    resumable=False,
    examples=(
        "libra judge --model M -k 8 labelled.jsonl | libra rs-filter --per-prompt 2 --prefer shortest --even label "
        "> score-sft.jsonl",
        "libra rollout --model M -n 8 problems.jsonl | libra verify | libra rs-filter --pass-rate 0.1..0.9 "
        "> reason-sft.jsonl",
        "libra judge --model M --task rank pairs.jsonl | libra rs-filter --even label --report yield.json "
        "-o rank-sft.jsonl",
        "libra rs-filter --task general teacher.jsonl > general-sft.jsonl",
        "libra rs-filter --max-tokens 16384 --tokenizer Qwen/Qwen2.5-32B labelled.jsonl -o reason-sft.jsonl",
    ),
)
@option("--task", type=click.Choice(TASKS), help="Take rows as samples of this task. Default: as each row says.")
@option("--threshold", type=float, metavar="T",
        help="A score above T says correct. Default: 2 of 0 to 4, and 5 of 1 to 10.")  # fmt: skip
@option("--thinking", type=click.Choice(["require", "forbid", "any"]),
        help="Samples that think, do not, or either. Default: require, but of general.")  # fmt: skip
@option("--thinking-markers", multiple=True, type=Markers(), metavar="NAME|OPEN,CLOSE",
        help="What opens and closes the thinking; repeatable. Default: every known pair.")  # fmt: skip
@option("--min-tokens", type=click.IntRange(0), metavar="N", help="Drop shorter samples.")
@option("--max-tokens", type=click.IntRange(1), metavar="N", help="Drop longer samples, thinking included.")
@option("--tokenizer", metavar="NAME",
        help="Count tokens as this model does: a directory or a hub's name. Default: by n_tokens.")  # fmt: skip
@option("--template", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
        help="Prompt with {{slots}} in place of the task's own, which --task names.")  # fmt: skip
@option("--system", metavar="TEXT", help="System prompt of responses, as for libra rollout.")
@_choosing("--pass-rate", metavar="LO..HI", callback=_pass_rate,
           help="Only prompts of whose decided samples such a share is correct, both ends included.")  # fmt: skip
@_choosing("--per-prompt", type=click.IntRange(1), metavar="K", help="At most K samples of a prompt.")
@_choosing("--prefer", type=click.Choice(["shortest", "longest", "random", "diverse"]), default="random",
           help="Which ones. diverse: that share few runs of five words.")  # fmt: skip
@_choosing("--even", type=click.Choice(["label"]),
           help="As many samples of each label in a task: a judge learns no prior.")  # fmt: skip
@_choosing("--seed", type=click.IntRange(0), default=0, metavar="N", help="Another seed, another choice and order.")
@option("-j", "--jobs", type=click.IntRange(1), metavar="N", shapes_rows=False,
        help="Processes for rows without a label that need algebra. Default: one for each core.")  # fmt: skip
@option("--spool-dir", metavar="DIR", shapes_rows=False,
        help="Where rows wait that come through a pipe or compressed. Default: TMPDIR.")  # fmt: skip
@option("--report", metavar="FILE", shapes_rows=False, help="Write the yield and the reasons to FILE, as JSON.")
def command(run: Run, task: str | None, **options: Any) -> None:
    """Keep the generated samples that their task's rule accepts, as conversations to train on.

    Reads responses (of libra rollout, libra verify) and judgments (of libra judge), each vote of which is a sample.
    A response to a problem is correct by its `label`, or by rule where it has none and a `reference`. A judgment is
    correct where it agrees with the label (score, rate, verify), the preference (rank) or the best response (best).
    What cannot be decided is null: never kept, never counted as wrong. `general` rows (task general, or `messages` or
    `prompt` in place of a question) are not rejected.

    A correct sample must be complete (truncated), have an answer (no_response, no_answer), must not accept a response
    that is no answer (accepts_no_answer), and must think once, at its beginning (no_thinking, unopened_thinking,
    unclosed_thinking, several_thinking, thinking_not_first, has_thinking); then its length counts (too_short,
    too_long). Of the others, the same text for the same prompt is kept once (duplicate); then --pass-rate, --per-prompt
    and --even choose, in this order. The two orders of a pair, and all of a list, are one prompt; the label of a
    comparison is the place of the better one as it was shown.

    Each line has `messages`: the prompt as the model was asked, made again by the same code (or from --template), and
    all that it wrote, thinking included, byte for byte. A row that was asked with another prompt is refused. No field
    is null, and each is of one type: `id`, `task`, `label`, `model`, `source` (the sample's name) and `provenance`
    (JSON in a string) are strings.

    The output is the same bytes whatever the order of the input. The whole input is read first. About 70 bytes a sample
    are held in memory, 150 at most; the rows are read again from their file, or from an unnamed temporary file where
    they came through a pipe or were compressed.
    """
    run.options.check_names(options["report"])
    from libra_cli.answers.pool import Pool, cores
    from libra_cli.stages.rs_filter.choice import Limits
    from libra_cli.stages.rs_filter.run import Filtering
    from libra_cli.stages.rs_filter.samples import Reader
    from libra_cli.stages.verify.rule import Fields
    from libra_cli.stream.row_store import RowStore
    from libra_cli.tasks import thinking

    if options["prefer"] != "random" and options["per_prompt"] is None:
        raise click.UsageError(f"--prefer {options['prefer']} is about which --per-prompt K are kept; give that, too")
    pairs = [thinking.markers(text) for text in options["thinking_markers"]] or list(thinking.MARKERS.values())
    reader = Reader(_prompts(task, options["template"], options["system"]), task, options["threshold"], pairs)
    limits = Limits(options["pass_rate"], options["per_prompt"], options["prefer"], options["even"] == "label")
    fields = Fields("response", "reference", pairs)
    filtering = Filtering(run, reader, _checks(options, pairs), fields, limits, options["seed"])
    with Pool(options["jobs"] or cores()) as pool, RowStore(options["spool_dir"], "--spool-dir") as store:
        filtering.through(pool, store, options["report"])


def _checks(options: dict[str, Any], pairs: list[tuple[str, str]]) -> Checks:
    from libra_cli.stages.rs_filter.checks import UNASKED, Checks

    count = None
    if options["tokenizer"]:
        from libra_cli.engines.token_counts import counter

        count = counter(options["tokenizer"])
    return Checks(options["thinking"] or UNASKED, pairs, options["min_tokens"], options["max_tokens"], count)


def _prompts(task: str | None, path: str | None, system: str | None) -> Prompts:
    """Raises click.UsageError where the template at `path` cannot serve the task."""
    from libra_cli.sampling.run import prompt_text
    from libra_cli.stages.judge.judges import template_text
    from libra_cli.stages.rs_filter.prompts import Prompts
    from libra_cli.tasks import JUDGING

    if path is None:
        return Prompts(None, system)
    if task is None:
        raise click.UsageError("--template is the prompt of one task: name it with --task")
    try:
        return Prompts(template_text(path, task) if task in JUDGING else prompt_text(path), system)
    except ValueError as error:
        raise click.UsageError(f"--template {path}: {error}") from None
