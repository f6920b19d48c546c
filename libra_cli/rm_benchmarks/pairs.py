"""Pairs with a known preference of any kind: does the judge prefer the better response?"""

from __future__ import annotations

from collections.abc import Iterator

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of
from libra_cli.rm_benchmarks.judged_rows import beats_all, null_reason, signs
from libra_cli.tasks.rank import preferred, why_no_preference


class Pairs(Benchmark):
    """Accuracy by `subset`: the verdict agrees with `preference`, or the chosen response beats every rejected one.

    A tie is right only if the preference is one. An unreadable verdict is not right, and is counted.
    """

    name, title = "pairs", "pairs"

    def recognises(self, fields: Fields) -> bool:
        return preferred(fields.get("preference")) is not None or ("chosen" in fields and "rejected" in fields)

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        group, problem = str(fields.get("subset", "all")), cluster_of(fields)
        if (reason := why_no_preference(fields)) is not None:
            raise ValueError(reason)
        preference = preferred(fields.get("preference"))
        if preference is not None:
            (sign,) = signs(fields, [(0, 1)])
            reason = null_reason(fields) if sign is None else None
            yield BenchmarkPoint(group, problem, float(sign == preference), reason)
        elif "chosen" in fields and "rejected" in fields:
            sides = [fields[name] for name in ("chosen", "rejected")]
            are_lists = [isinstance(side, list) and all(isinstance(text, str) for text in side) for side in sides]
            # A conversation is one response.
            n_chosen, n_rejected = (len(side) if is_list else 1 for side, is_list in zip(sides, are_lists, strict=True))
            pairs = [(better, n_chosen + worse) for better in range(n_chosen) for worse in range(n_rejected)]
            won = beats_all(signs(fields, pairs))
            yield BenchmarkPoint(group, problem, float(won is True), null_reason(fields) if won is None else None)
        else:
            raise ValueError('no "preference" (A>B, B>A or A=B), and no "chosen" and "rejected": give one')
