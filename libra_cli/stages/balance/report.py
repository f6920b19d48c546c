"""What a benchmark consists of (the paper's Table 1), as numbers and as text, and what is missing from its cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from libra_cli.stages.balance.cells import CORRECT, INCORRECT, LABELS, Cell, CellLimits
from libra_cli.stream.text_table import render_table

NAMES = {CORRECT: "correct", INCORRECT: "incorrect"}


def census(cells: Sequence[Cell]) -> dict[str, Any]:
    """Problems and samples of the whole, of each subset and of each model in it; `cells` are sorted by subset."""
    subsets = [list(group) for _, group in groupby(cells, key=lambda cell: cell.subset)]
    return {**_size(cells), "subsets": [_subset(members) for members in subsets]}


def _size(cells: Sequence[Cell]) -> dict[str, Any]:
    """Problems are counted once however many models answered them."""
    kept = sum(cell.kept for cell in cells)
    by_label = {name: {"problems": _problems(cells, [label]), "samples": kept} for label, name in NAMES.items()}
    return {"problems": _problems(cells, LABELS), "samples": len(LABELS) * kept, **by_label}


def _problems(cells: Sequence[Cell], labels: Sequence[int]) -> int:
    return len({problem for cell in cells for problem in cell.problems(labels)})


def _subset(cells: Sequence[Cell]) -> dict[str, Any]:
    return {"subset": cells[0].subset, **_size(cells), "models": [_model(cell) for cell in cells]}


def _model(cell: Cell) -> dict[str, Any]:
    counts = {"available": cell.available, "eligible": cell.eligible, "short": cell.short}
    by_label = {name: {what: pair[label] for what, pair in counts.items()} for label, name in NAMES.items()}
    size = _size([cell])
    return {
        "model": cell.model, "problems": size["problems"], "samples": size["samples"], "target": cell.target,
        **{name: {**size[name], **by_label[name]} for name in by_label},
        "left_out": dict(sorted({**cell.unusable, **cell.left_out}.items())),
    }  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """The census in words."""
    lines: list[list[str] | None] = []
    for subset in figures["subsets"]:
        lines.append([subset["subset"], *_numbers(subset)])
        lines += [["  " + model["model"], *_numbers(model)] for model in subset["models"]]
        lines.append(None)
    header = ("subset, model", "problems", "correct", "incorrect", "samples")
    return render_table(header, [*lines, ["all", *_numbers(figures)]])


def _numbers(size: dict[str, Any]) -> list[str]:
    counts = [size["problems"], size["correct"]["samples"], size["incorrect"]["samples"], size["samples"]]
    return [f"{count:,}" for count in counts]


def shortage(cell: Cell, limits: CellLimits) -> str | None:
    """What keeps the cell from its target, or from having anything at all, in words; None where nothing does."""
    missing = [f"{cell.short[label]:,} short of {cell.target:,} {NAMES[label]}" for label in NAMES if cell.short[label]]
    if cell.kept and not missing:
        return None
    within = f" (at most {limits.per_problem} to a problem)" if limits.per_problem else ""
    found = ", ".join(f"{cell.eligible[label]:,} {NAMES[label]}" for label in NAMES)
    lacks = ": " + " and ".join(missing) if missing else ""
    return f"{cell.subset} / {cell.model}: {found}{within}{lacks}; keeping {cell.kept:,} of each"
