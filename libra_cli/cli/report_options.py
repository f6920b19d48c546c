"""Options of the stages that report: what is written, in which form, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libra_cli.cli.stage_options import option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def output_options(page: str) -> Decorator:
    """Adds the options for the output of a report; `page` says what its web page has."""
    decorators = (
        option(
            "-o",
            "--output",
            writes="result",
            metavar="FILE",
            help="Write the report to FILE instead of standard output.",
        ),
        option(
            "--json", is_flag=True, help="Write one JSON object with unrounded numbers, instead of tables for people."
        ),
        option("--markdown", is_flag=True, help="Write Markdown tables, instead of those for people."),
        option("--latex", is_flag=True, help="Write LaTeX tables (booktabs), instead of those for people."),
        option("--html", writes="page", metavar="FILE.html", help=f"Also write a self-contained web page with {page}."),
        option(
            "--plot",
            writes="plot",
            metavar="FILE.png|svg|pdf",
            help="Also draw the plots to a file; its suffix gives the format. Needs libra-cli[plot].",
        ),
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for add in reversed(decorators):
            function = add(function)
        return function

    return decorate
