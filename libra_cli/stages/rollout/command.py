"""`libra rollout`: responses to problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import stage
from libra_cli.cli.engine_options import engine_options, sampling_options
from libra_cli.cli.server_options import batch_options
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stream.run import Run


@option(
    "--system",
    metavar="TEXT",
    help="System prompt of all rows, which the chat template must have a turn for. It takes the place of a "
    "row's own; the empty text leaves that out. Default: the row's own, if it has one.",
)
@option(
    "--template",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    by_content=True,
    help="Prompt template to use instead of the built-in one: text with the names of fields in double braces, such as "
    "{{question}}.",
)
@option(
    "--duplicates",
    type=click.Choice(choices.ROLLOUT_DUPLICATES),
    default="refuse",
    shapes_rows=False,
    help="What to do with a row that has the id of an earlier row. refuse: treat it as an error (see --errors). drop: "
    "leave it out and count it.",
)
@option(
    "--dry-run",
    is_flag=True,
    shapes_rows=False,
    help="Print the first prompt as each model would receive it, with its token ids, and generate nothing.",
)
@sampling_options
@engine_options
@batch_options
def _rollout(
    run: Run, system: str | None, template: str | None, duplicates: str, dry_run: bool, **options: Any
) -> None:
    """Sample responses to problems from one or more models.

    Writes --samples rows for each problem and --model. `response` is the text after the thinking; `response_with_cot`
    is the full text. `response` is null if the text ends inside its thinking.

    A problem is a `question`, which the template shows, or, in rows without one, an array of messages as `prompt`,
    which is asked as it stands (the conversational form of TRL). The `system` (or `system_prompt`) of a row is its
    system prompt, unless --system gives another or the template shows it. `tools` and `chat_template_kwargs` of a row
    reach the chat template.

    With -o FILE, the same command continues after a stop, and a larger --samples or another --model adds the missing
    rows. The random seed of a sample depends on --seed, the row's id and the sample's number only, so shards, order and
    stops do not change what is sampled.
    """
    from libra_cli.sampling.options import EngineOptions, SamplingOptions
    from libra_cli.sampling.server_model import with_server_model
    from libra_cli.stages.rollout.run import Rollouts
    from libra_cli.tasks import slots

    engines, sampling = EngineOptions.take(options), SamplingOptions.take(options)
    try:
        text = None if template is None else slots.read_prompt(template)
    except ValueError as error:
        raise click.UsageError(f"--template {template}: {error}") from None
    engines = with_server_model(run, engines)
    rollouts = Rollouts(run, engines, sampling, text, system, drop_duplicates=duplicates == "drop")
    if dry_run:
        rollouts.show_first()
    else:
        rollouts.generate()


command = stage(
    "rollout",
    reads_in_words="question (or problem, prompt, instruction, query or input), or messages as prompt; the fields that "
    "--template shows; system; id if there is one",
    writes=(
        "id",
        "model",
        "sample",
        "response",
        "response_with_cot",
        "finish_reason",
        "n_tokens",
        "tool_calls",
        "provenance",
    ),
    names=("model", "sample"),
    examples=(
        "libra rollout --model libra-mini/strong -n 8 problems.jsonl > rollouts.jsonl",
        "libra rollout --model Qwen/QwQ-32B --tensor-parallel-size 4 -n 64 -o rollouts.jsonl problems.jsonl",
        "libra rollout --base-url http://localhost:8000/v1 --model Qwen/Qwen3-8B --no-thinking problems.jsonl",
        "libra rollout --model libra-mini/strong --dry-run problems.jsonl | jq -r .text",
    ),
)(_rollout)
