"""The same response in another form has the same label: formulas in other delimiters, other spaces, quotes and lines.

Every response of the sets of hard pairs is written in each form; no rule of these forms knows a row.
"""

from __future__ import annotations

import json
import re
import types
import unicodedata
from pathlib import Path

import pytest

from libra_cli.tasks.grading import Grader
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

SETS = sorted((Path(__file__).parents[1] / "data/verify").glob("hard-pairs-*.jsonl"))
ROWS = [json.loads(line) for path in SETS for line in path.read_text(encoding="utf-8").splitlines()]
PARTS = 12
FORMULA = re.compile(r"(?<![\\$])\$(?!\$)([^$\n]+?)\$(?!\$)")
BOX = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."


def with_formulas(form):
    """A change of the formulas between single dollar signs, in responses in which none of these is money."""

    def change(row):
        response = row["response"]
        parts = FORMULA.split(response)
        formulas, texts = parts[1::2], parts[0::2]
        is_math = all("\\" in formula or not re.search("[A-Za-z]{2}", formula) for formula in formulas)
        if not formulas or not is_math or "$" in "".join(texts).replace("$$", ""):
            return None
        if any(formula.rstrip().endswith(("=", "\\")) or "**" in formula for formula in formulas):  # $12 x 3 = $36
            return None
        return {**row, "response": FORMULA.sub(lambda formula: form(formula[1]), response)}

    return change


def with_box(form):
    """A change of the only box of a response."""

    def change(row):
        response = row["response"]
        box = BOX.search(response) if response.count("\\boxed") == 1 else None
        if box is None or not box[1].strip(" \\,;:!."):
            return None
        return {**row, "response": f"{response[: box.start()]}{form(box[1])}{response[box.end() :]}"}

    return change


def of_response(form):
    return lambda row: {**row, "response": form(row["response"])}


FORMS = {
    "padded dollars": (with_formulas(lambda inner: f"$ {inner.strip()} $"), 0),
    "parentheses": (with_formulas(lambda inner: f"\\({inner}\\)"), 0),
    "padded parentheses": (with_formulas(lambda inner: f"\\( {inner} \\)"), 0),
    "double dollars": (with_formulas(lambda inner: f"$${inner}$$"), 5),
    "displays on lines": (with_formulas(lambda inner: f"\n\\[\n{inner}\n\\]\n"), 36),
    "spaces in a box": (with_box(lambda inner: f"\\boxed{{\\,{inner}\\,}}"), 3),
    "a size in a box": (with_box(lambda inner: f"\\boxed{{\\displaystyle {inner}}}"), 3),
    "lines in a box": (with_box(lambda inner: f"\\boxed{{\n{inner}\n}}"), 0),
    "a full stop in a box": (
        with_box(lambda inner: f"\\boxed{{{inner}.}}" if inner[-1] != "." else f"\\boxed{{{inner}}}"),
        3,
    ),
    "another box": (with_box(lambda inner: f"\\fbox{{{inner}}}"), 0),
    "no full stop at the end": (of_response(lambda text: re.sub(r"(?<=\w)\.$", "", text)), 15),
    "line breaks of Windows": (of_response(lambda text: text.replace("\n", "\r\n")), 0),
    "a line break at the end": (of_response(lambda text: f"{text} \n\n"), 3),
    "two spaces": (of_response(lambda text: re.sub(r"(?<=[a-z]) (?=[a-z])", "  ", text)), 5),
    "spaces that do not break": (of_response(lambda text: re.sub(r"(?<=\w) (?=is |are |= )", "\u00a0", text)), 10),
    "a minus sign": (of_response(lambda text: re.sub(r"(?<=[\s(=,$])-(?=\d)", "\u2212", text)), 0),
    "curly apostrophes": (of_response(lambda text: re.sub(r"(?<=[a-z])'(?=[a-z])", "\u2019", text)), 0),
    "marks behind their letters": (of_response(lambda text: unicodedata.normalize("NFD", text)), 0),
    "a prompt behind the question": (
        lambda row: {**row, "question": f"{row['question']}\n\n{INSTRUCTION}"} if row.get("question") else None,
        0,
    ),
    "a prompt before the question": (
        lambda row: {**row, "question": f"{INSTRUCTION}\n{row['question']}"} if row.get("question") else None,
        0,
    ),
    "a reference with a full stop": (
        lambda row: {**row, "reference": f"{row['reference']}."} if row["reference"][-1].isalnum() else None,
        0,
    ),
    "a reference in a box": (
        lambda row: (
            None
            if re.search(r"\$|box|#|\n", row["reference"])
            else {**row, "reference": f"\\boxed{{{row['reference']}}}"}
        ),
        1,
    ),
    "a reference as text": (
        lambda row: (
            {**row, "reference": f"\\text{{{row['reference']}}}"}
            if re.fullmatch("[A-Za-z ]{2,}", row["reference"])
            else None
        ),
        0,
    ),
    "a reference in dollars": (
        lambda row: {**row, "reference": f"${row['reference']}$"} if "$" not in row["reference"] else None,
        0,
    ),
}
"""The forms, and how many of the rows may change their label, for a reader that has not met the form."""


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))])
def test_a_form_changes_no_label(name, part):
    change, most = FORMS[name]
    changed = []
    for row in ROWS[part::PARTS]:
        other = change(row)
        if other is not None and other != row and label(other) != (expected := label(row)):
            changed.append((other["reference"], other["response"], expected))
    assert len(changed) <= (most and most // PARTS + 2), changed[:5]


def label(row):
    """The label without computer algebra."""
    grader = Grader(REASON, types.SimpleNamespace(hard=2.0))
    record = {name: row[name] for name in ("question", "reference") if row.get(name)}
    found = grader.grade_quickly(GeneratedText(row["response"], None, row.get("finish_reason")), record)
    return "undecided" if found is None else found.correct
