"""The table of kinds on the reference page of verify says what verify does."""

from __future__ import annotations

import pytest

from libra_cli.stages.verify.appendix import EXAMPLES
from libra_cli.tasks.grading import grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_each_example_is_labelled_as_the_table_says(example):
    texts = {True: example.accepted, False: example.refused, None: example.undecided}
    record = {"reference": example.reference}
    found = {right: grade(REASON, GeneratedText(text), record).correct for right, text in texts.items() if text}
    assert found == {right: right for right, text in texts.items() if text}
