"""`libra rs-filter`: rejection sampling (section 3 of the paper): of what was generated, that which is correct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import stage
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import (
    any_markers_option,
    asked_with_options,
    choice_seed_option,
    spool_dir_option,
    workers_option,
)
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.sampling.asked_prompts import Prompts
    from libra_cli.stages.rs_filter.checks import Checks
    from libra_cli.stream.run import Run


def _pass_rate(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    found = re.fullmatch(r"([01](?:\.[0-9]*)?|\.[0-9]+)\.\.([01](?:\.[0-9]*)?|\.[0-9]+)", value)
    low, high = (float(found[1]), float(found[2])) if found else (1.0, 0.0)
    if not 0 <= low <= high <= 1:
        raise click.BadParameter(f"{value!r} is not LO..HI with 0 <= LO <= HI <= 1 (0.1..0.9)")
    return low, high


def _selection(*names: str, **kwargs: Any) -> Any:
    return option(*names, group="Selection", **kwargs)


@stage(
    "rs-filter",
    reads_in_words="question, response_with_cot or response, and label or reference; of judged rows the fields that "
    "libra judge read and wrote; of general rows messages or prompt; if there are any: id, task, model, sample, "
    "finish_reason, n_tokens, provenance",
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
@option(
    "--task",
    type=click.Choice(choices.TASKS),
    help="Treat all rows as samples of this task. Default: as each row says.",
)
@option(
    "--threshold",
    type=NumberType(float),
    metavar="T",
    help="A judge calls a response correct if its vote is above T. Default: 2 for score, 5 for rate.",
)
@option(
    "--thinking",
    type=click.Choice(choices.THINKING_RULES),
    help="Keep only samples that think (require), only samples that do not (forbid), or both (any). Default: require; "
    "any for general.",
)
@any_markers_option("Markers by which the thinking in a sample is recognised")
@option("--min-tokens", type=NumberType(int, 0), metavar="N", help="Drop samples with fewer than N tokens.")
@option(
    "--max-tokens",
    type=NumberType(int, 1),
    metavar="N",
    help="Drop samples with more than N tokens, including their thinking.",
)
@option(
    "--tokenizer",
    metavar="NAME",
    help="Count tokens with the tokenizer of this model (a directory or a name on the Hugging Face hub). Default: take "
    "`n_tokens` of the row.",
)
@asked_with_options(
    "Prompt template with {{slots}} that the samples were asked with, if not the task's own. Needs --task."
)
@_selection(
    "--pass-rate",
    metavar="LO..HI",
    callback=_pass_rate,
    help="Keep only prompts for which the share of correct samples, among those with a verdict, is between LO and HI "
    "(both included). Default: all.",
)
@_selection(
    "--per-prompt", type=NumberType(int, 1), metavar="K", help="Keep at most K samples per prompt. Default: all."
)
@_selection(
    "--prefer",
    type=click.Choice(choices.PREFERENCES),
    default="random",
    help="Which K samples of a prompt --per-prompt keeps. diverse: those that have the fewest 5-word shingles in "
    "common.",
)
@_selection(
    "--even",
    type=click.Choice(choices.EVEN_BY),
    help="Keep equally many samples of each label within a task, so that a judge does not learn to prefer one.",
)
@choice_seed_option(group="Selection")
@workers_option("Worker processes for computer algebra, which rows without a label may need. Default: one per core.")
@spool_dir_option()
@option(
    "--report",
    writes="report",
    keys=("yield", "by", "pass_rate", "dropped"),
    metavar="FILE",
    shapes_rows=False,
    help="Write the yield, and the number of dropped samples by reason, to FILE as JSON.",
)
def command(run: Run, task: str | None, **options: Any) -> None:
    """Keep the correct samples (rejection sampling) as conversations to train on.

    A sample is a text that a model generated: a response in a row of libra rollout or libra verify, or one vote in a
    row of libra judge. A response is correct by its `label` or, in a row without one, if libra verify would call it
    correct by `reference`. A vote is correct if it agrees with the `label` (tasks score, rate, verify), the
    `preference` (rank) or the `best` response (best). A sample that cannot be decided is not kept, and not counted as
    incorrect. Samples of task general (rows with `task` general, or with `messages` or `prompt` instead of a
    question) have nothing to agree with; all of them count as correct.

    Correct samples are dropped, too, if they were truncated (truncated), have no text after the thinking (no_response),
    are a non-answer (no_answer), or judge a non-answer to be correct (accepts_no_answer; see libra judge --help); if
    they do not think exactly once, at their beginning (no_thinking, unopened_thinking, unclosed_thinking,
    several_thinking, thinking_not_first, has_thinking); for their length (too_short, too_long); or if they repeat
    another text for the same prompt (duplicate). Then --pass-rate, --per-prompt and --even select, in this order. Both
    orders of a pair are one prompt, as are all orders of a list. The label of a comparison is the place of the better
    response as shown.

    Each output row has `messages`: the prompt that the model received, rebuilt by the same code (or from --template),
    and everything that it wrote, thinking included, byte for byte. A row whose model received another prompt is
    refused. `id`, `task`, `label`, `model`, `source` (names the sample) and `provenance` (JSON as text) are strings,
    never null.

    The order of the input does not change the output. The whole input is read first, in little memory: about 70 bytes
    per sample are sorted in an unnamed temporary file, and the rows are read again from their files, or from such a
    file too if they came through a pipe or were compressed. Only --prefer diverse holds the texts of one prompt.
    """
    from libra_cli.answers.process.pool import Pool, cores
    from libra_cli.records.responses import ResponseFields
    from libra_cli.records.rule_labels import Labeller
    from libra_cli.stages.rs_filter.choice import SampleIndex, SampleLimits
    from libra_cli.stages.rs_filter.run import Filtering
    from libra_cli.stages.rs_filter.samples import SampleReader
    from libra_cli.stream.row_store import RowStore
    from libra_cli.tasks import thinking
    from libra_cli.tasks.grading import Grader
    from libra_cli.tasks.reason import REASON

    if options["prefer"] != "random" and options["per_prompt"] is None:
        raise click.UsageError(f"--prefer {options['prefer']} is about which --per-prompt K are kept; give that, too")
    pairs = [thinking.markers(text) for text in options["thinking_markers"]] or list(thinking.MARKERS.values())
    prompts = _prompts(task, options["template"], options["system"])
    reader = SampleReader(prompts, task, options["threshold"], pairs)
    limits = SampleLimits(options["pass_rate"], options["per_prompt"], options["prefer"], options["even"] == "label")
    checks, fields = _checks(options, pairs), ResponseFields("response", "reference", pairs)
    with Pool(options["workers"] or cores()) as pool, RowStore(options["spool_dir"], "--spool-dir") as store:
        labeller = Labeller(fields, Grader(REASON, pool), run.console.note)
        index = SampleIndex(options["seed"], options["spool_dir"])
        Filtering(run, reader, labeller, checks, limits, store, index).run(options["report"])


def _checks(options: dict[str, Any], pairs: list[tuple[str, str]]) -> Checks:
    from libra_cli.stages.rs_filter.checks import UNASKED, Checks

    count = None
    if options["tokenizer"]:
        from libra_cli.engines.token_counts import token_counter

        count = token_counter(options["tokenizer"])
    return Checks(options["thinking"] or UNASKED, pairs, options["min_tokens"], options["max_tokens"], count)


def _prompts(task: str | None, path: str | None, system: str | None) -> Prompts:
    """Raises click.UsageError if the template at `path` does not suit the task."""
    from libra_cli.sampling.asked_prompts import Prompts
    from libra_cli.tasks import JUDGING, slots

    if path is None:
        return Prompts(None, system)
    if task is None:
        raise click.UsageError("--template is the prompt of one task: name it with --task")
    try:
        text = slots.read_prompt(path, JUDGING[task].shows if task in JUDGING else None)
    except ValueError as error:
        raise click.UsageError(f"--template {path}: {error}") from None
    return Prompts(text, system)
