"""Rows in, labels out: a session at the terminal, or a page of HTML that collects the labels in a browser."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.records.responses import ResponseFields
from libra_cli.stages.review import report
from libra_cli.stages.review.items import ReviewItems
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog


def review(
    paths: Sequence[str],
    fields: ResponseFields,
    *,
    only: str | None,
    output: str | None,
    html: str | None,
    blind: bool,
    reviewer: str | None,
) -> Exit:
    """Shows the responses in the rows of `paths`: writes the page `html`, or labels them into the file `output`.

    Returns SOME_ERRORS if some lines are no rows. Raises Fatal, with the status of its cause, if anything but the
    reviewer ends a session.
    """
    console = Console("review")
    errors = ErrorLog(None, "review", console)
    items = ReviewItems(paths, fields, only, lambda error, raw, place: errors.add(error, raw, place, None))
    console.note(report.rows_to_show(items))
    if html is not None:
        from libra_cli.stages.review.page import write_page

        write_page(items, html, blind)
    elif len(items):
        _label_at_terminal(items, str(output), console, blind, reviewer)
    return Exit.SOME_ERRORS if errors.kinds else Exit.DONE


def _label_at_terminal(items: ReviewItems, output: str, console: Console, blind: bool, reviewer: str | None) -> None:
    from libra_cli.stages.review.labels import LabelFile
    from libra_cli.stages.review.queue import ReviewQueue
    from libra_cli.stages.review.session import ReviewSession
    from libra_cli.stages.review.terminal import Terminal

    terminal = Terminal()
    with LabelFile(output, console.note) as labels:
        if not reviewer:
            try:
                reviewer = getpass.getuser()
            except (KeyError, OSError):
                raise Fatal(Exit.USAGE, "this user has no name; give --reviewer NAME") from None
        queue = ReviewQueue(items, labels, reviewer)
        with terminal:
            ReviewSession(items, queue, terminal, blind).run()
        summary = report.labels_given(queue)
        if terminal.status is not None:
            raise Fatal(terminal.status, summary)
        console.note(summary)
