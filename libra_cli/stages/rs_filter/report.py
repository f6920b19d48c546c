"""What became of the samples: the yield by task, label, model and pass rate, and why the others were dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from libra_cli.stages.rs_filter.choice import BINS, Cell, Chosen, PassRates
from libra_cli.stages.rs_filter.samples import GradedSample
from libra_cli.stream.text_table import render_table

WIDTH = 100
COUNTS = ("samples", "decided", "correct", "kept")
Figures = dict[str, Any]


class YieldReport:
    """The samples of a run as they come, and the reasons for which they are dropped."""

    def __init__(self) -> None:
        self.cells: dict[Cell, list[int]] = {}
        """Samples, decided, correct and kept ones."""
        self.dropped: dict[tuple[str, str], int] = {}
        """By task and reason; the task is empty where a row has no sample at all."""

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

    def count_choice(self, records: np.ndarray, chosen: Chosen, cells: Sequence[Cell]) -> dict[str, int]:
        """Counts the kept samples and the others; returns by reason how many others there are."""
        for number, count in _counted(records["cell"][chosen.numbers]):
            self.cells[cells[number]][3] += count
        for reason, numbers in chosen.dropped.items():
            for number, count in _counted(records["cell"][numbers]):
                self.drop(cells[number][0], reason, count)
        return {reason: len(numbers) for reason, numbers in chosen.dropped.items() if len(numbers)}

    def figures(self, rates: PassRates, chosen: Chosen) -> Figures:
        """All of it as JSON."""
        rows = [{"task": task, "label": label, "model": model, **_named(self.cells[task, label, model])}
                for task, label, model in sorted(self.cells)]  # fmt: skip
        dropped: dict[str, dict[str, int]] = {}
        for (task, reason), count in sorted(self.dropped.items()):
            dropped.setdefault(task, {})[reason] = count
        return {**_total(rows), "by": rows, "pass_rate": _deciles(rates, chosen), "dropped": dropped}


def _counted(values: np.ndarray) -> Iterable[tuple[int, int]]:
    found, counts = np.unique(values, return_counts=True)
    return zip(found.tolist(), counts.tolist(), strict=True)


def _named(counts: Sequence[int]) -> Figures:
    return {**dict(zip(COUNTS, counts, strict=True)), "yield": counts[3] / counts[0] if counts[0] else None}


def _total(rows: Sequence[Mapping[str, Any]]) -> Figures:
    return _named([sum(row[name] for row in rows) for name in COUNTS])


def _deciles(rates: PassRates, chosen: Chosen) -> list[Figures]:
    """Prompts by the share of their decided samples that are correct: tenths, the last with 1 in it."""
    of_prompt, of_kept = (_tenth(shares) for shares in (rates.shares, chosen.rates[~np.isnan(chosen.rates)]))
    columns = {
        "prompts": np.bincount(of_prompt, minlength=BINS),
        "decided": np.bincount(of_prompt, weights=rates.samples, minlength=BINS).astype(int),
        "correct": np.bincount(of_prompt, weights=rates.correct, minlength=BINS).astype(int),
        "kept": np.bincount(of_kept, minlength=BINS),
    }
    return [
        {"from": low / BINS, "to": (low + 1) / BINS, **{name: int(column[low]) for name, column in columns.items()}}
        for low in range(BINS)
    ]


def _tenth(shares: np.ndarray) -> np.ndarray:
    """Which tenth a share falls in; what rounding takes from a whole tenth does not count."""
    return np.minimum((shares * BINS + 1e-9).astype(int), BINS - 1)


# -- in words ----------------------------------------------------------------------------------------------------------


def table(figures: Figures) -> str:
    """The figures in words, at most WIDTH columns wide."""
    parts = [_yields(figures), _by_pass_rate(figures), _reasons(figures)]
    return "\n".join(part for part in parts if part)


def _yields(figures: Figures) -> str:
    rows = []
    for task in dict.fromkeys(row["task"] for row in figures["by"]):
        own = [row for row in figures["by"] if row["task"] == task]
        rows.append((task, *_numbers(_total(own))))
        for label in dict.fromkeys(row["label"] for row in own):
            labelled = [row for row in own if row["label"] == label]
            if label:
                rows.append((f"  label {label}", *_numbers(_total(labelled))))
            rows += [(f"    {row['model']}", *_numbers(row)) for row in labelled if row["model"]]
    return render_table(("task, label, model", *COUNTS, "yield"), [*rows, ("all", *_numbers(figures))], WIDTH)


def _numbers(counts: Mapping[str, Any]) -> list[str]:
    share = counts["yield"]
    return [*(f"{counts[name]:,}" for name in COUNTS), "" if share is None else f"{100 * share:.1f}%"]


def _by_pass_rate(figures: Figures) -> str:
    names = ("prompts", "decided", "correct", "kept")
    rows = [(f"{tenth['from']:.1f} to {tenth['to']:.1f}", *(f"{tenth[name]:,}" for name in names))
            for tenth in figures["pass_rate"] if tenth["prompts"]]  # fmt: skip
    return render_table(("pass rate", *names), rows, WIDTH) if rows else ""


def _reasons(figures: Figures) -> str:
    counts: Counter[str] = Counter()
    for by_reason in figures["dropped"].values():
        counts.update(by_reason)
    rows = [(reason, f"{count:,}") for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    return render_table(("dropped because", "samples"), rows, WIDTH) if rows else ""
