"""Preference Proxy Evaluations: human preferences and correctness (arXiv 2410.14872; cards of lmarena-ai/PPE-*)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of, required
from libra_cli.rm_benchmarks.judged_rows import null_reason, signs

CORRECTNESS = ("MMLU-Pro", "MATH", "GPQA", "MBPP-Plus", "IFEval")
CORRECT = "correct"
"""The field that says which responses are right. The benchmark calls it `scores`, a name that judges need."""

_WINNERS = {"model_a": 1, "model_b": -1}  # all others are ties (not checked against its code)
_AROUND = re.compile(r"^ppe|bestofk$|[^a-z0-9]")
_BY_NAME = {name.lower().replace("-", ""): name for name in CORRECTNESS}


class PPEPreference(Benchmark):
    """Agreement with people on pairs of which they preferred one.

    Their ties are left out (not checked against its code).
    """

    name, title, groups = "ppe-preference", "PPE Preference", ("PPE Preference",)

    def recognises(self, fields: Fields) -> bool:
        return "winner" in fields and ("response_1" in fields or "score_1" in fields)

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        winner = _WINNERS.get(str(fields.get("winner")))
        (sign,) = signs(fields, [(0, 1)])
        prompt = cluster_of(fields, "prompt", "question_id")
        if winner is None:
            yield BenchmarkPoint("PPE Preference", prompt, None, "no_preference")
        else:
            reason = null_reason(fields) if sign is None else None
            yield BenchmarkPoint("PPE Preference", prompt, float(sign == winner), reason)


class PPECorrectness(Benchmark):
    """Accuracy on the sampled pairs of a right and a wrong response, and the plain mean of the five benchmarks.

    A pair that was sampled twice counts twice. A tie is not right (not checked against its code).
    """

    name, title, groups = "ppe-correctness", "PPE Correctness", CORRECTNESS

    def recognises(self, fields: Fields) -> bool:
        return "sampled_conflict_pairs" in fields

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        group, pairs = _benchmark_name(fields), list(conflict_pairs(fields))
        problem = f"{group}:{cluster_of(fields, 'question_id', 'prompt')}"
        for sign in signs(fields, pairs):
            yield BenchmarkPoint(group, problem, float(sign == 1), null_reason(fields) if sign is None else None)


def conflict_pairs(fields: Fields) -> Iterator[tuple[int, int]]:
    """Yields the indices (right, wrong) of each sampled pair; raises ValueError if the row does not tell them apart."""
    right = fields.get(CORRECT)
    if not isinstance(right, list):
        hint = f"libra collect --map scores={CORRECT} keeps them apart from a judge's scores"
        raise ValueError(f'no "{CORRECT}" that says which responses are right: {hint}')
    for pair in required(fields, "sampled_conflict_pairs"):
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(isinstance(index, int) for index in pair)
        first, second = pair if is_pair else (-1, -1)
        if not (0 <= first < len(right) and 0 <= second < len(right)) or bool(right[first]) == bool(right[second]):
            raise ValueError(
                f'"sampled_conflict_pairs" has {pair!r}, which is no right and wrong response; leave it out'
            )
        yield (first, second) if right[first] else (second, first)


def _benchmark_name(fields: Fields) -> str:
    """The name of the benchmark of a row, spelled as in the paper or as its data set (PPE-GPQA-Best-of-K)."""
    for field in ("subset", "domain", "source", "benchmark"):
        key = _AROUND.sub("", _AROUND.sub("", str(fields.get(field)).lower()))
        if key in _BY_NAME:
            return _BY_NAME[key]
    raise ValueError(f'no "subset" that says which of {", ".join(CORRECTNESS)}: libra collect --set subset=GPQA')
