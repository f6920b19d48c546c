"""Writes reports in the forms asked for: a table, JSON, Markdown, LaTeX, a plot, a page."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from libra_cli import __version__
from libra_cli.masking import masked
from libra_cli.stream.files import replace_file
from libra_cli.stream.text_width import text_width

if TYPE_CHECKING:
    from libra_cli.reports.layout import ReportPart

FORMS = ("json", "markdown", "latex")


@dataclass(frozen=True)
class Outputs:
    """The outputs to write, and their files."""

    form: str
    """One of FORMS, or table."""
    output: str | None
    plot: str | None
    html: str | None

    @classmethod
    def take(cls, options: dict[str, Any]) -> Outputs:
        """Removes the output options from `options`; raises UsageError if they contradict each other."""
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

    def write(self, reports: Mapping[str, Any]) -> None:
        """Writes {"reports", "comparisons", "published"?}, {"correlation"} or {"runs"}; raises Fatal(74)."""
        if self.plot is not None:
            from libra_cli.reports import plots

            plots.write(reports, self.plot)
        if self.html is not None:
            from libra_cli.reports import page

            page.write(reports, self.html, _made())
        if self.form == "json":
            text = as_json(reports)
        elif self.form == "markdown":
            from libra_cli.reports import markdown

            text = markdown.render(reports)
        elif self.form == "latex":
            from libra_cli.reports import latex

            text = latex.render(reports)
        else:
            text = as_table(reports, self.output)
        if self.output not in (None, "-"):
            replace_file(str(self.output), text.encode())
        else:
            click.echo(text, nl=False)


def _made() -> str:
    """When, by which version and by which command a page is made."""
    import shlex
    from datetime import datetime, timezone

    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"Made by libra {__version__} on {now}: {masked(shlex.join(['libra', *sys.argv[1:]]))}"


def check_inputs(stage: str, inputs: tuple[str, ...]) -> None:
    """Raises UsageError without input."""
    if not inputs and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(f"there is no input: name a file, or pipe rows in (libra {stage} FILE)")


def as_json(reports: Mapping[str, Any]) -> str:
    """One object: a single report or correlation itself, otherwise {"reports", "comparisons"} or {"runs"}.

    Without examples and curves: they are for the page, and JSON is the same whether a page is written or not.
    """
    import orjson

    several = [
        {name: value for name, value in report.items() if name != "examples"} for report in reports.get("reports", ())
    ]
    compared = [
        {name: value for name, value in one.items() if name != "differing"} for one in reports.get("comparisons", ())
    ]
    whole = reports.get("correlation") or reports
    if "runs" in reports:
        whole = {"runs": [{name: value for name, value in run.items() if name != "curves"} for run in reports["runs"]]}
    if len(several) == 1:
        published = {"published": reports["published"]} if "published" in reports else {}
        whole = {**several[0], **published}
    elif several:
        whole = {**reports, "reports": several, "comparisons": compared}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n"


def as_table(reports: Mapping[str, Any], output: str | None) -> str:
    """Tables as `laid_out`, for stdout (None or -) or a file; those for a file are kept beside it if that is wanted."""
    from libra_cli.reports.kept import keep
    from libra_cli.reports.parts import parts

    shown, on_stdout = parts(reports), output in (None, "-")
    text = laid_out(shown, on_stdout)
    if not on_stdout:
        keep(shown, text)
    return text


def laid_out(parts: Sequence[ReportPart], on_stdout: bool) -> str:
    """Tables as wide as `text_width` has it for stdout or a file, with bold text on a terminal."""
    from rich.console import Console

    from libra_cli.reports import table

    text, on_terminal = StringIO(), on_stdout and sys.stdout.isatty()
    is_dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    console = Console(
        file=text,
        width=text_width(1 if on_stdout else None),
        force_terminal=on_terminal and not is_dumb,
        color_system="standard" if on_terminal and not is_dumb else None,
        highlight=False,
        legacy_windows=False,
    )
    table.render(parts, console)
    return text.getvalue()
