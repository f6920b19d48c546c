"""Reports to where they are asked for: a table, JSON, Markdown, LaTeX, a plot, a page."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import click

from libra_cli.stream.options import StreamOptions
from libra_cli.stream.sinks import replace_file

FORMS = ("json", "markdown", "latex")
PIPED_WIDTH = 120
"""Columns of a table that nobody watches; $COLUMNS says otherwise."""


@dataclass(frozen=True)
class Outputs:
    """What is written, and where."""

    form: str
    """One of FORMS, or table."""
    output: str | None
    plot: str | None
    html: str | None

    @classmethod
    def take(cls, options: dict[str, Any]) -> Outputs:
        """Takes its options out of `options`; UsageError where they do not go together."""
        chosen = [form for form in FORMS if options.pop(form)]
        if len(chosen) > 1:
            raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} are two outputs; give one of them")
        plot, html = options.pop("plot"), options.pop("html")
        if plot is not None:
            from libra_cli.reports import plots

            plots.check(plot)
        if html is not None and not html.endswith((".html", ".htm")):
            raise click.UsageError(f"--html {html}: name a file that ends in .html")
        return cls(chosen[0] if chosen else "table", options.pop("output"), plot, html)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that is written."""
        return tuple(name for name in (self.output, self.plot, self.html) if name not in (None, "-"))

    def write(self, found: Mapping[str, Any]) -> None:
        """Writes {"reports", "comparisons", "published"?} or {"correlation"}; raises Fatal(74) where it cannot."""
        if self.plot is not None:
            from libra_cli.reports import plots

            plots.write(found, self.plot)
        if self.html is not None:
            from libra_cli.reports import page

            page.write(found, self.html)
        text = self._text(found)
        if self.output not in (None, "-"):
            replace_file(str(self.output), text.encode())
        else:
            click.echo(text, nl=False)

    def _text(self, found: Mapping[str, Any]) -> str:
        if self.form == "json":
            return as_json(found)
        if self.form == "markdown":
            from libra_cli.reports import markdown

            return markdown.render(found)
        if self.form == "latex":
            from libra_cli.reports import latex

            return latex.render(found)
        return as_table(found, self.output in (None, "-") and sys.stdout.isatty())


def check_inputs(inputs: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Raises UsageError where there is no input, Fatal(2) where a file would be read and written, or written twice."""
    if not inputs and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("there is no input: name a file, or pipe rows in (libra score FILE)")
    StreamOptions(inputs=inputs).check_names(*files)


def as_json(found: Mapping[str, Any]) -> str:
    """One object: the report or the correlation itself where there is one, {"reports", "comparisons"} otherwise."""
    import orjson

    reports = found.get("reports", ())
    whole = found.get("correlation") or found
    if len(reports) == 1:
        published = {"published": found["published"]} if "published" in found else {}
        whole = {**_without_examples(reports[0]), **published}
    elif reports:
        whole = {**found, "reports": [_without_examples(report) for report in reports]}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n"


def _without_examples(report: Mapping[str, Any]) -> dict[str, Any]:
    """They are for the page, and have texts of rows in them: JSON is the same whether there is a page or not."""
    return {name: value for name, value in report.items() if name != "examples"}


def as_table(found: Mapping[str, Any], on_terminal: bool) -> str:
    """Tables of the width of the terminal, with its bold text where there is one."""
    from rich.console import Console

    from libra_cli.reports import table

    default = shutil.get_terminal_size().columns if on_terminal else int(os.environ.get("COLUMNS") or PIPED_WIDTH)
    text = StringIO()
    is_dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    console = Console(file=text, width=default, force_terminal=on_terminal and not is_dumb,
                      color_system="standard" if on_terminal and not is_dumb else None,
                      highlight=False, legacy_windows=False)  # fmt: skip
    table.render(found, console)
    return text.getvalue()
