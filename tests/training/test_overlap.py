"""What is both trained and measured on: units of one or two samples, prompts, and problems by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from libra_cli.training.data.overlap import SharedRows, of_benchmark, of_held_out, problem_key


@dataclass
class Samples:
    keys: np.ndarray | None


def samples(*keys: tuple[int, int, int]) -> Samples:
    return Samples(np.array(keys, np.uint64).T)


TRAIN = samples((1, 10, 100), (2, 10, 100), (3, 0, 0), (4, 0, 0))


@pytest.mark.parametrize(("held_out", "unit", "wanted"), [
    (TRAIN, 1, SharedRows(4, 0, 4)),
    (TRAIN, 2, SharedRows(2, 0, 2)),
    (samples((2, 10, 100), (1, 10, 100)), 2, SharedRows(0, 1, 1)),  # the other response is the chosen one
    (samples((1, 11, 101), (4, 0, 0)), 2, None),
    (samples((9, 10, 0), (9, 0, 100), (9, 0, 0)), 1, SharedRows(0, 2, 3)),
    (samples((9, 0, 0), (9, 99, 0)), 1, None),  # no prompt is that of no other row
])  # fmt: skip
def test_rows_are_compared_whole_and_by_what_they_are_about(
    held_out: Samples, unit: int, wanted: SharedRows | None
) -> None:
    assert of_held_out(TRAIN, held_out, unit, "row") == wanted
    assert of_held_out(Samples(None), held_out, unit, "row") is None


def test_only_ids_made_of_the_content_name_a_problem(tmp_path: Path) -> None:
    assert problem_key("00000000000000a1") == 0xA1
    assert [problem_key(id) for id in ("7", "a1", "gsm8k/train/0000000")] == [0, 0, 0]
    bench = tmp_path / "bench.jsonl"
    bench.write_text('{"id": "00000000000000a1"}\n{"id": "7"}\nbroken\n{"question": "1+1?"}\n')
    assert of_benchmark(np.array([0xA1, 7], np.uint64), [str(bench)]) == SharedRows(0, 1, 3)
    assert of_benchmark(np.array([0], np.uint64), [str(bench)]) is None


@pytest.mark.parametrize(("overlap", "sentence"), [
    (SharedRows(1, 0, 1), "1 of 1 row is among the training rows"),
    (SharedRows(4, 1, 10, "pair"), "4 of 10 pairs are among the training rows, 1 more is about their problems"),
    (SharedRows(0, 2, 10), "2 of 10 rows are about problems of training rows"),
])  # fmt: skip
def test_a_sentence_says_how_many(overlap: SharedRows, sentence: str) -> None:
    assert overlap.sentence() == sentence
