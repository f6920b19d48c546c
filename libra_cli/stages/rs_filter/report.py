"""Report of rs-filter: the yield by task, label, model and pass rate, and why samples were dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from libra_cli.stages.rs_filter.choice import BINS, Cell, Chosen, Tenths
from libra_cli.stages.rs_filter.samples import GradedSample
from libra_cli.stream.text_table import render_table

COUNTS = ("samples", "decided", "correct", "kept")
Figures = dict[str, Any]


class YieldReport:
    """Counts the samples of a run as they come, and the reasons for dropping them."""

    def __init__(self) -> None:
        self.cells: dict[Cell, list[int]] = {}
        """Samples, decided, correct and kept ones."""
        self.dropped: dict[tuple[str, str], int] = {}
        """By task and reason; the task is empty for a row without samples."""

    def add(self, sample: GradedSample) -> None:
        """Counts one sample."""
        counts = self.cells.setdefault((sample.task, sample.label, sample.model), [0, 0, 0, 0])
        counts[0] += 1
        if sample.correct is not None:
            counts[1] += 1
            counts[2] += sample.correct

    def drop(self, task: str, reason: str, count: int = 1) -> None:
        """Counts samples that are not kept."""
        self.dropped[task, reason] = self.dropped.get((task, reason), 0) + count

    def count_choice(self, chosen: Chosen, cells: Sequence[Cell]) -> dict[str, int]:
        """Counts the kept samples and the others; returns by reason how many others there are."""
        for number, count in chosen.of_cell.items():
            self.cells[cells[number]][3] += count
        for reason, of_cell in chosen.dropped.items():
            for number, count in of_cell.items():
                self.drop(cells[number][0], reason, count)
        return {reason: of_cell.total() for reason, of_cell in chosen.dropped.items() if of_cell}

    def figures(self, chosen: Chosen) -> Figures:
        """The whole report as JSON."""
        cells = []
        for task, label, model in sorted(self.cells):
            counts = _with_yield(self.cells[task, label, model])
            cells.append({"task": task, "label": label, "model": model, **counts})
        dropped: dict[str, dict[str, int]] = {}
        for (task, reason), count in sorted(self.dropped.items()):
            dropped.setdefault(task, {})[reason] = count
        return {**_total(cells), "by": cells, "pass_rate": _tenths(chosen.tenths), "dropped": dropped}


def _with_yield(counts: Sequence[int]) -> Figures:
    return {**dict(zip(COUNTS, counts, strict=True)), "yield": counts[3] / counts[0] if counts[0] else None}


def _total(cells: Sequence[Mapping[str, Any]]) -> Figures:
    return _with_yield([sum(cell[name] for cell in cells) for name in COUNTS])


def _tenths(tenths: Tenths) -> list[Figures]:
    columns = asdict(tenths)
    return [
        {"from": low / BINS, "to": (low + 1) / BINS, **{name: column[low] for name, column in columns.items()}}
        for low in range(BINS)
    ]


# -- in words ----------------------------------------------------------------------------------------------------------


def table(figures: Figures) -> str:
    """The figures in words."""
    yields = []
    for task in dict.fromkeys(cell["task"] for cell in figures["by"]):
        of_task = [cell for cell in figures["by"] if cell["task"] == task]
        yields.append((task, *_numbers(_total(of_task))))
        for label in dict.fromkeys(cell["label"] for cell in of_task):
            of_label = [cell for cell in of_task if cell["label"] == label]
            if label:
                yields.append((f"  label {label}", *_numbers(_total(of_label))))
            yields += [(f"    {cell['model']}", *_numbers(cell)) for cell in of_label if cell["model"]]
    yields.append(("all", *_numbers(figures)))
    parts = [render_table(("task, label, model", *COUNTS, "yield"), yields)]

    names = ("prompts", "decided", "correct", "kept")
    rates = [
        (f"{tenth['from']:.1f} to {tenth['to']:.1f}", *(f"{tenth[name]:,}" for name in names))
        for tenth in figures["pass_rate"]
        if tenth["prompts"]
    ]
    if rates:
        parts.append(render_table(("pass rate", *names), rates))

    counts: Counter[str] = Counter()
    for by_reason in figures["dropped"].values():
        counts.update(by_reason)
    reasons = [(reason, f"{count:,}") for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    if reasons:
        parts.append(render_table(("dropped because", "samples"), reasons))
    return "\n".join(part for part in parts if part)


def _numbers(counts: Mapping[str, Any]) -> list[str]:
    share = counts["yield"]
    return [*(f"{counts[name]:,}" for name in COUNTS), "" if share is None else f"{100 * share:.1f}%"]
