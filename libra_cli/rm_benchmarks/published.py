"""The figures that the Libra paper prints (arXiv 2507.21645, tables 2 to 8), and a report set among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from libra_cli.rm_benchmarks.base import missing_group_notes

Row = dict[str, Any]

_DETAILS = {"rewardbench": "table8", "ppe-correctness": "table7", "rmb": "table6"}
"""Where the sections of a column of Table 4 are, as far as the paper has them."""


@cache
def tables() -> dict[str, Any]:
    """The tables as printed, in percent: `table2`, `table3` (counts), `table4`, `table6`, `table7`, `table8`."""
    text = files("libra_cli.rm_benchmarks").joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def rank_among_published(report: Mapping[str, Any]) -> list[Row]:
    """The row of `report` among those of the paper's Table 2 (Libra Bench) or Table 4, the best first.

    A row is {table, benchmark, rank, model, category, overall, sections, yours}, its figures fractions, and `notes` on
    yours where it lacks rows; a report without an overall figure comes last, without a rank. Raises ValueError where
    the paper has no comparable figures.
    """
    name = report["benchmark"]
    if name == "rewardbench" and report.get("protocol") != "paper":
        raise ValueError("the paper's RewardBench figures are plain means of four sections: add --protocol paper")
    table, rows = _published(name)
    sections = {section: figures["value"] for section, figures in report.get("sections", {}).items()}
    yours = {"model": report["judge"], "category": None, "overall": report.get("overall"), "sections": sections}
    notes = missing_group_notes(report.get("missing") or {})
    ranked = sorted([*rows, {**yours, "yours": True, **({"notes": notes} if notes else {})}], key=_best_first)
    has_rank = [row["overall"] is not None for row in ranked]
    place = {"table": table, "benchmark": name}
    return [{**place, "rank": at if has_rank[at - 1] else None, **row} for at, row in enumerate(ranked, 1)]


def _best_first(row: Row) -> tuple[bool, float, bool]:
    """At the same figure the paper's row comes first."""
    return row["overall"] is None, -(row["overall"] or 0.0), row["yours"]


def _published(benchmark: str) -> tuple[str, list[Row]]:
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
    fractions = {section: _fraction(value) for section, value in sections.items()}
    return {
        "model": row["model"],
        "category": row["category"],
        "overall": _fraction(overall),
        "sections": fractions,
        "yours": False,
    }


def _fraction(percent: float) -> float:
    """The printed figure as a fraction of as many digits: 81.7 is 0.817."""
    return round(percent / 100, 4)
