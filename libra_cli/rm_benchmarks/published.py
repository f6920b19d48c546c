"""The figures of the Libra paper (arXiv 2507.21645, tables 2 to 8; in published.json), and the rank of a report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from libra_cli.rm_benchmarks import BENCHMARKS
from libra_cli.rm_benchmarks.base import missing_group_notes

Row = dict[str, Any]

_DETAILS = {"rewardbench": "table8", "ppe-correctness": "table7", "rmb": "table6"}
"""The tables with sections for a column of Table 4, as far as the paper prints them."""


@cache
def tables() -> dict[str, Any]:
    """The tables as printed, in percent: `table2`, `table3` (counts), `table4`, `table6`, `table7`, `table8`."""
    text = files("libra_cli.rm_benchmarks").joinpath("published.json").read_text(encoding="utf-8")
    printed: dict[str, Any] = json.loads(text)
    return printed


def rank_all_among_published(reports: Iterable[Mapping[str, Any]]) -> tuple[list[Row], list[str]]:
    """The rows of `rank_among_published` for each report that the paper has figures for, and why not for the others."""
    ranked: list[Row] = []
    why_not: dict[str, None] = {}  # an ordered set: many judges of one benchmark are one reason
    for report in reports:
        try:
            ranked += rank_among_published(report)
        except ValueError as error:
            why_not[str(error)] = None
    return ranked, list(why_not)


def rank_among_published(report: Mapping[str, Any]) -> list[Row]:
    """Ranks `report` among the rows of the paper's Table 2 (Libra Bench) or Table 4, the best first.

    A row is {table, benchmark, rank, model, category, overall, overall_is, sections, yours}, its figures fractions; the
    row of `report` also has `notes` if it lacks groups. At equal figures the paper's row comes first; a report without
    an overall figure comes last, without a rank. Raises ValueError if the paper has no comparable figures.
    """
    name = report["benchmark"]
    if name == "rewardbench" and report.get("protocol") != "paper":
        raise ValueError("the paper's RewardBench figures are plain means of four sections: add --protocol paper")
    table, rows = _published_rows(name)
    sections = {section: figures["value"] for section, figures in report.get("sections", {}).items()}
    own: Row = {
        "model": report["judge"],
        "category": None,
        "overall": report.get("overall"),
        "sections": sections,
        "yours": True,
    }
    if notes := missing_group_notes(report.get("missing") or {}):
        own["notes"] = notes
    rows = sorted([*rows, own], key=lambda row: (row["overall"] is None, -(row["overall"] or 0.0), row["yours"]))
    ranks = [None if row["overall"] is None else rank for rank, row in enumerate(rows, 1)]
    head = {"table": table, "benchmark": name, "overall_is": BENCHMARKS[name].overall_is}
    return [{**head, "rank": rank, **row} for rank, row in zip(ranks, rows, strict=True)]


def _published_rows(benchmark: str) -> tuple[str, list[Row]]:
    """The name of the table, and its rows with a figure for `benchmark`."""
    if benchmark == "libra-bench":
        return "Table 2", [_row(row, row["overall"], row["sections"]) for row in tables()["table2"]]
    columns = tables()["table4"][0]["overall"]
    if benchmark not in columns:
        known = ", ".join(["libra-bench", *columns])
        raise ValueError(f"the paper has no figures of {benchmark} to set this against; it has those of {known}")
    details = {row["model"]: row["sections"] for row in tables().get(_DETAILS.get(benchmark, ""), ())}
    rows = [(row, row["overall"][benchmark]) for row in tables()["table4"]]
    return "Table 4", [_row(row, figure, details.get(row["model"], {})) for row, figure in rows if figure is not None]


def _row(row: Row, overall: float, sections: Mapping[str, float]) -> Row:
    """A published row with fractions of as many digits as the printed percentages: 81.7 is 0.817."""
    return {
        "model": row["model"],
        "category": row["category"],
        "overall": round(overall / 100, 4),
        "sections": {section: round(value / 100, 4) for section, value in sections.items()},
        "yours": False,
    }
