"""Tables of responses to questions: those of tests/data/verify/answers-in-*.tsv have the labels that a person gives."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import pytest

from libra_cli.tasks.grading import grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

TABLES = sorted((Path(__file__).parents[1] / "data/verify").glob("answers-in-*.tsv"))
LABELS = {"1": True, "0": False, "?": None}


def test_each_table_has_rows_of_both_labels():
    assert len(TABLES) >= 11
    for table in TABLES:
        assert {"0", "1"} <= {line.rpartition("\t")[2] for line in table.read_text(encoding="utf-8").splitlines()}


def questions():
    rows = []
    for table in TABLES:
        with table.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [(question, [*group]) for question, group in groupby(rows, key=lambda row: row["question"])]


@pytest.mark.parametrize(("question", "rows"), questions())
def test_a_response_is_labelled_as_a_person_does(question, rows):
    wrong = []
    for row in rows:
        record = {name: row[name].replace("⏎", "\n") for name in ("question", "reference", "response")}
        response = record["response"]
        found = grade(REASON, GeneratedText(response, None, "stop"), record)
        if found.correct is not LABELS[row["label"]]:
            wrong.append((response, found))
    assert not wrong
