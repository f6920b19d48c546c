"""Preference Proxy Evaluations: human preferences, correctness (arXiv 2410.14872; data cards of lmarena-ai/PPE-*)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of, kept
from libra_cli.rm_benchmarks.verdicts import null_reason, signs

CORRECTNESS = ("MMLU-Pro", "MATH", "GPQA", "MBPP-Plus", "IFEval")
CORRECT = "correct"
"""Which of the responses are right. The benchmark calls it `scores`, where a judge's scores go."""

_WINNERS = {"model_a": 1, "model_b": -1}  # all others are ties: known, not read
_AROUND = re.compile(r"^ppe|bestofk$|[^a-z0-9]")
_BY_NAME = {name.lower().replace("-", ""): name for name in CORRECTNESS}


class PPEPreference(Benchmark):
    """Agreement with people on the pairs of which they preferred one: their ties are left out (known, not read)."""

    name, title, groups = "ppe-preference", "PPE Preference", ("PPE Preference",)

    def recognises(self, fields: Fields) -> bool:
        return "winner" in fields and "response_1" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        winner = _WINNERS.get(str(fields.get("winner")))
        (sign,) = signs(fields, [(0, 1)])
        prompt = cluster_of(fields)
        if winner is None:
            yield BenchmarkPoint("PPE Preference", prompt, None, "no_preference")
        else:
            yield BenchmarkPoint(
                "PPE Preference", prompt, float(sign == winner), null_reason(fields) if sign is None else None
            )


class PPECorrectness(Benchmark):
    """Accuracy on the sampled pairs of one right and one wrong response, and the plain mean of the five benchmarks.

    A pair that the benchmark sampled twice counts twice. That a tie is not right is known, not read.
    """

    name, title, groups = "ppe-correctness", "PPE Correctness", CORRECTNESS

    def recognises(self, fields: Fields) -> bool:
        return "sampled_conflict_pairs" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        group, pairs = _benchmark(fields), list(conflict_pairs(fields))
        problem = f"{group}:{cluster_of(fields, 'question_id', 'prompt')}"
        for sign in signs(fields, pairs):
            yield BenchmarkPoint(group, problem, float(sign == 1), null_reason(fields) if sign is None else None)


def conflict_pairs(fields: Fields) -> Iterator[tuple[int, int]]:
    """The (right, wrong) response of each sampled pair, by their places from 0.

    Raises ValueError where the row does not say which are right.
    """
    right = fields.get(CORRECT)
    if not isinstance(right, list):
        cure = f"libra collect --map scores={CORRECT} keeps them apart from a judge's scores"
        raise ValueError(f'no "{CORRECT}" that says which responses are right: {cure}')
    for pair in kept(fields, "sampled_conflict_pairs"):
        numbered = isinstance(pair, list) and len(pair) == 2 and all(isinstance(place, int) for place in pair)
        first, second = pair if numbered else (-1, -1)
        if not (0 <= first < len(right) and 0 <= second < len(right)) or bool(right[first]) == bool(right[second]):
            raise ValueError(
                f'"sampled_conflict_pairs" has {pair!r}, which is no right and wrong response; leave it out'
            )
        yield (first, second) if right[first] else (second, first)


def _benchmark(fields: Fields) -> str:
    """Which of the five a row is of, whether named as in the paper or as its data set (PPE-GPQA-Best-of-K)."""
    for field in ("subset", "domain", "source", "benchmark"):
        key = _AROUND.sub("", _AROUND.sub("", str(fields.get(field)).lower()))
        if key in _BY_NAME:
            return _BY_NAME[key]
    raise ValueError(f'no "subset" that says which of {", ".join(CORRECTNESS)}: libra collect --set subset=GPQA')
