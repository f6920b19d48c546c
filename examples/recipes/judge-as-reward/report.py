"""Prints what the arms of `make OUT` reach on the held-out problems, and their differences from start and rule."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

RESAMPLES = 10_000
ARMS = ("rule", "judge", "weak-judge")


def accuracy(path: Path) -> dict[str, float]:
    """The share of right responses to each problem; one that cannot be decided counts as wrong."""
    right = defaultdict(list)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        right[row["question"]].append(row["label"] == 1)
    return {question: float(np.mean(labels)) for question, labels in right.items()}


def main() -> None:
    out = Path(sys.argv[1])
    start = accuracy(out / "start.jsonl")
    problems = sorted(start)
    table = {"start": np.array([start[each] for each in problems])}
    for arm in ARMS:
        runs = [accuracy(path) for path in sorted(out.glob(f"{arm}-[0-9]*.jsonl"))]
        if runs:
            by_seed = np.array([[run[each] for each in problems] for run in runs])
            table[arm] = by_seed.mean(axis=0)
            print(f"{arm}: by seed", " ".join(f"{100 * each:.1f}" for each in by_seed.mean(axis=1)))
    draws = np.random.default_rng(0).integers(0, len(problems), (RESAMPLES, len(problems)))

    def shown(values: np.ndarray, sign: str = "") -> str:
        low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
        return f"{100 * values.mean():{sign}.1f} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"

    for name, values in table.items():
        print(f"{name}: {shown(values)}")
    for one, other in (("rule", "start"), ("judge", "start"), ("weak-judge", "start"), ("judge", "rule"),
                       ("judge", "weak-judge")):  # fmt: skip
        if one in table and other in table:
            print(f"{one} - {other}: {shown(table[one] - table[other], '+')}")


if __name__ == "__main__":
    main()
