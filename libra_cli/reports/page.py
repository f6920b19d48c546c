"""The reports of `libra score` as one page of HTML that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any

from libra_cli.reports import page_charts, page_examples
from libra_cli.reports.layout import Line, ReportPart, Table, name_of, parts
from libra_cli.reports.page_text import text
from libra_cli.stream.files import replace_file

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Whatever a row may hold, a browser runs nothing and loads nothing."""


def write(reports: Mapping[str, Any], path: str) -> None:
    """Writes the page to `path`, whole or not at all; raises Fatal(2 or 74) where it cannot be written."""
    replace_file(path, render(reports).encode())


def render(reports: Mapping[str, Any]) -> str:
    """The page of {"reports", "comparisons", "published"?, "correlation"?}; `examples` of a report come last in it."""
    shown = parts(reports)
    anchors = [f"part-{number}" for number in range(1, len(shown) + 1)]
    links = "".join(f'<li><a href="#{to}">{text(part.title)}</a></li>' for to, part in zip(anchors, shown, strict=True))
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n' if len(shown) > 1 else ""
    bodies = "".join(_part(part, to, reports) for to, part in zip(anchors, shown, strict=True))
    title = _title(reports)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{_css()}</style>\n</head>\n"
        f"<body>\n<header><h1>{text(title)}</h1></header>\n{contents}<main>\n{bodies}</main>\n</body>\n</html>\n"
    )


def _title(reports: Mapping[str, Any]) -> str:
    found = reports.get("reports") or ()
    benchmarks = list(dict.fromkeys(str(report["benchmark"]) for report in found))
    judges = list(dict.fromkeys(map(name_of, found)))
    if not found:
        return "libra score"
    return f"{', '.join(benchmarks)}: {judges[0] if len(judges) == 1 else f'{len(judges)} judges'}"


def _part(part: ReportPart, anchor: str, reports: Mapping[str, Any]) -> str:
    charts = "".join(_charts(part, reports))
    figures = f'<div class="charts">{charts}</div>\n' if charts else ""
    examples = page_examples.section((part.report or {}).get("examples") or (), anchor)
    return (
        f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{text(part.title)}</h2>\n'
        f"{_facts(part)}{figures}{''.join(map(_table, part.tables))}{_notes(part)}{examples}</section>\n"
    )


def _charts(part: ReportPart, reports: Mapping[str, Any]) -> Iterator[str]:
    if part.report is not None:
        yield from page_charts.of_report(part.report)
    elif part.points:
        yield page_charts.scatter(reports["correlation"])
    elif part.compared:
        yield page_charts.differences(part.compared)
    elif part.reports:
        yield from page_charts.of_several(part.reports)


def _facts(part: ReportPart) -> str:
    rows = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in part.facts)
    return f"<dl>{rows}</dl>\n" if rows else ""


def _notes(part: ReportPart) -> str:
    return "".join(f'<p class="note">{text(note)}</p>\n' for note in part.notes)


def _table(table: Table) -> str:
    """In a box of its own, which can be scrolled with the keyboard, too, where it is wider than the window."""
    heads = "".join(f'<th scope="col"{_class(column.is_number)}>{text(column.name)}</th>' for column in table.columns)
    rows = "".join(_line(line, table) for line in table.lines)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(table.title)}">'
        f"<table><caption>{text(table.title)}</caption>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _line(line: Line, table: Table) -> str:
    """The first cell that is no number says what the line is about."""
    about = next((at for at, column in enumerate(table.columns) if not column.is_number), 0)
    cells = ""
    for at, (cell, column) in enumerate(zip(line.cells, table.columns, strict=True)):
        tag = 'th scope="row"' if at == about else "td"
        cells += f"<{tag}{_class(column.is_number)}>{text(cell)}</{tag[:2]}>"
    return f"<tr{' class=own' if line.stands_out else ''}>{cells}</tr>\n"


def _class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _css() -> str:
    return resources.files("libra_cli.reports").joinpath("page.css").read_text(encoding="utf-8")
