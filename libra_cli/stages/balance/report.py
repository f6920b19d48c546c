"""What `libra balance` reports: the cells that cannot be filled, and the census (Table 1 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from libra_cli.stages.balance.quota import CORRECT, INCORRECT, LABELS, Cell, CellLimits, n_problems
from libra_cli.stream.run import Run
from libra_cli.stream.text_table import render_table

NAMES = {CORRECT: "correct", INCORRECT: "incorrect"}


def announce(run: Run, cells: Sequence[Cell], limits: CellLimits) -> None:
    """Names the cells that cannot be filled, and counts the rows left out of all cells."""
    for cell in cells:
        missing = shortage(cell, limits)
        if missing is not None:
            run.console.note(missing, event="short", subset=cell.subset, model=cell.model)
        for reason, count in cell.left_out.items():
            run.leave_out(reason, count)
    if cells and not any(cell.kept for cell in cells):
        hint = "sample more responses, or from other models (libra rollout -n, --model)"
        run.console.note(f"nothing is kept: no model has correct and incorrect responses in one subset; {hint}")


def shortage(cell: Cell, limits: CellLimits) -> str | None:
    """Says what keeps a cell from its target or empty; None if nothing does."""
    missing = [f"{cell.short[label]:,} short of {cell.target:,} {NAMES[label]}" for label in NAMES if cell.short[label]]
    if cell.kept and not missing:
        return None
    within = f" (at most {limits.per_problem} to a problem)" if limits.per_problem else ""
    eligible = ", ".join(f"{cell.eligible[label]:,} {NAMES[label]}" for label in NAMES)
    lacks = ": " + " and ".join(missing) if missing else ""
    return f"{cell.subset} / {cell.model}: {eligible}{within}{lacks}; keeping {cell.kept:,} of each"


def census(cells: Sequence[Cell]) -> dict[str, Any]:
    """Problems and samples in total, of each subset, and of each model in it; `cells` are sorted by subset."""
    subsets = []
    for subset, group in groupby(cells, key=lambda cell: cell.subset):
        members = list(group)
        subsets.append({"subset": subset, **_size(members), "models": [_model(cell) for cell in members]})
    return {**_size(cells), "subsets": subsets}


def _size(cells: Sequence[Cell]) -> dict[str, Any]:
    """Counts each problem once, no matter how many models answered it."""

    kept = sum(cell.kept for cell in cells)
    by_label = {name: {"problems": n_problems(cells, label), "samples": kept} for label, name in NAMES.items()}
    return {"problems": n_problems(cells), "samples": len(LABELS) * kept, **by_label}


def _model(cell: Cell) -> dict[str, Any]:
    size = _size([cell])
    for label, name in NAMES.items():
        size[name] |= {
            "available": cell.available[label],
            "eligible": cell.eligible[label],
            "short": cell.short[label],
        }
    return {
        "model": cell.model,
        "problems": size["problems"],
        "samples": size["samples"],
        "target": cell.target,
        **{name: size[name] for name in NAMES.values()},
        "left_out": dict(sorted({**cell.unusable, **cell.left_out}.items())),
    }


def table(census: dict[str, Any]) -> str:
    """The census as a text table."""
    lines: list[list[str] | None] = []
    for subset in census["subsets"]:
        lines.append([subset["subset"], *_counts(subset)])
        lines += [["  " + model["model"], *_counts(model)] for model in subset["models"]]
        lines.append(None)
    header = ("subset, model", "problems", "correct", "incorrect", "samples")
    return render_table(header, [*lines, ["all", *_counts(census)]])


def _counts(size: dict[str, Any]) -> list[str]:
    counts = [size["problems"], size["correct"]["samples"], size["incorrect"]["samples"], size["samples"]]
    return [f"{count:,}" for count in counts]
