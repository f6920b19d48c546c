"""`libra review`: a person labels responses, at a terminal or in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, plain
from libra_cli.cli.shared_options import cut_markers_option

if TYPE_CHECKING:
    from libra_cli.stages.review.items import ReviewItems
    from libra_cli.stream.console import Console
    from libra_cli.stream.error_log import ErrorLog


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
    metavar="FILE",
    help="Label at this terminal and write the labels to FILE. The same command continues FILE.",
)
@option(
    "--html",
    metavar="FILE.html",
    help="Instead of labelling at the terminal, write a self-contained web page to label in.",
)
@option(
    "--only",
    type=click.Choice(choices.REVIEW_ROWS),
    help="Rows to show. disagreement: rows on which annotators disagree. undecided: all other rows without a label. "
    "all: every row. Default: rows without a label whose response was not cut off.",
)
@option("--blind", is_flag=True, help="Hide the model's name, the extracted answer and all verdicts.")
@option("--reviewer", metavar="NAME", help="Name of the reviewer, written with each label. Default: the login name.")
@option("--response-field", metavar="NAME", default="response", help="Field with the response.")
@option("--reference-field", metavar="NAME", default="reference", help="Field with the reference answer.")
@cut_markers_option()
def command(inputs: tuple[str, ...], output: str | None, html: str | None, blind: bool, **options: Any) -> int:
    """Label responses by hand where the rule and the models of libra verify disagree.

    FILE is the output of libra verify --review, or any rows with responses. Without FILE, or with -, rows come from
    standard input; keys are still read from the terminal.

    The screen shows the question, reference, final answer, each annotator's verdict and how it ends, and the response
    from its end. Keys: y labels it correct, n wrong, s skips it, u undoes the last action, t adds a note, Tab shows the
    next text in full, arrows scroll, ? lists all keys, q quits. The terminal needs at least 60x16 characters. Formulas
    are shown as source, control characters as escapes.

    Each action appends one line to the labels file before the next response is shown: the row's id, model and sample,
    the SHA-256 of the response, label (1, 0, or null if skipped or only noted), note, reviewer and time. The last line
    of a row counts. Undo removes the last line, even one from an earlier session. The same command continues with rows
    that have not been shown, then with skipped ones. libra verify --labels merges the labels and lets them decide.

    The exit status is 0 if all is done or the reviewer quits, 2 without a terminal, 3 if rows could not be read, and 11
    if another process is writing the same labels.
    """
    if (output is None) == (html is None):
        raise click.UsageError("give -o FILE to label at this terminal, or --html FILE.html for a page")
    if html is not None and not html.endswith((".html", ".htm")):
        raise click.UsageError(f"--html {html}: name a file that ends in .html, so that no rows are overwritten")
    from libra_cli.stream.console import Console
    from libra_cli.stream.error_log import ErrorLog

    console = Console("review")
    refused = ErrorLog(None, "review", console)
    items = _items(inputs, refused, **options)
    console.note(_account(items))
    if html is not None:
        from libra_cli.stages.review.page import write_page

        write_page(items, html, blind)
    elif len(items):
        _at_terminal(items, str(output), console, blind, options["reviewer"])
    return _status(refused)


def _items(inputs: tuple[str, ...], refused: ErrorLog, **options: Any) -> ReviewItems:
    import sys

    from libra_cli.records.responses import ResponseFields
    from libra_cli.stages.review.items import ReviewItems
    from libra_cli.tasks import thinking

    if not inputs and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("name the FILE that libra verify --review has written")
    pairs = [thinking.markers(text) for text in options["thinking_markers"]] or list(thinking.MARKERS.values())
    fields = ResponseFields(options["response_field"], options["reference_field"], pairs)
    return ReviewItems(inputs, fields, options["reference_field"], options["only"],
                 lambda error, raw, where: refused.add(error, raw, where, None))  # fmt: skip


def _account(items: ReviewItems) -> str:
    """How many rows there are to see, and why others are not."""
    why = ", ".join(f"{reason} {count}" for reason, count in items.left_out.items() if count)
    hint = "; --only all shows every row" if items.left_out["a label"] else ""
    shown = "1 row" if len(items) == 1 else f"{len(items)} rows"
    return shown + (f"; not shown: {why}{hint}" if why else "")


def _at_terminal(items: ReviewItems, output: str, console: Console, blind: bool, reviewer: str | None) -> None:
    """A session; whatever ends it other than the reviewer is the status of the process."""
    from libra_cli.exits import Fatal
    from libra_cli.stages.review.labels import LabelFile
    from libra_cli.stages.review.queue import Queue
    from libra_cli.stages.review.run import Review
    from libra_cli.stages.review.terminal import Terminal

    terminal = Terminal()
    with LabelFile(output, console.note) as labels:
        queue = Queue(items, labels, reviewer or _login_name())
        with terminal:
            Review(items, queue, terminal, blind).run()
        counts, left = queue.counts, queue.total - queue.labelled
        done = f"{counts[1]} correct, {counts[0]} wrong, {left} without a label ({queue.skipped} skipped)"
        hint = "; the same command goes on" if left else ""
        if terminal.status is not None:
            raise Fatal(terminal.status, done + hint)
        console.note(done + hint)


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("this user has no name; give --reviewer NAME") from None


def _status(refused: ErrorLog) -> int:
    from libra_cli.exits import Exit

    return int(Exit.SOME_ERRORS if refused.kinds else Exit.DONE)
