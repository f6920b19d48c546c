"""`libra score --as reasoning`: the same figures in any order of rows, in little memory."""

from __future__ import annotations

import json
import random
import tracemalloc

import numpy as np
import pytest
import thinned

from libra_cli.metrics import passk
from libra_cli.stages.score import problem_figures, problem_samples
from libra_cli.stages.score.problem_figures import FigureTable
from libra_cli.stages.score.problem_samples import SampleTable
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.run import score


def samples(n_problems, n, seed=0):
    """Rows of n samples of each problem, with answers, scores, some missing, and 5 % without a label."""
    draw = random.Random(seed)
    for problem in range(n_problems):
        for sample in range(n):
            label = None if draw.random() < 0.05 else int(draw.random() < problem / n_problems)
            answer = "1/2" if label else draw.choice(["0.50", "x", f"{problem}", None])
            yield {
                "question": f"{problem}?",
                "subset": f"s{problem % 3}",
                "model": "m",
                "sample": sample,
                "label": label,
                "score": draw.choice([0, 1, 2, 3.5, None]),
                "verification": {"answer": answer, "reason": "no_answer"},
            }


def reported(tmp_path, rows, **config):
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (report,) = score((str(path),), ScoreConfig(kind="reasoning", **config), lambda _: None)["reports"]
    return report


def test_samples_come_back_by_problem_in_any_order_of_rows(monkeypatch):
    monkeypatch.setattr(problem_samples, "_CHUNK", 7)
    draw, table, known = random.Random(1), SampleTable(), {}
    for _ in range(500):
        name = f"p{draw.randrange(60)}"
        sample = (draw.randrange(2), draw.random(), draw.choice([None, "", "a", "\ud800", "long" * 20]))
        table.add(table.problem(name, len(name), name * 2), *sample)
        known.setdefault(name, []).append(sample)
    table.problem("without samples", 1, "")
    table.finish()
    assert (len(table), table.n_samples, table.has_answers) == (len(known), 500, True)
    assert table.sizes.tolist() == [len(samples) for samples in known.values()]
    assert [table.name(table.number(at)) for at in range(len(table))] == [name * 2 for name in known]
    assert table.problem_column("group").tolist() == [len(name) for name in known]
    assert table.problem_column("key").tolist() == [hash(name) for name in known]
    found = []
    for chunk in table.chunks(with_answers=True):
        assert chunk.first == len(found)
        for begin, end in zip(chunk.begins.tolist(), chunk.begins.tolist()[1:], strict=False):
            texts, indices = chunk.answers(begin, end)
            answers = [None if index < 0 else texts[index] for index in indices]
            found.append(list(zip(chunk.right[begin:end], chunk.score[begin:end], answers, strict=True)))
    assert found == list(known.values())


def test_figures_of_problems_are_read_as_columns_and_as_totals(monkeypatch):
    monkeypatch.setattr(problem_figures, "_ROWS", 3)
    values = np.random.default_rng(0).random((20_000, 2))
    values[5, 1] = np.nan
    table = FigureTable([("mean@n", 2), ("pass@k", 2)])
    for begin in range(0, len(values), 999):
        table.append(values[begin : begin + 999])
    assert table.shape == (20_000, 4)
    assert np.array_equal(table.column(1), values[:, 1], equal_nan=True)
    assert table[4:6].tolist() == [[*values[4], 1, 1], [values[5, 0], 0, 1, 0]]


def test_pieces_and_order_change_no_figure(tmp_path, monkeypatch):
    rows = list(samples(40, 6))
    report = reported(tmp_path, rows, resamples=50)
    assert report["weighted_majority"]["6"]["n"] == report["best_of_n"]["4"]["n"] == 40
    by_sample = sorted(rows, key=lambda row: row["sample"])
    assert reported(tmp_path, by_sample, resamples=50) == report
    monkeypatch.setattr(problem_samples, "_CHUNK", 11)
    monkeypatch.setattr(problem_figures, "_ROWS", 7)
    assert reported(tmp_path, by_sample, resamples=50) == report


def short_rows(n_short, n_whole=1):
    """Problems with 2 of 4 samples, one of them correct, and problems with 4 samples, all correct."""
    for problem in range(n_short + n_whole):
        for sample in range(2 if problem < n_short else 4):
            label = int(problem >= n_short or sample == 0)
            row = {"id": f"p{problem}", "model": "m", "label": label, "score": 4 * label}
            yield {**row, "verification": {"answer": str(label)}}


def test_a_problem_counts_in_no_figure_of_more_samples_than_it_has(tmp_path):
    report = reported(tmp_path, short_rows(2), resamples=0, allow_short=True, at=(2, 4))
    for measure in ("mean@n", "pass@k", "maj@k", "best_of_n", "weighted_majority"):
        assert report[measure]["4"] == {"value": 1.0, "interval": None, "n": 1}
    assert report["pass@k"]["2"] == {"value": 1.0, "interval": None, "n": 3}
    assert report["overall"] == report["sections"]["all"]["value"] == pytest.approx(2 / 3)  # pass@1, of all problems
    counted = "problems with fewer than 4 samples: 2 (--allow-short)"
    assert report["notes"][0] == f"{counted}; each counts only in figures of no more samples than it has"


def test_figures_of_whole_problems_are_those_of_before(tmp_path):
    report = reported(tmp_path, short_rows(0, 3), resamples=0)
    assert report["mean@n"]["4"] == report["pass@k"]["1"] == {"value": 1.0, "interval": None, "n": 3}
    assert report["overall"] == 1.0
    assert not [note for note in report["notes"] if "fewer" in note]


def test_a_figure_of_few_problems_says_why_it_has_no_interval(tmp_path):
    few = reported(tmp_path, short_rows(3), resamples=50, allow_short=True)
    assert few["pass@k"]["4"]["interval"] is None
    assert few["pass@k"]["1"]["interval"] is not None
    assert "no interval: a resample may hold no problem with so many samples" in few["notes"]
    rows = reported(tmp_path, short_rows(1, 30), resamples=50, allow_short=True)
    assert not [note for note in rows["notes"] if "hold no problem" in note]


def test_pass_at_k_of_problems_is_that_of_each():
    sizes, correct = np.array([4, 4, 2, 8, 1, 8]), np.array([0, 3, 2, 5, 1, 5])
    for k in (1, 2, 4, 8):
        found = passk.pass_at_k_of(sizes, correct, k)
        each = [passk.pass_at_k(n, c, k) if n >= k else np.nan for n, c in zip(sizes, correct, strict=True)]
        assert np.array_equal(found, each, equal_nan=True)


@pytest.mark.parametrize("resamples", [thinned.slow(0), 3])
def test_a_row_takes_few_bytes_of_memory(tmp_path, monkeypatch, resamples):
    monkeypatch.setattr(problem_samples, "_CHUNK", 1 << 10)
    path, peaks = tmp_path / "labelled.jsonl", {}
    for count in (3_000, 15_000):
        with path.open("w") as file:
            for n in range(count):
                verification = {"answer": f"{n}"}
                row = {"question": f"{n}?", "model": "m", "sample": n, "label": n % 2, "verification": verification}
                file.write(json.dumps(row) + "\n")
        tracemalloc.start()
        score((str(path),), ScoreConfig(resamples=resamples), lambda _: None)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # Two hashes at 15 to 28 bytes while rows are read; then, for the bootstrap, some columns of numbers.
    assert (peaks[15_000] - peaks[3_000]) / 12_000 < (60 if resamples == 0 else 150)
