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
    kept,
    pick,
)
from libra_cli.rm_benchmarks.verdicts import null_reason, signs

RIGHT = "human_to_GPT-4"
"""Whose solution is the right one (`solution_reference`)."""

WRONG = 9
"""How many wrong solutions a problem has: against fewer it would be easier."""


class RewardMATH(Benchmark):
    """Accuracy: the right solution scores above all wrong ones. MRR: the mean of 1 / its rank, behind its equals.

    A row is one solution of a problem, or one pair (then the right one must win all). A solution without a score ranks
    last, as one whose rating cannot be read does there. A problem that is not all there is left out, and counted.
    """

    name, title, groups = "rewardmath", "RewardMATH", ("accuracy", "MRR")
    derived = frozenset({"MRR"})

    def recognises(self, fields: Fields) -> bool:
        return "solution_reference" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPart]:
        problem, references = cluster_of(fields), kept(fields, "solution_reference")
        if isinstance(references, list):
            yield from _published(problem, references, fields)
        elif fields.get("chosen_position") is not None:
            (sign,) = signs(fields, [(0, 1)])
            won = {1: "A", -1: "B"}.get(sign) if sign is not None else None
            yield _pair(problem, won, fields["chosen_position"], null_reason(fields))
        else:
            yield _solution(problem, references, fields.get("score"), null_reason(fields))

    def join(self, parts: Iterable[BenchmarkPart], protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        by_problem: dict[str, list[BenchmarkPart]] = {}
        for part in parts:
            by_problem.setdefault(part.cluster, []).append(part)
        for problem, of_problem in by_problem.items():
            yield from _problem(problem, of_problem)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        return pick(sections, names, ["accuracy"])[..., 0]


def _published(problem: str, references: list[str], fields: Fields) -> Iterator[BenchmarkPart]:
    """A row of the benchmark's result files is a problem: the scores of its solutions, or who won each pair."""
    found, places = fields.get("score"), fields.get("chosen_position", [None] * len(references))
    if not all(isinstance(values, list) and len(values) == len(references) for values in (found, places)):
        raise ValueError('"score" and "solution_reference" are not lists of one length: keep the result file as it is')
    for reference, score, place in zip(references, found or (), places, strict=True):
        yield (
            _solution(problem, reference, score, "no_verdict")
            if place is None
            else _pair(problem, score, place, "no_verdict")
        )


def _pair(problem: str, won: str | None, chosen: str, reason: str) -> BenchmarkPart:
    return BenchmarkPart(problem, "pair", (float(won == chosen),), reason if won is None else None)


def _solution(problem: str, reference: str, score: Any, reason: str) -> BenchmarkPart:
    role = "right" if reference == RIGHT else "wrong"
    if not isinstance(score, (int, float)) or isinstance(score, bool):
        return BenchmarkPart(problem, role, None, reason)
    return BenchmarkPart(problem, role, (float(score),))


def _problem(problem: str, parts: Sequence[BenchmarkPart]) -> Iterator[BenchmarkPoint]:
    reason = next((part.reason for part in parts if part.reason), None)
    right, wrong = _scores(parts)
    if not right or len(wrong) != WRONG:
        yield BenchmarkPoint("accuracy", problem, None, "incomplete_problem")
        return
    yield BenchmarkPoint("accuracy", problem, float(min(right) > max(wrong)), reason)
    yield BenchmarkPoint("MRR", problem, 1 / (1 + sum(score >= max(right) for score in wrong)))


def _scores(parts: Sequence[BenchmarkPart]) -> tuple[list[float], list[float]]:
    """The scores of right and wrong solutions; of pairs, 1 + wins for the right one, above or below each wrong one."""
    pairs = [part.numbers[0] for part in parts if part.role == "pair" and part.numbers]
    if pairs:
        return [1 + sum(pairs)], [1.0 if won else len(pairs) + 2.0 for won in pairs]
    scored = {role: [part for part in parts if part.role == role] for role in ("right", "wrong")}
    right, wrong = ([part.numbers[0] if part.numbers else -math.inf for part in scored[role]] for role in scored)
    return right, wrong
