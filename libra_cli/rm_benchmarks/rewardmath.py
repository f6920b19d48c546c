"""RewardMATH: one right solution against nine wrong ones (kimsh0507/RewardMATH_official: src/evaluation/eval.py)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from libra_cli.rm_benchmarks.base import (
    Benchmark,
    BenchmarkPart,
    BenchmarkPoint,
    Fields,
    Floats,
    ProtocolName,
    cluster_of,
    pick,
    required,
)
from libra_cli.rm_benchmarks.judged_rows import null_reason, signs

RIGHT = "human_to_GPT-4"
"""The `solution_reference` of the right solution."""

WRONG = 9
"""Wrong solutions of a problem; with fewer the comparison would be easier."""


class RewardMATH(Benchmark):
    """Accuracy: the right solution scores above all wrong ones. MRR: the mean of 1 / its rank, last among equals.

    A row is one solution of a problem, or one pair (the right solution must win all). A solution without a readable
    score ranks last, as in its code. Problems that lack solutions are left out and counted.
    """

    name, title, groups = "rewardmath", "RewardMATH", ("accuracy", "MRR")
    overall_is = "pooled"
    derived = frozenset({"MRR"})

    def recognises(self, fields: Fields) -> bool:
        return "solution_reference" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPart]:
        problem, references = cluster_of(fields), required(fields, "solution_reference")
        if isinstance(references, list):
            # The benchmark's result files have a row per problem: the scores, or the winners of all pairs.
            results, positions = fields.get("score"), fields.get("chosen_position", [None] * len(references))
            if not all(isinstance(values, list) and len(values) == len(references) for values in (results, positions)):
                reason = '"score" and "solution_reference" are not lists of one length: keep the result file as it is'
                raise ValueError(reason)
            for reference, result, position in zip(references, results or (), positions, strict=True):
                if position is None:
                    yield _solution(problem, reference, result, "no_verdict")
                else:
                    yield _pair(problem, result, position, "no_verdict")
        elif fields.get("chosen_position") is not None:
            (sign,) = signs(fields, [(0, 1)])
            winner = {1: "A", -1: "B"}.get(sign) if sign is not None else None
            yield _pair(problem, winner, fields["chosen_position"], null_reason(fields))
        else:
            yield _solution(problem, references, fields.get("score"), null_reason(fields))

    def join(self, parts: Iterable[BenchmarkPart], protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        by_problem: dict[str, list[BenchmarkPart]] = {}
        for part in parts:
            by_problem.setdefault(part.cluster, []).append(part)
        for problem, of_problem in by_problem.items():
            reason = next((part.reason for part in of_problem if part.reason), None)
            right, wrong = _scores(of_problem)
            if not right or len(wrong) != WRONG:
                yield BenchmarkPoint("accuracy", problem, None, "incomplete_problem")
                continue
            yield BenchmarkPoint("accuracy", problem, float(min(right) > max(wrong)), reason)
            yield BenchmarkPoint("MRR", problem, 1 / (1 + sum(score >= max(right) for score in wrong)))

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        return pick(sections, names, ["accuracy"])[..., 0]


def _pair(problem: str, winner: str | None, chosen: str, reason: str) -> BenchmarkPart:
    return BenchmarkPart(problem, "pair", (float(winner == chosen),), reason if winner is None else None)


def _solution(problem: str, reference: str, score: Any, reason: str) -> BenchmarkPart:
    role = "right" if reference == RIGHT else "wrong"
    if not isinstance(score, (int, float)) or isinstance(score, bool):
        return BenchmarkPart(problem, role, None, reason)
    return BenchmarkPart(problem, role, (float(score),))


def _scores(parts: Sequence[BenchmarkPart]) -> tuple[list[float], list[float]]:
    """The scores of right and wrong solutions; from pairs, 1 + wins for the right one and 1 or more for a wrong one."""
    pairs = [part.numbers[0] for part in parts if part.role == "pair" and part.numbers]
    if pairs:
        return [1 + sum(pairs)], [1.0 if won else len(pairs) + 2.0 for won in pairs]
    scores: dict[str, list[float]] = {"right": [], "wrong": []}
    for part in parts:
        if part.role in scores:
            scores[part.role].append(part.numbers[0] if part.numbers else -math.inf)
    return scores["right"], scores["wrong"]
