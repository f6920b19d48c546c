"""What a judged row says about its responses, however it was judged: score by score, pair by pair, or best of all.

It also reads the result files of reward-model benchmarks (`score_chosen` and `score_rejected`), which are judged rows.
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
    """The score of each response, None for one that cannot be read; None where they were not scored one by one.

    A response that the gate found to be no answer, and that has no score for it, is below all others.
    """
    found = fields.get("scores")
    if isinstance(found, list):
        return [_score(value, gate) for value, gate in zip(found, _gates(fields, len(found)), strict=False)]
    for chosen, rejected in _SCORES:
        if chosen in fields and rejected in fields:
            return [_score(value, None) for name in (chosen, rejected) for value in _listed(fields[name])]
    return None


def _gates(fields: Fields, n: int) -> list[str | None]:
    """Per response: why it is no answer at all; None where it may be one."""
    found = fields.get("gates")
    return found if isinstance(found, list) and len(found) == n else [None] * n


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _score(value: Any, gate: str | None) -> float | None:
    value = value[0] if isinstance(value, list) and len(value) == 1 else value  # a reward head's own output
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None if gate is None else -math.inf


def judgments(fields: Fields) -> list[dict[str, Any]]:
    """The verdicts of a row, one by one."""
    found = fields.get("judgments")
    return [judgment for judgment in found if isinstance(judgment, dict)] if isinstance(found, list) else []


def is_scalar(fields: Fields) -> bool:
    """Whether the scores are a reward head's numbers rather than a judge's ratings: result files of benchmarks are."""
    return fields.get("judge_task", "scalar") == "scalar" and scores(fields) is not None


def choice(fields: Fields) -> int | None:
    """The place of the response that was chosen as the best of all, from 0."""
    found = fields.get("prediction")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def signs(fields: Fields, pairs: Sequence[Pair]) -> list[int | None]:
    """Per pair (i, j) of places: 1 where i is better, 0 for a tie, -1 where j is, None where no verdict can be read."""
    by_score = scores(fields)
    if by_score is not None:
        return [compared(by_score, pair) for pair in pairs]
    by_pair = _pair_verdicts(fields)
    found = [by_pair.get(pair, _by_gate(fields, pair)) for pair in pairs]
    if any(sign is not None for sign in found):
        return found
    said = fields.get("prediction")
    if isinstance(said, str):
        sign = preferred(said)
        of_pair = {} if sign is None else {(0, 1): sign, (1, 0): -sign}
        return [of_pair.get(pair) for pair in pairs]
    best = choice(fields)
    return [1 if best == i else -1 if best == j else None for i, j in pairs]


def compared(by_score: Sequence[float | None], pair: Pair) -> int | None:
    """The sign of the difference of two scores; None where one of them is missing."""
    first, second = (by_score[place] if place < len(by_score) else None for place in pair)
    return None if first is None or second is None else (first > second) - (first < second)


def _pair_verdicts(fields: Fields) -> dict[Pair, int]:
    """The sign of the sum of all that was said about each pair: a judgment names it as `pair`, and is in its terms."""
    sums: Counter[Pair] = Counter()
    for judgment in judgments(fields):
        strength, pair = STRENGTH.get(str(judgment.get("outcome"))), judgment.get("pair")
        if strength is not None and isinstance(pair, list) and len(pair) == 2 and {type(i) for i in pair} == {int}:
            sums[pair[0], pair[1]] += strength
            sums[pair[1], pair[0]] -= strength
    return {pair: (total > 0) - (total < 0) for pair, total in sums.items()}


def _by_gate(fields: Fields, pair: Pair) -> int | None:
    """Of a pair that no judge was asked about: a response that is no answer at all loses, and two of them are a tie."""
    found = fields.get("gates")
    gates = found if isinstance(found, list) else []
    first, second = (place < len(gates) and gates[place] is not None for place in pair)
    return second - first if first or second else None


def beats_all(found: Iterable[int | None]) -> bool | None:
    """Whether every sign is 1; None where that hangs on a verdict that cannot be read."""
    known = list(found)
    if any(sign is not None and sign < 1 for sign in known):
        return False
    return None if None in known else True


def null_reason(fields: Fields) -> str:
    """The reason why a row has no verdict: that of the row, or the first that a judgment gives."""
    reasons = (fields.get("unjudged"), *(judgment.get("reason") for judgment in judgments(fields)))
    return next((str(reason) for reason in reasons if reason), "no_verdict")
