"""What a judged row decides about its responses, in words, and whether its label says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.rm_benchmarks import judged_rows
from libra_cli.rm_benchmarks.result_files import VERDICT_FIELDS
from libra_cli.tasks import JUDGING
from libra_cli.tasks.best import golden_index
from libra_cli.tasks.judge import agrees_with_label, is_above
from libra_cli.tasks.rank import golden_sign

Fields = Mapping[str, Any]

CORRECT, INCORRECT = "correct", "incorrect"
_BY_SIGN = {1: "A>B", 0: "A=B", -1: "B>A"}


def is_judged(fields: Fields) -> bool:
    """Whether a row has a verdict, readable or not."""
    return not VERDICT_FIELDS.isdisjoint(fields)


def verdict_of(fields: Fields, n_responses: int) -> str | None:
    """`correct` or `incorrect` of one response, `A>B`, `A=B` or `B>A` of two, `best N` (from 1) of more.

    None if the row has none. A score counts by the threshold of its task; one of a reward model has none.
    """
    row = dict(fields)
    if n_responses <= 1:
        prediction, score = fields.get("prediction"), fields.get("score")
        if prediction in (0, 1):
            return CORRECT if prediction else INCORRECT
        if fields.get("gate") is not None:
            return INCORRECT
        task = JUDGING.get(str(fields.get("judge_task", "score")))
        if type(score) not in (int, float) or task is None or task.threshold is None:
            return None
        return CORRECT if is_above(score, task.threshold) else INCORRECT
    if n_responses == 2:
        return _BY_SIGN.get(judged_rows.signs(row, [(0, 1)])[0])  # type: ignore[arg-type]
    best, by_score = judged_rows.choice(row), judged_rows.scores(row)
    if best is None and by_score and None not in by_score:
        highest = max(by_score)  # type: ignore[type-var]
        best = by_score.index(highest) if by_score.count(highest) == 1 else None
    return None if best is None else f"best {best + 1}"


def golden_verdict(fields: Fields, n_responses: int) -> str | None:
    """The verdict that the row's own label says is right, in the same words; None if it has no label."""
    if n_responses <= 1:
        label = agrees_with_label(True, fields)
        return None if label is None else CORRECT if label else INCORRECT
    if n_responses == 2:
        return _BY_SIGN.get(golden_sign(fields))  # type: ignore[arg-type]
    golden = golden_index(fields)
    return None if golden is None else f"best {int(golden) + 1}"
