"""The form of a shown report, independent of the renderer: parts with facts, tables and notes, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.stream.text_table import Column as Column

Report = Mapping[str, Any]

MAX_SECTION_COLUMNS = 8
"""A table with sections as columns shows only the overall figure of a benchmark with more of them."""
NAME_CHARS = 36
"""Characters of a name in a chart, at most."""


@dataclass(frozen=True)
class Line:
    """One line of a table: the unescaped text of a cell for each column."""

    cells: tuple[str, ...]
    stands_out: bool = False
    """It sums up the others, or is the user's own among published ones."""


@dataclass(frozen=True)
class Table:
    """A table with its caption."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ReportPart:
    """The content under one heading: named facts, tables, then notes."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()
    """What the tables come to, above them; a page has it at its top."""
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    report: Report | None = None
    """The report that the part shows, for its charts."""
    reports: Sequence[Report] = ()
    """The reports that the part shows side by side."""
    compared: Sequence[Report] = ()
    """The comparisons that the part shows."""
    points: Sequence[Report] = ()
    """The points of a correlation."""
    runs: Sequence[Report] = ()
    """The training runs whose curves the part shows."""


def name_of(report: Report) -> str:
    """The name of a report: its judge, or else its file."""
    return str(report.get("judge") or report.get("file") or "predictions")


def kind_of(report: Report) -> str:
    """What a report is on: a policy whose samples were verified, or a judge."""
    return "policy" if report.get("pass@k") else "judge"


def counted(kinds: Sequence[str]) -> str:
    """How many judges and policies there are, in words."""
    several = {"judge": "judges", "policy": "policies"}
    ns = {kind: kinds.count(kind) for kind in several}
    return ", ".join(f"{n} {kind if n == 1 else several[kind]}" for kind, n in ns.items() if n)


def subject_of(report: Report, name: str) -> str:
    """The name of a report in a title or sentence, where judges and policies stand beside each other."""
    return f"policy {name}" if kind_of(report) == "policy" else name


def names_of(reports: Sequence[Report]) -> list[str]:
    """A name for each report, with its file if two reports share a name."""
    names = [name_of(report) for report in reports]
    return [
        f"{name} ({report['file']})" if names.count(name) > 1 and report.get("file") else name
        for name, report in zip(names, reports, strict=True)
    ]


def clipped(name: str) -> str:
    """A name that fits in a chart; keeps its end, where names of models differ."""
    return name if len(name) <= NAME_CHARS else "…" + name[1 - NAME_CHARS :]


def metric_of(report: Report) -> str:
    """The metric of the sections of a report, in words."""
    return str(report.get("metric") or "accuracy").replace("_", " ")


def overall_name(report: Report) -> str:
    """What the overall figure of a report is called: mean (of sections) or pooled."""
    return str(report["overall_is"])


def overall_of(report: Report) -> dict[str, Any]:
    """The overall figure of a report in the form of a section: {value, interval}."""
    return {"value": report.get("overall"), "interval": report.get("interval")}


def section_names(reports: Iterable[Report]) -> list[str]:
    """The names of all sections, in order of appearance."""
    return list(dict.fromkeys(name for report in reports for name in report.get("sections") or {}))


def notes_of(report: Report) -> tuple[str, ...]:
    """The notes of a report."""
    return tuple(map(str, report.get("notes") or ()))
