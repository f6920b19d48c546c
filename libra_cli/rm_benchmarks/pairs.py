"""Any pairs with a known preference: is the better response preferred?"""

from __future__ import annotations

from collections.abc import Iterator

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of
from libra_cli.rm_benchmarks.verdicts import beats_all, null_reason, signs
from libra_cli.tasks.rank import preferred


class Pairs(Benchmark):
    """Accuracy by `subset`: the judge's side is that of `preference`, or the chosen response beats each rejected one.

    A tie is right only where the preference is one. A verdict that cannot be read is not right, and is counted.
    """

    name, title = "pairs", "pairs"

    def recognises(self, fields: Fields) -> bool:
        return preferred(fields.get("preference")) is not None or ("chosen" in fields and "rejected" in fields)

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        group, problem = str(fields.get("subset", "all")), cluster_of(fields)
        preference = preferred(fields.get("preference"))
        if preference is not None:
            (sign,) = signs(fields, [(0, 1)])
            yield BenchmarkPoint(
                group, problem, float(sign == preference), null_reason(fields) if sign is None else None
            )
        elif "chosen" in fields and "rejected" in fields:
            won = beats_all(signs(fields, _pairs(fields)))
            yield BenchmarkPoint(group, problem, float(won is True), null_reason(fields) if won is None else None)
        else:
            raise ValueError('no "preference" (A>B, B>A or A=B), and no "chosen" and "rejected": give one')


def _pairs(fields: Fields) -> list[tuple[int, int]]:
    chosen, rejected = (_count(fields[name]) for name in ("chosen", "rejected"))
    return [(better, chosen + worse) for better in range(chosen) for worse in range(rejected)]


def _count(value: object) -> int:
    """How many responses: a conversation is one."""
    return len(value) if isinstance(value, list) and all(isinstance(text, str) for text in value) else 1
