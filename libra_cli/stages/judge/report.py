"""Report of each judge of a run: rows, votes, unreadable verdicts, and how much the order of a pair decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.metrics.agreement import wilson_interval
from libra_cli.metrics.position_bias import PositionBias
from libra_cli.plural import counted
from libra_cli.sampling.judgments import ordered_verdicts

Fields = Mapping[str, Any]


@dataclass
class JudgeReport:
    """The counts of one judge."""

    rows: int = 0
    gated: int = 0
    votes: int = 0
    unjudged: Counter[str] = field(default_factory=Counter)
    null: Counter[str] = field(default_factory=Counter)
    n_tokens: list[int] = field(default_factory=lambda: [0, 0])
    """Votes of known length, and their tokens."""
    position_bias: PositionBias = field(default_factory=PositionBias)
    probes: dict[str, Counter[int | None]] = field(default_factory=dict)
    """Predictions per probe; 1 means that the judge was fooled."""

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
        self.position_bias.add(ordered_verdicts(judgments))

    def figures(self) -> dict[str, Any]:
        """The report as JSON: rates are shares, the flip rate with its 95% Wilson interval."""
        counted, tokens = self.n_tokens
        figures: dict[str, Any] = {
            "rows": self.rows,
            "unjudged": dict(sorted(self.unjudged.items())),
            "gated": self.gated,
            "votes": self.votes,
            "null": dict(sorted(self.null.items())),
            "mean_tokens": tokens / counted if counted else None,
            **self.position_bias.figures(),
        }
        if self.probes:
            by_name = {name: _accepted(counts) for name, counts in self.probes.items()}
            figures["probes"] = {**by_name, "all": _accepted(sum(self.probes.values(), Counter()))}
        return figures


def _accepted(counts: Counter[int | None]) -> dict[str, Any]:
    """How often a probe was accepted as correct; no verdict is no acceptance."""
    n, accepted = counts.total(), counts[1]
    return {
        "n": n,
        "false_positives": accepted,
        "rate": accepted / n,
        "interval": wilson_interval(accepted, n),
        "null": counts[None],
    }


class JudgeReports:
    """The reports of all judges of a run, in the order of their first row."""

    def __init__(self) -> None:
        self._judges: dict[str, JudgeReport] = {}

    def add(self, row: Fields) -> None:
        """Counts one judged row, of this run or an earlier one."""
        self._judges.setdefault(str(row["judge"]), JudgeReport()).add(row)

    def figures(self) -> list[dict[str, Any]]:
        """The figures of each judge."""
        return [{"judge": name, **judge.figures()} for name, judge in self._judges.items()]


def in_words(figures: Fields) -> list[str]:
    """The figures of one judge in words, a line each."""
    name = figures["judge"]
    refused = f"{_counted(figures['unjudged'], 'unjudged')}, {counted(figures['gated'], 'non-answer')}"
    rows = f"{counted(figures['rows'], 'row')} judged, {refused}"
    votes = f"{counted(figures['votes'], 'vote')}, {_counted(figures['null'], 'null')}"
    tokens = figures["mean_tokens"]
    lines = [f"{name}: {rows}; {votes}" + (f"; {tokens:.1f} tokens a vote" if tokens is not None else "")]
    if "position" in figures:
        flips = ""
        if "flip_rate" in figures:
            rate = _rate(figures["flip_rate"], figures["flip_interval"])
            flips = f"flip rate {rate} of {figures['swaps']} comparisons in both orders; "
        first, second, tie = (_percent(figures["position"][place]) for place in ("first", "second", "tie"))
        lines.append(f"{name}: {flips}verdicts for the first shown {first}, for the second {second}, ties {tie}")
    for probe, counts in figures.get("probes", {}).items():
        null = f", {counts['null']} null" if counts["null"] else ""
        rate = _rate(counts["rate"], counts["interval"])
        lines.append(f"{name}: {probe}: {counts['false_positives']} of {counts['n']} accepted, {rate}{null}")
    return lines


def _counted(counts: Mapping[str, int], name: str) -> str:
    kinds = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    return f"{sum(counts.values())} {name}" + (f" ({kinds})" if kinds else "")


def _rate(share: float, interval: Sequence[float]) -> str:
    low, high = interval
    return f"{_percent(share)} [{_percent(low)}, {_percent(high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
