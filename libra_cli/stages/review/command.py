"""`libra review`: a person labels responses, at a terminal or in a page."""

from __future__ import annotations

import sys
from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import plain
from libra_cli.cli.shared_options import any_markers_option
from libra_cli.cli.stage_options import option


@plain(
    "review",
    examples=(
        "libra review review.jsonl -o labels.jsonl && libra verify --labels labels.jsonl panel.jsonl > final.jsonl",
        "libra review --blind --reviewer ann -o ann.jsonl --only all labelled.jsonl",
        "libra review --html review.html review.jsonl",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option(
    "-o",
    "--output",
    writes="labels",
    metavar="FILE",
    help="Label at this terminal and write the labels to FILE. The same command continues FILE.",
)
@option(
    "--html",
    writes="page",
    metavar="FILE.html",
    help="Instead of labelling at the terminal, write a self-contained web page to label in.",
)
@option(
    "--only",
    type=click.Choice(choices.REVIEW_ROWS),
    help="Rows to show. disagreement: undecided rows on which annotators disagree, with each other or with the rule. "
    "undecided: rows that are undecided for another reason. all: every row, labelled or not. Default: disagreement and "
    "undecided together, without truncated responses.",
)
@option("--blind", is_flag=True, help="Hide the model's name, the extracted answer and all verdicts.")
@option("--reviewer", metavar="NAME", help="Name of the reviewer, written with each label. Default: the login name.")
@option(
    "--response-field", metavar="NAME", default="response", help="Field with the response (choices.0.text: a part)."
)
@option(
    "--reference-field",
    metavar="NAME",
    default="reference",
    help="Field with the reference answer; with dots, a part of one.",
)
@any_markers_option()
def command(inputs: tuple[str, ...], output: str | None, html: str | None, blind: bool, **options: Any) -> int:
    """Label by hand the responses that libra verify left undecided.

    FILE is the output of libra verify --review, or any rows with responses. Without FILE, or with -, rows come from
    standard input; keys are still read from the terminal.

    The screen shows the question, the reference, the final answer, the verdict of each annotator with the end of its
    text, and the response from its end. Keys: y labels it correct, n incorrect, s skips it, u undoes the last action, t
    adds a note, Tab shows the next text in full, arrows scroll, ? lists all keys, q quits. The terminal needs at least
    60x16 characters. Formulas are shown as source, control characters as escapes.

    Each action appends one line to the labels file before the next response is shown: the row's id, model and sample,
    the SHA-256 of the response, label (1, 0, or null if it was skipped or only got a note), note, reviewer and time. If
    a row has several lines, the last one counts. Undo removes the last line, even one from an earlier session. The same
    command continues with rows that have not been shown, then with skipped ones. libra verify --labels merges the
    labels and lets them decide.

    The exit status is 0 if all is done or the reviewer quits, 2 without a terminal, 3 if rows could not be read, and 11
    if another process is writing the same labels.
    """
    if (output is None) == (html is None):
        raise click.UsageError("give -o FILE to label at this terminal, or --html FILE.html for a page")
    if html is not None and not html.endswith((".html", ".htm")):
        raise click.UsageError(f"--html {html}: name a file that ends in .html, so that no rows are overwritten")
    if not inputs and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("name the FILE that libra verify --review has written")
    from libra_cli.answers.time_limit import HARD_SECONDS, time_limit
    from libra_cli.records.responses import BY_OPTION, ResponseFields
    from libra_cli.stages.review.run import review
    from libra_cli.tasks import thinking

    markers = [thinking.markers(text) for text in options["thinking_markers"]] or list(thinking.MARKERS.values())
    fields = ResponseFields(options["response_field"], options["reference_field"], markers, BY_OPTION)
    only, reviewer = options["only"], options["reviewer"]
    with time_limit(HARD_SECONDS):
        return review(inputs, fields, only=only, output=output, html=html, blind=blind, reviewer=reviewer)
