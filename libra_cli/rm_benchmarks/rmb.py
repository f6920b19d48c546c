"""RMB: pairs and best-of-N lists for two aims (arXiv 2410.09893; Zhou-Zoey/RMB-Reward-Model-Benchmark)."""

from __future__ import annotations

from collections.abc import Iterator

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPoint, Fields, ProtocolName, cluster_of, kept
from libra_cli.rm_benchmarks.verdicts import beats_all, null_reason, signs

_OWN = ("bon_uid", "bon_best", "pair_uid", "reject")
"""Fields of its lists and of its pairs."""


class RMB(Benchmark):
    """A pair is right where the chosen response is strictly better; a list, where the best one beats every loser.

    A tie, and a verdict that cannot be read, fail the pair or the list.
    """

    name, title = "rmb", "RMB"
    groups = ("Helpful BoN", "Helpful Pair", "Harmful BoN", "Harmful Pair")

    def recognises(self, fields: Fields) -> bool:
        return "category_path" in fields and any(name in fields for name in _OWN)

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        is_list = "bon_uid" in fields or "bon_best" in fields
        aim = "Harmful" if "harm" in str(kept(fields, "category_path")).lower() else "Helpful"
        losers = range(1, 1 + _losers(fields)) if is_list else range(1, 2)
        won = beats_all(signs(fields, [(0, loser) for loser in losers]))
        group = f"{aim} {'BoN' if is_list else 'Pair'}"
        yield BenchmarkPoint(
            group,
            cluster_of(fields, "conversation_input"),
            float(won is True),
            null_reason(fields) if won is None else None,
        )


def _losers(fields: Fields) -> int:
    losers = kept(fields, "loser_list")
    if not isinstance(losers, list) or not losers:
        raise ValueError('"loser_list" is no list of responses: keep the fields of the benchmark')
    return len(losers)
