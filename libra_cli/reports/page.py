"""Reports as one self-contained page of HTML: no script, no network, no other file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from libra_cli.reports import page_charts, page_examples, run_curves
from libra_cli.reports.conclusion import conclusions
from libra_cli.reports.layout import ReportPart, Table, counted, kind_of, names_of, subject_of
from libra_cli.reports.page_text import text
from libra_cli.reports.parts import parts
from libra_cli.stream.files import replace_file

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser runs nothing and loads nothing, whatever a row holds."""
WIDTH_STEP = 2
"""Tables that need about the same width share the rules for a window that is too narrow, which are for steps of rem."""
REM_PER_CHARACTER, PADDING, LEAST_NUMBER, LEAST_TEXT = 0.58, 1.5, 4.5, 8.0
"""Widths in rem: of a bold letter, the sides of a number, and cells of a column of numbers and of text at least."""
SPARE = 1.6
"""What fonts may need more, in rem."""


def write(reports: Mapping[str, Any], path: str, made: str = "") -> None:
    """Writes the page to `path`, all of it or nothing; raises Fatal(2 or 74) if it cannot be written."""
    replace_file(path, render(reports, made=made).encode())


def render(
    reports: Mapping[str, Any], heading: str | None = None, first: Sequence[ReportPart] = (), made: str = ""
) -> str:
    """Renders the parts `first`, then those of `parts`; the `examples` of a report come last in it.

    `made` says at the end of the page when and how it was made.
    """
    shown = [*first, *parts(reports)]
    links = bodies = ""
    for number, part in enumerate(shown, 1):
        links += f'<li><a href="#part-{number}">{text(part.title)}</a></li>'
        bodies += _section(part, f"part-{number}", reports)
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n' if len(shown) > 1 else ""

    title = "libra score"
    if runs := reports.get("runs"):
        title = f"Training: {runs[0]['run'] if len(runs) == 1 else f'{len(runs)} runs'}"
    if of_judges := reports.get("reports"):
        benchmarks = list(dict.fromkeys(str(report["benchmark"]) for report in of_judges))
        of_each = ([one for one in of_judges if str(one["benchmark"]) == benchmark] for benchmark in benchmarks)
        named = {
            (kind_of(report), name): subject_of(report, name)
            for reports_of_one in of_each
            for report, name in zip(reports_of_one, names_of(reports_of_one), strict=True)
        }
        who = next(iter(named.values())) if len(named) == 1 else counted([kind for kind, _ in named])
        title = f"{', '.join(benchmarks)}: {who}"
    title = heading or title
    lead = "".join(f'<p class="lead">{text(sentence)}</p>\n' for sentence in conclusions(reports))
    footer = f'<footer><p class="note">{text(made)}</p></footer>\n' if made else ""
    stacking = _stacking(table for part in shown for table in part.tables)
    css = resources.files("libra_cli.reports").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{css}{stacking}</style>\n</head>\n"
        f"<body>\n<header><h1>{text(title)}</h1>\n{lead}</header>\n{contents}<main>\n{bodies}</main>\n{footer}"
        "</body>\n</html>\n"
    )


def _section(part: ReportPart, anchor: str, reports: Mapping[str, Any]) -> str:
    facts = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in part.facts)
    if part.report is not None:
        charts = "".join(page_charts.of_report(part.report))
    elif part.points:
        charts = page_charts.scatter(reports["correlation"])
    elif part.runs:
        charts = "".join(run_curves.charts(part.runs))
    elif part.compared:
        charts = page_charts.differences(part.compared)
    else:
        charts = "".join(page_charts.of_several(part.reports)) if part.reports else ""
    return (
        f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{text(part.title)}</h2>\n'
        + (f"<dl>{facts}</dl>\n" if facts else "")
        + (f'<div class="charts">{charts}</div>\n' if charts else "")
        + "".join(map(_table, part.tables))
        + "".join(f'<p class="note">{text(note)}</p>\n' for note in part.notes)
        + page_examples.section((part.report or {}).get("examples") or (), anchor, _wrong(part.report))
        + "".join(page_examples.differing(one, f"{anchor}-{at}") for at, one in enumerate(part.compared))
        + "</section>\n"
    )


def _wrong(report: Mapping[str, Any] | None) -> int | None:
    """The number of wrong verdicts of a report on single responses; None for other reports."""
    cells = (report or {}).get("confusion")
    return cells["fp"] + cells["fn"] if cells else None


def _table(table: Table) -> str:
    """A table; in a window that is too narrow for it each row is a list of its cells with their names.

    The first column of text is the heading of its row. The roles stand for what a list would lose.
    """
    classes = [' class="number"' if column.is_number else "" for column in table.columns]
    heads = "".join(
        f'<th scope="col" role="columnheader"{of_column}>{text(column.name)}</th>'
        for column, of_column in zip(table.columns, classes, strict=True)
    )
    heading = next((at for at, column in enumerate(table.columns) if not column.is_number), 0)
    rows = ""
    for line in table.lines:
        cells = ""
        for at, (cell, of_column) in enumerate(zip(line.cells, classes, strict=True)):
            tag = 'th scope="row" role="rowheader"' if at == heading else 'td role="cell"'
            cells += f'<{tag}{of_column} data-name="{text(table.columns[at].name)}">{text(cell)}</{tag[:2]}>'
        rows += f'<tr role="row"{" class=own" if line.stands_out else ""}>{cells}</tr>\n'
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(table.title)}">'
        f'<table role="table" class="needs{_rem_needed(table)}"><caption>{text(table.title)}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>\n'
        f'<tbody role="rowgroup">{rows}</tbody></table></div>\n'
    )


def _rem_needed(table: Table) -> int:
    """The least width of a table in rem, rounded up to a multiple of WIDTH_STEP."""
    rem = 0.0
    for at, column in enumerate(table.columns):
        if column.is_number:
            words = [*column.name.split(), *(line.cells[at] for line in table.lines)]
            rem += max(LEAST_NUMBER, REM_PER_CHARACTER * max(map(len, words), default=0) + PADDING)
        else:
            rem += LEAST_TEXT
    return math.ceil((rem + SPARE) / WIDTH_STEP) * WIDTH_STEP


def _stacking(tables: Iterable[Table]) -> str:
    """The rules by which tables become lists where they have no room."""
    needed = sorted(set(map(_rem_needed, tables)))
    rules = resources.files("libra_cli.reports").joinpath("page_stacked.css").read_text(encoding="utf-8")
    return "".join(
        f"@container (max-width: {rem}rem) {{\n{rules.replace('TABLE', f'.needs{rem}')}}}\n" for rem in needed
    )
