"""RMB: pairs and best-of-N lists for two aims (arXiv 2410.09893; Zhou-Zoey/RMB-Reward-Model-Benchmark)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from libra_cli.rm_benchmarks.base import (
    Benchmark,
    BenchmarkPart,
    BenchmarkPoint,
    Fields,
    ProtocolName,
    cluster_of,
    required,
)
from libra_cli.rm_benchmarks.judged_rows import beats_all, null_reason, signs

_UNIQUE_FIELDS = ("bon_uid", "bon_best", "pair_uid", "reject")
"""Fields of its lists and its pairs."""


class RMB(Benchmark):
    """A pair is right if the chosen response is strictly better; a list, if the best response beats every loser.

    A tie or an unreadable verdict fails the pair or the list. A list may be one row, or a row for each loser.
    """

    name, title = "rmb", "RMB"
    groups = ("Helpful BoN", "Helpful Pair", "Harmful BoN", "Harmful Pair")

    def recognises(self, fields: Fields) -> bool:
        return "category_path" in fields and any(name in fields for name in _UNIQUE_FIELDS)

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint | BenchmarkPart]:
        is_list = "bon_uid" in fields or "bon_best" in fields
        aim = "Harmful" if "harm" in str(required(fields, "category_path")).lower() else "Helpful"
        n_losers, given = 1, fields.get("scores")
        if is_list and "loser_list" not in fields and isinstance(given, list) and len(given) > 1:  # of a result file
            n_losers = len(given) - 1
            if n_losers == 1:
                (sign,) = signs(fields, [(0, 1)])
                numbers, reason = (None, null_reason(fields)) if sign is None else ((float(sign),), None)
                yield BenchmarkPart(str(required(fields, "bon_uid")), f"{aim} BoN", numbers, reason)
                return
        elif is_list:
            losers = required(fields, "loser_list")
            if not isinstance(losers, list) or not losers:
                raise ValueError('"loser_list" is no list of responses: keep the fields of the benchmark')
            n_losers = len(losers)
        won = beats_all(signs(fields, [(0, loser) for loser in range(1, 1 + n_losers)]))
        cluster = cluster_of(fields, "conversation_input", "bon_uid", "pair_uid")
        reason = null_reason(fields) if won is None else None
        yield BenchmarkPoint(f"{aim} {'BoN' if is_list else 'Pair'}", cluster, float(won is True), reason)

    def join(self, parts: Iterable[BenchmarkPart], protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        """The lists of which each loser has a row of its own."""
        lists: dict[tuple[str, str], list[BenchmarkPart]] = {}
        for part in parts:
            lists.setdefault((part.role, part.cluster), []).append(part)
        for (group, cluster), of_list in lists.items():
            won = beats_all(None if part.numbers is None else int(part.numbers[0]) for part in of_list)
            reason = next((part.reason for part in of_list if part.reason), None) if won is None else None
            yield BenchmarkPoint(group, cluster, float(won is True), reason)
