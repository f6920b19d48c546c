"""`libra score` as a command: the macro F1 of Table 3 from its counts, and JudgeBench from its published outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from libra_cli.rm_benchmarks.published import tables

JUDGEBENCH = Path(__file__).resolve().parents[1] / "data" / "judgebench"
SUBSETS = [("MATH-500", 1340), ("AIME 2024", 1200), ("AIME 2025", 1200)]
VERDICTS = {"tp": (1, 1), "tn": (0, 0), "fp": (0, 1), "fn": (1, 0)}
"""What a row of each cell has as label and prediction."""


def scored(*paths):
    """What the command prints."""
    words = [sys.executable, "-m", "libra_cli", "score", "--json", *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["model"]) for row in tables()["table3"]])
def test_macro_f1_of_table_3(row, tmp_path):
    verdicts = [verdict for cell, verdict in VERDICTS.items() for _ in range(row[cell])]
    subsets = [name for name, n in SUBSETS for _ in range(n)]
    lines = [
        json.dumps({"index": index, "subset": subset, "label": label, "prediction": prediction})
        for index, (subset, (label, prediction)) in enumerate(zip(subsets, verdicts, strict=True))
    ]
    path = tmp_path / "preds.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = scored(path)
    assert report["confusion"] == {cell: row[cell] for cell in VERDICTS}
    assert round(report["macro_f1"], 3) == row["macro_f1"]


@pytest.mark.parametrize(
    ("judge", "overall", "sections"),
    [
        (
            "skywork-reward-gemma-2-27b",
            64.29,  # the paper prints 64.3
            {"knowledge": 59.74, "reasoning": 66.33, "math": 83.93, "coding": 50.0},
        ),
        ("o1-mini", 65.71, {"knowledge": 58.44, "reasoning": 62.24, "math": 82.14, "coding": 78.57}),
    ],
)
def test_judgebench_from_its_published_outputs(judge, overall, sections):
    report = scored(JUDGEBENCH / f"{judge}.jsonl.gz")
    assert (report["benchmark"], report["n"], report["n_null"]) == ("judgebench", 350, 0)
    assert round(100 * report["overall"], 2) == overall
    assert {name: round(100 * section["value"], 2) for name, section in report["sections"].items()} == sections
    assert {name: section["n"] for name, section in report["sections"].items()} == {
        "knowledge": 154, "reasoning": 98, "math": 56, "coding": 42,
    }  # fmt: skip


def test_the_judges_of_judgebench_are_compared_pair_by_pair():
    names = ("o1-mini", "skywork-reward-gemma-2-27b")
    (comparison,) = scored(*(JUDGEBENCH / f"{name}.jsonl.gz" for name in names))["comparisons"]
    assert comparison["n"] == 350
    assert round(350 * comparison["difference"]) == 230 - 225
    only_one, only_other = comparison["mcnemar"]["b"], comparison["mcnemar"]["c"]
    assert only_one - only_other == 5
