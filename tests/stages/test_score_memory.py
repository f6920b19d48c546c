"""`libra score` of millions of rows: in pieces that fit into memory, with the same figures to the last digit."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from libra_cli.metrics import bootstrap, calibration, cluster_groups, ranking, thresholds
from libra_cli.stages.score import confusion, row_hashes, thresholding
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.run import score

A_ROW = 120
"""Bytes of memory for a row, at most, at these numbers of rows; at millions there are fewer."""


def response(draw, number, judge, continuous):
    label, subset, problem = draw.randrange(2), draw.randrange(5), draw.randrange(150)
    rating = draw.gauss(label, 1) if continuous else min(4, max(0, draw.randrange(5) + label * 2 - 1))
    row = {"id": number, "sample": 0, "question": f"q{problem}", "label": label, "judge": judge, "subset": f"s{subset}",
           "judge_task": "scalar" if continuous else "score"}  # fmt: skip
    if draw.random() < 0.05:
        return {**row, "score": None, "unjudged": "truncated", **({"gate": "short"} if draw.random() < 0.5 else {})}
    return {**row, "score": rating}


def comparison(draw, number, judge):
    preference = draw.choice(["A>B", "B>A"])
    row = {"id": number, "question": f"q{draw.randrange(150)}", "response_a": "a", "response_b": "b"}
    return {**row, "subset": f"s{draw.randrange(3)}", "preference": preference, "judge": judge,
            "prediction": draw.choice(["A>B", "B>A", "A=B"])}  # fmt: skip


@pytest.mark.parametrize("kind", ["ratings", "scores", "pairs"])
@pytest.mark.parametrize("null", ["rule", "exclude"])
def test_pieces_of_any_size_give_the_same_report(tmp_path, monkeypatch, kind, null):
    draw, path = random.Random(0), tmp_path / "rows.jsonl"
    makes = comparison if kind == "pairs" else lambda *of_row: response(*of_row, kind == "scores")
    rows = [makes(draw, number, judge) for judge in ("one", "other") for number in range(400) if draw.random() < 0.9]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = ScoreConfig(null=null, resamples=100, threshold=None if kind == "pairs" else "cross-fit", examples=True)
    whole = score((str(path),), config, lambda _: None)
    assert len(whole["comparisons"]) == 1
    for module in (ranking, cluster_groups, calibration, thresholds, confusion, thresholding):
        monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(row_hashes, "_BLOCK", 8)
    monkeypatch.setattr(row_hashes, "_PART", 16)
    monkeypatch.setattr(bootstrap, "BLOCK_BYTES", 64)
    assert score((str(path),), config, lambda _: None) == whole


def test_hashes_are_numbered_and_counted_in_parts(monkeypatch):
    monkeypatch.setattr(row_hashes, "_BLOCK", 4)
    monkeypatch.setattr(row_hashes, "_PART", 8)
    rows, values = row_hashes.RowHashes(2), np.random.default_rng(0).integers(-20, 20, 101)
    for value in values.tolist():
        rows.add(value, value + 100)
    column, names = rows.column(0), list(dict.fromkeys(values.tolist()))
    assert len(rows) == len(column) == 101
    assert column.numbers().tolist() == [names.index(value) for value in values.tolist()]
    assert column.n_distinct() is None  # one is 0
    assert rows.column(1).n_distinct() == len(names)


def test_scores_are_counted_by_value_across_chunks(monkeypatch):
    monkeypatch.setattr(ranking, "CHUNK", 3)
    scores = np.array([2, 1, np.nan, 1, 1, 1, 1, 2, 5])
    labels = np.array([1, 0, 1, 1, 0, 0, 1, 1, 0], bool)
    found = [pair for some in ranking.RankedScores(scores).values(labels) for pair in zip(*some, strict=True)]
    assert found == [(5, 2), (2, 2), (1, 0)]


def test_each_row_takes_little_memory(tmp_path, shell):
    """Responses to problems that all differ, as through a pipe: nothing is held of them but a few numbers."""
    row = '{"question":"what is %d?","subset":"s%d","label":%d,"score":%d}\n'
    few, many = ("".join(row % (n, n % 3, n & 1, n % 5) for n in range(count)).encode() for count in (40_000, 240_000))
    assert (peak(shell, many) - peak(shell, few)) / 200_000 < A_ROW


def peak(shell, rows):
    """The most memory, in bytes, that a run had. (Linux keeps ru_maxrss across exec, pytest's; VmHWM begins anew.)"""
    code = "import pathlib, re, sys; sys.argv = ['libra', 'score', '-q', '--resamples', '0']\n"
    code += "from libra_cli.main import run\n"
    code += "try:\n    run()\nfinally:\n"
    code += "    status = pathlib.Path('/proc/self/status').read_text()\n"
    code += "    print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1], file=sys.stderr)"
    ended = shell(["python", "-c", code], input=rows)
    assert ended.status == 0
    return int(ended.err) << 10
