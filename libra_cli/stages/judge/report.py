"""What each judge did in a run: rows, votes, what could not be read, and how much the order of a pair decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.metrics.agreement import wilson_interval
from libra_cli.stages.judge.votes import VALUES, sign

Fields = Mapping[str, Any]


@dataclass
class Judge:
    """The counts of one judge."""

    rows: int = 0
    gated: int = 0
    votes: int = 0
    unjudged: Counter[str] = field(default_factory=Counter)
    null: Counter[str] = field(default_factory=Counter)
    n_tokens: list[int] = field(default_factory=lambda: [0, 0])
    """Votes of which the engine said how long they are, and their tokens."""
    swaps: int = 0
    """Comparisons that could be read in both orders."""
    flips: int = 0
    """Those of them whose verdict was another one in the other order; a tie is one, too."""
    position: Counter[str] = field(default_factory=Counter)
    """Verdicts on pairs for the one that was shown `first`, `second`, or neither (`tie`)."""

    probes: dict[str, Counter[int | None]] = field(default_factory=dict)
    """Per probe, the predictions: 1 is a judge that was taken in."""

    def add(self, row: Fields) -> None:
        """Counts one judged row."""
        if "probe" in row:
            self.probes.setdefault(row["probe"], Counter())[row["prediction"]] += 1
        judgments: Sequence[Fields] = [judgment for judgment in row["judgments"] if "gate" not in judgment]
        self.rows += 1
        self.gated += "gate" in row
        self.votes += len(judgments)
        if "unjudged" in row:
            self.unjudged[row["unjudged"]] += 1
        self.null.update(judgment["reason"] for judgment in judgments if "reason" in judgment)
        lengths = [judgment["n_tokens"] for judgment in judgments if judgment.get("n_tokens") is not None]
        self.n_tokens = [self.n_tokens[0] + len(lengths), self.n_tokens[1] + sum(lengths)]
        self._add_orders([judgment for judgment in judgments if judgment.get("order") in ("AB", "BA")])

    def _add_orders(self, judgments: Sequence[Fields]) -> None:
        by_order: dict[tuple[Any, ...], dict[str, int]] = {}
        for judgment in judgments:
            if judgment["outcome"] is not None:
                shown = sign(VALUES[judgment.get("said", judgment["outcome"])])
                self.position[{1: "first", 0: "tie", -1: "second"}[shown]] += 1
                comparison = (judgment["vote"], *judgment.get("pair", ()))
                by_order.setdefault(comparison, {})[judgment["order"]] = sign(VALUES[judgment["outcome"]])
        both = [orders for orders in by_order.values() if len(orders) == 2]
        self.swaps += len(both)
        self.flips += sum(orders["AB"] != orders["BA"] for orders in both)

    def figures(self) -> dict[str, Any]:
        """As JSON: rates are shares, the flip rate with its 95% Wilson interval."""
        counted, tokens = self.n_tokens
        found: dict[str, Any] = {
            "rows": self.rows, "unjudged": dict(sorted(self.unjudged.items())), "gated": self.gated,
            "votes": self.votes, "null": dict(sorted(self.null.items())),
            "mean_tokens": tokens / counted if counted else None,
        }  # fmt: skip
        if shown := self.position.total():
            found["position"] = {place: self.position[place] / shown for place in ("first", "second", "tie")}
        if self.swaps:
            interval = wilson_interval(self.flips, self.swaps)
            found |= {"swaps": self.swaps, "flip_rate": self.flips / self.swaps, "flip_interval": interval}
        if self.probes:
            by_name = {name: _accepted(counts) for name, counts in self.probes.items()}
            found["probes"] = {**by_name, "all": _accepted(sum(self.probes.values(), Counter()))}
        return found


def _accepted(counts: Counter[int | None]) -> dict[str, Any]:
    """How often a probe was taken for a correct response; a judge that came to no verdict was not taken in."""
    n, taken = counts.total(), counts[1]
    return {"n": n, "false_positives": taken, "rate": taken / n, "interval": wilson_interval(taken, n),
            "null": counts[None]}  # fmt: skip


class Tally:
    """The counts of all judges of a run, in the order in which they came."""

    def __init__(self) -> None:
        self._judges: dict[str, Judge] = {}

    def add(self, row: Fields) -> None:
        """Counts one judged row, of this run or an earlier one."""
        self._judges.setdefault(str(row["judge"]), Judge()).add(row)

    def figures(self) -> list[dict[str, Any]]:
        """Per judge, what `Judge.figures` says."""
        return [{"judge": name, **judge.figures()} for name, judge in self._judges.items()]


def in_words(figures: Fields) -> list[str]:
    """The figures of one judge in words, a line each."""
    name = figures["judge"]
    rows = f"{figures['rows']} rows judged, {_counted(figures['unjudged'], 'unjudged')}, {figures['gated']} gated"
    votes = f"{figures['votes']} votes, {_counted(figures['null'], 'null')}"
    tokens = figures["mean_tokens"]
    lines = [f"{name}: {rows}; {votes}" + (f"; {tokens:.1f} tokens a vote" if tokens is not None else "")]
    if "position" in figures:
        shares = figures["position"]
        lines.append(f"{name}: {_flips(figures)}verdicts for the first shown {_percent(shares['first'])}, for the "
                     f"second {_percent(shares['second'])}, ties {_percent(shares['tie'])}")  # fmt: skip
    for probe, found in figures.get("probes", {}).items():
        low, high = found["interval"]
        rate = f"{_percent(found['rate'])} [{_percent(low)}, {_percent(high)}]"
        null = f", {found['null']} null" if found["null"] else ""
        lines.append(f"{name}: {probe}: {found['false_positives']} of {found['n']} accepted, {rate}{null}")
    return lines


def _flips(figures: Fields) -> str:
    if "flip_rate" not in figures:
        return ""
    low, high = figures["flip_interval"]
    share = f"{_percent(figures['flip_rate'])} [{_percent(low)}, {_percent(high)}]"
    return f"flip rate {share} of {figures['swaps']} comparisons in both orders; "


def _counted(counts: Mapping[str, int], name: str) -> str:
    kinds = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    return f"{sum(counts.values())} {name}" + (f" ({kinds})" if kinds else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
