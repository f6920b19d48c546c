"""From two annotators that do not agree to final labels, with a person at a pseudo-terminal in between."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from pseudo_terminal import PseudoTerminal

PROBLEMS = [(f"What is {n} + {n + 1}?", 2 * n + 1) for n in range(11, 17)]


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def rows():
    """A right and a wrong response to each problem."""
    for number, (question, total) in enumerate(PROBLEMS):
        for sample, answer in enumerate((total, total + 100)):
            named = {"id": f"p{number}", "sample": sample, "question": question, "reference": str(total)}
            yield {**named, "response": f"Adding both gives \\boxed{{{answer}}}."}


@pytest.mark.engine
def test_two_annotators_and_a_person_label_every_row(shell, environment, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    annotators = ["--annotator", "libra-mini/weak", "--annotator", "libra-mini/strong", "--rule", "also"]
    words = ["libra", "verify", *annotators, "--review", "review.jsonl", "-o", "panel.jsonl", "rows.jsonl"]
    assert shell(words).status == 0
    panel, asked = rows_of(tmp_path / "panel.jsonl"), rows_of(tmp_path / "review.jsonl")
    unsettled = [(row["id"], row["sample"]) for row in panel if row["label"] is None]
    assert [(row["id"], row["sample"]) for row in asked] == unsettled
    assert "disagreement" in {row["verification"]["reason"] for row in asked}

    words = ["libra", "review", "review.jsonl", "-o", "labels.jsonl", "--reviewer", "ann"]
    with PseudoTerminal(words, tmp_path, environment) as terminal:
        for number, row in enumerate(asked):  # judged by what is on the screen alone
            screen = terminal.wait_for(f"id {row['id']} sample {row['sample']}", f"labelled {number}", "q quit")
            assert re.search("(?m)^rule .*^libra-mini/weak .*^libra-mini/strong ", screen, re.DOTALL)
            boxed = screen.split("\\boxed{")[-1].split("}")[0]  # the response, below what annotators wrote
            reference = screen.split("Reference ")[1].split("\n")[0].strip()
            terminal.press("y" if boxed == reference else "n")
        terminal.wait_for(f"{len(asked)} of {len(asked)} are labelled")
        terminal.press("q")
        assert terminal.end() == 0

    ended = shell(["libra", "verify", "--labels", "labels.jsonl", "-o", "final.jsonl", "panel.jsonl"])
    assert ended.status == 0
    assert f"human labels: {len(asked)} merged, 0 refused, 0 for rows that are not here".encode() in ended.err
    final = rows_of(tmp_path / "final.jsonl")
    by = Counter("human" if row["verification"]["by"] == "human" else "others" for row in final)
    assert by == Counter(human=len(asked), others=len(panel) - len(asked)) - Counter()
    for before, row in zip(panel, final, strict=True):
        human = (row["id"], row["sample"]) in unsettled
        assert (row["verification"]["by"] == "human") == human
        assert row["label"] == ((1 if row["sample"] == 0 else 0) if human else before["label"])
        annotators = [vote["annotator"] for vote in row["verification"]["votes"]]
        assert annotators == ["rule", "libra-mini/weak", "libra-mini/strong", *(["ann"] if human else [])]
