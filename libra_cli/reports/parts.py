"""All parts of what `libra score` and `libra report` show, in the order in which every renderer shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from libra_cli.reports.correlation_part import correlation_part
from libra_cli.reports.judge_tables import comparisons_part, judges_part, published_part
from libra_cli.reports.layout import Report, ReportPart
from libra_cli.reports.report_part import report_part
from libra_cli.reports.runs_part import runs_part


def parts(reports: Mapping[str, Any]) -> list[ReportPart]:
    """The parts of {"reports", "comparisons", "published"?, "correlation"?} or {"runs"}."""
    shown = []
    for several in _grouped(reports.get("reports") or (), "benchmark"):
        if len(several) > 1:
            shown.append(judges_part(several))
    if compared := reports.get("comparisons"):
        shown.append(comparisons_part(compared))
    shown += [report_part(report) for report in reports.get("reports") or ()]
    shown += [published_part(rows) for rows in _grouped(reports.get("published") or (), "benchmark", "table")]
    if correlation := reports.get("correlation"):
        shown.append(correlation_part(correlation))
    if runs := reports.get("runs"):
        shown.append(runs_part(runs))
    return shown


def _grouped(rows: Iterable[Report], *keys: str) -> list[list[Report]]:
    """Groups rows by the first of `keys` that they have, in order of appearance."""
    groups: dict[Any, list[Report]] = {}
    for row in rows:
        groups.setdefault(next((row[key] for key in keys if row.get(key)), None), []).append(row)
    return list(groups.values())
