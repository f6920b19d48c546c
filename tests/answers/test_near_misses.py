"""Pairs that look alike, or are equal at the points that a lazy sampler tries: none of them may be called equal."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from libra_cli.answers.comparison.equal import Decision
from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.process.pool import Pool

NEVER_EQUAL = "0n"
VERDICTS = {"1": True, "0": False, "n": None}


class Pair(NamedTuple):
    """One line of the file; an answer with a box in it is a whole response."""

    label: str
    reference: str
    answer: str


LINES = Path(__file__).with_name("near-misses.tsv").read_text(encoding="utf-8").splitlines()
PAIRS = [Pair(*line.split("\t")) for line in LINES if not line.startswith("#")]


@pytest.fixture(scope="module")
def decided() -> dict[Pair, Decision]:
    answers = [final_answer(pair.answer) if "\\boxed" in pair.answer else pair.answer for pair in PAIRS]
    with Pool(1) as pool:
        asked = [(pair.reference, answer or "") for pair, answer in zip(PAIRS, answers, strict=True)]
        return dict(zip(PAIRS, pool.decide_many(asked), strict=True))


def test_there_are_many_of_either_label():
    assert sum(pair.label == "1" for pair in PAIRS) >= 25
    assert sum(pair.label.startswith("0") for pair in PAIRS) >= 50


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.reference} against {pair.answer}")
def test_pair(pair, decided):
    found = decided[pair]
    if pair.label == NEVER_EQUAL:
        assert found.equal is not True
    else:
        assert found.equal is VERDICTS[pair.label], found
