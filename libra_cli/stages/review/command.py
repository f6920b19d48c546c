"""`libra review`: a person labels responses, at a terminal or in a page."""

from __future__ import annotations

import sys
from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, plain
from libra_cli.cli.engine_options import Markers


@plain(
    "review",
    examples=(
        "libra review review.jsonl -o labels.jsonl && libra verify --labels labels.jsonl panel.jsonl > final.jsonl",
        "libra review --blind --reviewer ann -o ann.jsonl --only all labelled.jsonl",
        "libra review --html review.html review.jsonl",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@option("-o", "--output", metavar="FILE", help="Where the labels go; the same command again continues it.")
@option(
    "--html", metavar="FILE.html", help="Write a page that needs nothing else, instead of a review at the terminal."
)
@option("--only", type=click.Choice(choices.REVIEW_ROWS),
        help="disagreement: rows on which annotators disagree; undecided: other rows without a label; all: every row. "
        "Default: rows that need a person, which have no label and were not cut short.")  # fmt: skip
@option("--blind", is_flag=True, help="Hide who wrote a response, its extracted answer and all verdicts.")
@option("--reviewer", metavar="NAME", help="Who labels. Default: the login name.")
@option("--response-field", metavar="NAME", default="response", help="Where the response is, as for libra verify.")
@option("--reference-field", metavar="NAME", default="reference", help="Where the golden answer is.")
@option("--thinking-markers", metavar="NAME|OPEN,CLOSE", multiple=True, type=Markers(),
        help="Cut the thinking at these, as for libra verify; repeatable. Default: all known pairs.")  # fmt: skip
def command(inputs: tuple[str, ...], output: str | None, html: str | None, blind: bool, **options: Any) -> int:
    """Label responses by hand: those on which the rule and the models of libra verify disagree.

    FILE is what libra verify --review has written, or any rows with responses; without it, or as -, standard input,
    while keys come from the terminal all the same. The screen shows question, reference, final answer, the verdict of
    each annotator and how it ends, and the response from its end. y labels it correct, n wrong, s skips it, u undoes
    the last action, t writes a note, Tab shows the next text in full, arrows scroll, ? shows all keys, q quits. It
    needs 60x16 characters. Formulas are shown as their source, control characters as escapes.

    Each action is one line of the labels file, on disk before the next response is shown: id, model and sample of the
    row, the SHA-256 of the response that was seen, label 1, 0 or null (skipped, or only a note), note, reviewer, time.
    The last line of a row counts; undo takes the last line off, also one of an earlier session. The same command goes
    on with what nobody has seen, then with what was skipped. libra verify --labels merges the labels as the last word.

    The status is 0 where the reviewer quits or all is done, 2 where there is no terminal, 3 where rows could not be
    read, 11 where somebody else is writing the same labels.
    """
    if (output is None) == (html is None):
        raise click.UsageError("give -o FILE to label at this terminal, or --html FILE.html for a page")
    if html is not None and not html.endswith((".html", ".htm")):
        raise click.UsageError(f"--html {html}: name a file that ends in .html, so that no rows are overwritten")
    if not inputs and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("name the FILE that libra verify --review has written")
    from libra_cli.records.responses import ResponseFields
    from libra_cli.stages.review.run import review
    from libra_cli.tasks import thinking

    markers = [thinking.markers(text) for text in options["thinking_markers"]] or list(thinking.MARKERS.values())
    reference_field = options["reference_field"]
    fields = ResponseFields(options["response_field"], reference_field, markers)
    only, reviewer = options["only"], options["reviewer"]
    return review(inputs, fields, reference_field, only=only, output=output, html=html, blind=blind, reviewer=reviewer)
