"""`libra trace`: options and help."""

from __future__ import annotations

import click

from libra_cli.cli.command import plain
from libra_cli.cli.stage_options import option

EXAMPLES = (
    "libra trace ab608f726aeb8a16 problems.jsonl responses.jsonl labelled.jsonl bench.jsonl judged.jsonl",
    "libra trace ab608f726aeb8a16/Qwen/QwQ-32B/3 *.jsonl        # one response",
    "libra trace ab608f726aeb8a16 *.jsonl --json | jq -c 'select(.found | not)'",
)


@plain("trace", examples=EXAMPLES)
@click.argument("id", required=False, metavar="ID")
@click.argument("inputs", nargs=-1, metavar="FILE...")
@option("--json", is_flag=True, help="Write a JSON object for each step instead of text.")
def command(id: str | None, inputs: tuple[str, ...], json: bool) -> int:
    """Show what became of one record: which file has it, and what each stage made of it.

    ID is the id of a problem, or ID/MODEL/SAMPLE for one of its responses; of the id the beginning is enough, from four
    characters on, where only one record has it. The files may be those of all stages, in any
    order and form, --errors files among them: problems, responses, labels, judgments, training data. Each response is
    followed from where it was sampled to where it stops. A file that lacks it says why, as far as the manifest beside
    the file knows what its stage left out. Of a row that only repeats a label, in a file without a manifest, nothing
    tells the stage (`?`). Responses of rows without a sample are told apart by their text; a hash of it takes the place
    of SAMPLE where a model has several.

    Files are read once, and only rows about ID are kept. If nothing is about ID the status is 2.
    """
    if id is None or not inputs:
        raise click.UsageError("name the id of a record and the files to look in (libra trace ID FILE...)")
    from libra_cli.stages.trace.run import trace

    return trace(id, inputs, json)
