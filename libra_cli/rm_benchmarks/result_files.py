"""The result files of reward-model benchmarks, as their authors publish them: their rows in the form of judged rows.

Forms: RMB's eval/result/*.json; allenai/reward-bench-results, eval-set-scores (one object of columns); lmarena-ai's
ppe-result-data. RM-Bench's `score_chosen` and JudgeBench's `judgments` are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Any

import orjson

_MARKS = frozenset({"chosen_reward", "score_1", "results", "is_correct"})
"""Each result file that needs another form has one of these."""
_REJECTED = ("reject_reward", "rejected_reward")
_OWN_SCORES = ("scores_chosen", "scores_rejected")
_NUMBERS = (
    "chosen_reward",
    *_REJECTED,
    *_OWN_SCORES,
    "score_chosen",
    "score_rejected",
    "scores",
    "results",
    "is_correct",
)
"""Fields with numbers, lists of them, or truth values, which tables (CSV) may hold as text."""
_VERDICTS = {1: "A>B", 0.5: "A=B", 0: "B>A"}
"""What a row says is right, where it gives no scores: the verdict on the first response, which is the better one."""
VERDICT_FIELDS = frozenset(
    {"scores", "prediction", "judgments", "score_chosen", "scores_chosen", "score", "unjudged", "gates", *_MARKS}
)
"""Fields by which a row has a verdict, readable or not."""
LOOKED_FOR = (
    "prediction, scores and judgments (libra judge), score_chosen and score_rejected, scores_chosen and "
    "scores_rejected, chosen_reward and reject_reward, score_1 and score_2, results, is_correct"
)


def judged_rows_of(fields: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The judged rows that a row of a result file holds; None if it is one already, or none at all."""
    if "judge_task" in fields:
        return None
    cells = {name: _cell(fields[name]) for name in _NUMBERS if type(fields.get(name)) is str}
    if cells:
        fields = {**fields, **cells}
    if _MARKS.isdisjoint(fields):
        return [dict(fields)] if cells else None
    if isinstance(fields.get("subset"), list) and isinstance(fields.get("results"), list):
        if isinstance(fields.get("model"), str) and "judge" not in fields:  # the reward model, not a policy
            fields = {"judge" if name == "model" else name: value for name, value in fields.items()}
        return [_judged(row) for row in _rows_of_columns(fields)]
    return [_judged(fields)]


def _cell(text: str) -> Any:
    """What a cell of a table says: a list or a number as JSON, a number with a decimal comma, True or False."""
    whole, _, places = text.lstrip("-").partition(",")
    is_open = whole.isdecimal() and places.isdecimal() and len(whole) < 4 and len(places) == 3  # 1,234
    for spelling in (text, text.lower(), text if is_open else text.replace(",", ".")):
        try:
            return orjson.loads(spelling)  # which has no NaN
        except ValueError:
            continue
    return text


def _rows_of_columns(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one object of columns; what is no column (the model's name) is the same in each.

    Raises ValueError if columns have different lengths.
    """
    n_rows = len(columns["subset"])
    listed = {name: column for name, column in columns.items() if isinstance(column, list)}
    if wrong := next((name for name, column in listed.items() if len(column) != n_rows), None):
        raise ValueError(f'the column "{wrong}" has {len(listed[wrong])} rows, "subset" has {n_rows}: write it again')
    for row in range(n_rows):
        yield {name: value[row] if name in listed else value for name, value in columns.items()}


def _judged(fields: Mapping[str, Any]) -> dict[str, Any]:
    judged = dict(fields)
    if "score_1" in fields:
        names = takewhile(fields.__contains__, (f"score_{number}" for number in count(1)))
        if isinstance(fields.get("scores"), list):  # PPE's say which responses are right
            judged.setdefault("correct", fields["scores"])
        judged["scores"] = [fields[name] for name in names]
        return judged
    rejected = next((fields[name] for name in _REJECTED if name in fields), None)
    if fields.get("chosen_reward") is not None and rejected is not None:
        judged["scores"] = [fields["chosen_reward"], *(rejected if isinstance(rejected, list) else [rejected])]
        return judged
    if fields.get("scores") is None and any(fields.get(name) is None for name in _OWN_SCORES):
        for name in _OWN_SCORES:
            judged.pop(name, None)
        said = fields.get("results", fields.get("is_correct"))
        if said in _VERDICTS and "prediction" not in fields:
            judged["prediction"] = _VERDICTS[said]
    return judged
