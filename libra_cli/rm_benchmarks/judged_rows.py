"""What a judged row says of its responses, whether it was judged by scores, by pairs, or by the best response.

The result files of reward-model benchmarks (`score_chosen` and `score_rejected`) are judged rows, too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from libra_cli.rm_benchmarks.base import Fields
from libra_cli.tasks.rank import STRENGTH, preferred

Pair = tuple[int, int]
_SCORES = (("score_chosen", "score_rejected"), ("scores_chosen", "scores_rejected"))  # RM-Bench, RewardBench


def scores(fields: Fields) -> list[float | None] | None:
    """The score of each response, None for an unreadable one; None if responses were not scored one by one.

    A non-answer (see `gates`), and so was not scored, is below all others. Beside a verdict of `libra judge`, scores
    under the names of result files are the data set's own (UltraFeedback has them).
    """
    values = fields.get("scores")
    if isinstance(values, list):
        gates = fields.get("gates")
        gates = gates if isinstance(gates, list) and len(gates) == len(values) else [None] * len(values)
        return [_score(value, gate) for value, gate in zip(values, gates, strict=False)]
    for chosen, rejected in () if "judge_task" in fields else _SCORES:
        if chosen in fields and rejected in fields:
            sides = (fields[name] if isinstance(fields[name], list) else [fields[name]] for name in (chosen, rejected))
            return [_score(value, None) for side in sides for value in side]
    return None


def _score(value: Any, gate: str | None) -> float | None:
    value = value[0] if isinstance(value, list) and len(value) == 1 else value  # a reward head's own output
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None if gate is None else -math.inf


def judgments(fields: Fields) -> list[dict[str, Any]]:
    """The judgments of a row."""
    own = fields.get("judgments")
    return [judgment for judgment in own if isinstance(judgment, dict)] if isinstance(own, list) else []


def is_scalar(fields: Fields) -> bool:
    """Whether the scores are rewards rather than a judge's ratings, as in the result files of benchmarks."""
    return fields.get("judge_task", "scalar") == "scalar" and scores(fields) is not None


def choice(fields: Fields) -> int | None:
    """The index of the response that was chosen as the best of all."""
    index = fields.get("prediction")
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def signs(fields: Fields, pairs: Sequence[Pair]) -> list[int | None]:
    """The verdict on each pair (i, j) of indices: 1 if i is better, 0 for a tie, -1 if j is, None if unreadable."""
    by_score = scores(fields)
    if by_score is not None:
        return [compared(by_score, pair) for pair in pairs]
    by_pair = _pair_verdicts(fields)
    verdicts = [by_pair.get(pair, _gate_verdict(fields, pair)) for pair in pairs]
    if any(sign is not None for sign in verdicts):
        return verdicts
    prediction = fields.get("prediction")
    if isinstance(prediction, str):
        sign = preferred(prediction)
        of_pair = {} if sign is None else {(0, 1): sign, (1, 0): -sign}
        return [of_pair.get(pair) for pair in pairs]
    best = choice(fields)
    return [1 if best == i else -1 if best == j else None for i, j in pairs]


def compared(by_score: Sequence[float | None], pair: Pair) -> int | None:
    """The sign of the difference of two scores; None if one of them is missing."""
    first, second = (by_score[index] if index < len(by_score) else None for index in pair)
    return None if first is None or second is None else (first > second) - (first < second)


def _pair_verdicts(fields: Fields) -> dict[Pair, int]:
    """The sign of the sum of all judgments on each pair; a judgment names its `pair` (i, j) and prefers i or j."""
    sums: Counter[Pair] = Counter()
    for judgment in judgments(fields):
        strength, pair = STRENGTH.get(str(judgment.get("outcome"))), judgment.get("pair")
        if strength is not None and isinstance(pair, list) and len(pair) == 2 and {type(i) for i in pair} == {int}:
            sums[pair[0], pair[1]] += strength
            sums[pair[1], pair[0]] -= strength
    return {pair: (total > 0) - (total < 0) for pair, total in sums.items()}


def _gate_verdict(fields: Fields, pair: Pair) -> int | None:
    """The verdict on a pair that was not judged: a non-answer loses, and two of them tie."""
    gates = fields.get("gates")
    gates = gates if isinstance(gates, list) else []
    first, second = (index < len(gates) and gates[index] is not None for index in pair)
    return second - first if first or second else None


def beats_all(verdicts: Iterable[int | None]) -> bool | None:
    """Whether every verdict is 1; None if that depends on an unreadable one."""
    all_verdicts = list(verdicts)
    if any(sign is not None and sign < 1 for sign in all_verdicts):
        return False
    return None if None in all_verdicts else True


def null_reason(fields: Fields) -> str:
    """Why a row has no verdict: the reason of the row, or the first one of its judgments."""
    reasons = (fields.get("unjudged"), *(judgment.get("reason") for judgment in judgments(fields)))
    return next((str(reason) for reason in reasons if reason), "no_verdict")
