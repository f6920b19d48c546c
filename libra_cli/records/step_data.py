"""Solutions whose steps were labelled, as responses that are right or wrong: PRM800K, Math-Shepherd, ProcessBench.

`step_labels` keeps what was said of each step. Sources: openai/prm800k (README.md), peiyi9979/Math-Shepherd,
Qwen/ProcessBench, and TRL's stepwise form (trl-lib/math_shepherd).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from libra_cli.records.conversations import OtherForm, built
from libra_cli.stream.common_names import STEP_MARK

Fields = dict[str, Any]

_FIRST_STEP = re.compile(r"\s*(?=Step 1:)")
_SIGNS = {"+": 1, "-": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0, "True": 1, "False": 0}


def prm800k(fields: Fields, _seed: int) -> Fields:
    """A solution of PRM800K: right if a labeller found no error to its end, wrong if one was found, else null.

    Of phase 2 the response is the generated solution; of phase 1 the steps that the labeller chose or wrote.
    """
    question, label = fields.get("question"), fields.get("label")
    if not (isinstance(question, dict) and isinstance(label, dict) and isinstance(label.get("steps"), list)):
        raise OtherForm('there is no "question" and "label" with "steps"')
    path = [_chosen(step) for step in label["steps"]]
    ratings = [rating for _, rating in path]
    generated = question.get("pre_generated_steps")
    steps = generated if isinstance(generated, list) and generated else [text for text, _ in path]
    if not steps or not all(isinstance(text, str) for text in (question.get("problem"), *steps)):
        raise OtherForm('"question" has no "problem", or a step has no text')
    is_whole = label.get("finish_reason") == "solution" and all(rating in (0, 1) for rating in ratings)
    is_wrong = label.get("finish_reason") == "found_error" or -1 in ratings
    made = {
        **_solution(question["problem"], steps, 1 if is_whole else 0 if is_wrong else None, ratings),
        **({"reference": question["ground_truth_answer"]} if question.get("ground_truth_answer") is not None else {}),
    }
    return {**built(made, fields, "question", "label"), "finish": label.get("finish_reason")}


def _chosen(step: Any) -> tuple[Any, Any]:
    """Text and rating of the step that the solution went on with; what a person wrote counts as right."""
    completions, human = step.get("completions") or [], step.get("human_completion")
    chosen = step.get("chosen_completion")
    if chosen is None and human:
        return human.get("text"), 1
    at = chosen if isinstance(chosen, int) and chosen < len(completions) else 0
    return (completions[at].get("text"), completions[at].get("rating")) if completions else (None, None)


def math_shepherd(fields: Fields, _seed: int) -> Fields:
    """A solution of Math-Shepherd, or in its form with the labels in a list (OpenRLHF): right if its last step is.

    The marks are taken out; `task` becomes `source`, as it is none of libra's.
    """
    text = fields.get("input")
    if not isinstance(text, str) or STEP_MARK not in text:
        raise OtherForm('there is no "input" with the mark of its steps')
    question, *rest = _FIRST_STEP.split(text, maxsplit=1)
    steps = [step.strip() for step in "".join(rest).split(STEP_MARK) if step.strip()]
    given = next((fields[name] for name in ("value", "labels", "label") if fields.get(name) is not None), None)
    if isinstance(given, str):
        labelled = given[len(question) :].strip() if given.startswith(question) else ""
        signs = re.findall(r"([+-])\s*?(?=\n|\Z)", labelled)
    else:
        signs = [str(one) for one in given] if isinstance(given, list) else []
    if not steps or len(signs) != len(steps) or not all(sign in _SIGNS for sign in signs):
        raise OtherForm(f"{len(steps)} steps and {len(signs)} labels (+ or -) do not match")
    labels = [_SIGNS[sign] for sign in signs]
    source = {"source": fields["task"]} if fields.get("task") is not None else {}
    made = {**_solution(question.strip(), steps, labels[-1], labels), **source}
    return built(made, fields, "input", "label", "labels", "value", "task")


def processbench(fields: Fields, _seed: int) -> Fields:
    """A solution of ProcessBench: right if no step is wrong. Its `label`, the first wrong step from 0 or -1, becomes
    `first_error`."""
    steps, first = fields.get("steps"), fields.get("label")
    if not isinstance(steps, list) or type(first) is not int or not -1 <= first < len(steps):
        raise OtherForm('there are no "steps" with a "label" that names one of them, or is -1')
    labels = [1 if first < 0 or at < first else 0 if at == first else None for at in range(len(steps))]
    made = {**_solution(fields.get("problem"), steps, int(first < 0), labels), "first_error": first}
    return built(made, fields, "problem", "steps", "label")


def stepwise(fields: Fields, _seed: int) -> Fields:
    """TRL's stepwise form, `prompt`, `completions` and `labels`: right if all steps are."""
    steps, labels = fields.get("completions"), fields.get("labels")
    if not (isinstance(steps, list) and isinstance(labels, list) and len(steps) == len(labels) > 0):
        raise OtherForm('there are no "completions" with as many "labels"')
    if not all(isinstance(label, (bool, int)) and label in (0, 1) for label in labels):
        raise OtherForm('a label in "labels" is neither true nor false')
    made = _solution(fields.get("prompt"), steps, int(all(labels)), [int(label) for label in labels])
    return built(made, fields, "prompt", "completions", "labels")


def _solution(question: Any, steps: Sequence[Any], label: int | None, step_labels: Sequence[Any]) -> Fields:
    """The fields of a solution; raises OtherForm if a text is none."""
    if not all(isinstance(text, str) for text in (question, *steps)):
        raise OtherForm("the problem or a step is no text")
    return {
        "question": question,
        "response": "\n\n".join(steps),
        "label": label,
        "step_labels": list(step_labels),
    }
