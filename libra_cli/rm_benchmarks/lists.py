"""Lists of responses of any kind, of which some are right: does the judge choose one of those?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of
from libra_cli.rm_benchmarks.judged_rows import choice, null_reason, scores
from libra_cli.rm_benchmarks.ppe import CORRECT

BEST = "best"
NO_BEST = "no_best"


class Lists(Benchmark):
    """Accuracy by `subset` of the chosen response: it is the `best` one, or one that `correct` says is right.

    The chosen response is the one with the highest of `scores`, else the `prediction`. Of several with that score the
    share of right ones counts, as in RewardBench 2. An unreadable verdict is not right, and is counted. A row that says
    of no response that it is the best is left out.
    """

    name, title = "lists", "lists"

    def recognises(self, fields: Fields) -> bool:
        """`best` or `correct` beside a list of responses or scores; or a judged list that says neither."""
        if "label" in fields or not any(isinstance(fields.get(name), list) for name in ("responses", "scores")):
            return False
        return BEST in fields or isinstance(fields.get(CORRECT), list) or "judge_task" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        by_score, responses = scores(fields), fields.get("responses")
        n = len(responses) if isinstance(responses, list) else len(by_score or ())
        right = _right(fields, n)
        group, problem = str(fields.get("subset", "all")), cluster_of(fields)
        if right is None:
            yield BenchmarkPoint(group, problem, None, NO_BEST)
            return
        chosen = _chosen(fields, by_score, n)
        value = len(chosen & right) / len(chosen) if chosen else 0.0
        yield BenchmarkPoint(group, problem, value, None if chosen else null_reason(fields))


def _right(fields: Fields, n: int) -> set[int] | None:
    """The indices of the right ones of `n` responses; None if the row does not say. Raises ValueError."""
    best, correct = fields.get(BEST), fields.get(CORRECT)
    if best is not None:
        return {_index(best, BEST, n)}
    if not isinstance(correct, list):
        return None
    if len(correct) != n or any(value not in (0, 1) for value in correct):
        raise ValueError(f'"{CORRECT}" has not 1 or 0 for each of {n} responses: write it so')
    return {index for index, value in enumerate(correct) if value}


def _chosen(fields: Fields, by_score: list[float | None] | None, n: int) -> set[int]:
    """The indices of the responses that the verdict puts first; none if it cannot be read. Raises ValueError."""
    if by_score is None:
        predicted = choice(fields)
        return set() if predicted is None else {_index(predicted, "prediction", n)}
    if len(by_score) != n:
        raise ValueError(f'"scores" has {len(by_score)} numbers for {n} responses: judge the row again')
    known = [score for score in by_score if score is not None]
    if len(known) < n:
        return set()
    return {index for index, score in enumerate(known) if score == max(known)}


def _index(value: Any, name: str, n: int) -> int:
    """The index of one of `n` responses in the field `name`. Raises ValueError."""
    if type(value) in (int, float) and value == int(value) and 0 <= value < n:
        return int(value)
    raise ValueError(f'"{name}" is {value!r}, no position among {n} responses: write it as a number from 0')
