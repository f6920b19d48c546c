"""The parts that set judges side by side, compare two of them, or rank one among published figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libra_cli.reports.conclusion import findings
from libra_cli.reports.figures import NOTHING, count, decimals, interval, interval_of, p_value, percent, points
from libra_cli.reports.layout import (
    MAX_SECTION_COLUMNS,
    Column,
    Line,
    Report,
    ReportPart,
    Table,
    kind_of,
    names_of,
    notes_of,
    overall_name,
    section_names,
)

HOW_TO_READ_COMPARISONS = (
    "The difference is that of a over b, in percentage points, on the items that both have; one that is smaller "
    "than the detectable one would mostly go unseen in a set of this size (power 80%, level 5%). A judge is called "
    "better if both p are at most 0.05, adjusted for all comparisons here (Holm)."
)


def judges_part(reports: Sequence[Report]) -> ReportPart:
    """A line for each judge of one benchmark."""
    names = _section_columns(reports)
    title = "policies" if kind_of(reports[0]) == "policy" else "judges"
    has_f1 = any(report.get("macro_f1") is not None for report in reports)
    columns = [Column(kind_of(reports[0]), False), Column("null"), *(Column(name, spare=1) for name in names)]
    columns += [
        Column(f"{overall_name(reports[0])} %"),
        Column("95% interval"),
        *([Column("macro F1")] if has_f1 else []),
    ]
    lines = []
    for judge, report in zip(names_of(reports), reports, strict=True):
        cells = [judge, count(report.get("n_null", 0))]
        cells += [percent(report["sections"].get(name, {}).get("value")) for name in names]
        cells += [percent(report.get("overall")), interval_of(report, report.get("overall"), report)]
        if has_f1:
            cells.append(decimals(report.get("macro_f1")))
        lines.append(Line(tuple(cells)))
    table = Table(title.capitalize(), tuple(columns), tuple(lines))
    return ReportPart(f"{reports[0]['benchmark']}: {len(reports)} {title}", tables=(table,), reports=reports)


def comparisons_part(compared: Sequence[Report]) -> ReportPart:
    """A line for each comparison of two judges."""
    columns = (
        Column("a", False),
        Column("b", False),
        Column("n"),
        Column("a - b"),
        Column("95% interval"),
        Column("p bootstrap", spare=1),
        Column("p McNemar"),
        Column("detectable"),
    )
    lines = []
    for comparison in compared:
        mcnemar = comparison.get("mcnemar") or {}
        cells = (
            str(comparison["a"]),
            str(comparison["b"]),
            count(comparison.get("n")),
            points(comparison.get("difference")),
            interval(comparison.get("interval")),
            p_value(comparison.get("p_bootstrap")),
            p_value(mcnemar.get("p")),
            percent(comparison.get("detectable_difference")),
        )
        lines.append(Line(cells))
    notes = [f"{one['a']} and {one['b']}: {note}" for one in compared for note in one.get("notes") or ()]
    table = Table("Differences", columns, tuple(lines))
    return ReportPart(
        "Comparisons",
        findings=tuple(findings(compared)),
        tables=(table,),
        notes=(HOW_TO_READ_COMPARISONS, *notes),
        compared=compared,
    )


def published_part(rows: Sequence[Report]) -> ReportPart:
    """A line for each row of the paper, and for each of the user's at its rank; equal rows are shown once."""
    distinct: dict[Any, Report] = {}
    for row in rows:
        is_own = bool(row.get("yours"))
        # Own rows may share a name, so their figures tell them apart.
        figures = (row["overall"], *sorted(row["sections"].items())) if is_own else ()
        distinct[(row["model"], is_own, *figures)] = row
    ranked = sorted(distinct.values(), key=lambda row: (row["overall"] is None, -(row["overall"] or 0.0)))
    names = _section_columns(row for row in ranked if not row.get("yours"))
    sections = [Column(name, spare=1) for name in names]
    columns = (
        Column("rank"),
        Column("model", False),
        Column("kind", False, 2),
        *sections,
        Column(f"{overall_name(rows[0])} %"),
    )
    lines = []
    for rank, row in enumerate(ranked, 1):
        values = [percent(row["sections"].get(name)) for name in names]
        shown_rank = count(rank) if row["overall"] is not None else NOTHING
        model = f"{row['model']} (yours)" if row.get("yours") else row["model"]
        cells = shown_rank, model, row.get("category") or NOTHING, *values, percent(row["overall"])
        lines.append(Line(cells, bool(row.get("yours"))))
    benchmark = rows[0].get("benchmark")
    title = f"{rows[0]['table']} of the Libra paper (arXiv 2507.21645)" + (f": {benchmark}" if benchmark else "")
    notes = tuple(f"{row['model']} (yours): {note}" for row in ranked for note in notes_of(row))
    return ReportPart(title, tables=(Table("Published figures", columns, tuple(lines)),), notes=notes)


def _section_columns(rows: Iterable[Report]) -> list[str]:
    """The sections that get a column; none if there are too many."""
    names = section_names(rows)
    return names if len(names) <= MAX_SECTION_COLUMNS else []
