"""How far annotators agree: what a run says at its end, as numbers and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from libra_cli.metrics.agreement import agreement, cohen_kappa, wilson_interval
from libra_cli.records.label_votes import (
    DISAGREEMENT,
    RULE,
    VERDICTS,
    Fields,
    Vote,
    label_name,
    of_a_person,
    of_models,
    unanimous,
)
from libra_cli.stream.text_table import render_table

PAPER = {"models": 0.00148, "rule_against_panel": 0.00087}
"""Disagreement that arXiv 2507.21645 reports: of its three annotators on MATH, and of rule and model on AIME."""
SAID = ("correct", "wrong", "null")
PANEL_SAID = (*SAID, "split")


class AgreementReport:
    """Counts of labels and votes, row by row; its size does not grow with the rows."""

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        """Rows by `correct`, `wrong` and `undecided REASON`."""
        self._human = 0
        self._said: dict[str, Counter[str]] = {}
        self._pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
        self._models: Counter[bool] = Counter()
        self._confusion: Counter[tuple[str, str]] = Counter()

    def add(self, fields: Fields) -> None:
        """Counts a row with the `label` and `verification` that it got."""
        self.labels[label_name(fields)] += 1
        votes = fields["verification"].get("votes", ())
        models = of_models(votes)
        self._human += of_a_person(votes) is not None
        if models:
            self._add_models(models)
            self._add_pairs([vote for vote in votes if vote["annotator"] == RULE] + models)
            for rule in (vote for vote in votes if vote["annotator"] == RULE):
                self._confusion[rule["verdict"] or "null", panel_said(models)] += 1

    def _add_models(self, models: Sequence[Vote]) -> None:
        for vote in models:
            said = vote["verdict"] or str(vote.get("reason"))
            self._said.setdefault(vote["annotator"], Counter())[said] += 1
        verdicts = [vote["verdict"] for vote in models if vote["verdict"]]
        if len(verdicts) > 1:
            self._models[len(set(verdicts)) > 1] += 1

    def _add_pairs(self, votes: Sequence[Vote]) -> None:
        for one, other in combinations([vote for vote in votes if vote["verdict"]], 2):
            pair = self._pairs.setdefault((one["annotator"], other["annotator"]), Counter())
            pair[one["verdict"], other["verdict"]] += 1

    @property
    def has_votes(self) -> bool:
        """Whether any model or person had a say."""
        return bool(self._said or self._human)

    def figures(self) -> dict[str, Any]:
        """The report as JSON; rates are shares, with their 95% Wilson intervals."""
        why = {name: name.split(" ", 1)[1] for name in sorted(self.labels) if name.startswith("undecided")}
        undecided = {reason: self.labels[name] for name, reason in why.items()}
        labels = {"correct": self.labels["correct"], "wrong": self.labels["wrong"], "undecided": undecided}
        return {
            "rows": self.labels.total(), "labels": labels, "human": self._human,
            "annotators": [{"annotator": name, **_said(counts)} for name, counts in self._said.items()],
            "pairs": [_pair(names, counts) for names, counts in self._pairs.items()],
            "models": _rate(self._models[True], self._models.total(), PAPER["models"]),
            "rule_against_panel": _rate(*self._rule_against_panel(), PAPER["rule_against_panel"]),
            "confusion": {said: {panel: self._confusion[said, panel] for panel in PANEL_SAID} for said in SAID},
        }  # fmt: skip

    def _rule_against_panel(self) -> tuple[int, int]:
        """Rows on which the rule and a unanimous panel contradict each other, and those on which both decided."""
        both = {pair: self._confusion[pair] for pair in self._confusion if "null" not in pair and "split" not in pair}
        return sum(n for (rule, panel), n in both.items() if rule != panel), sum(both.values())


def panel_said(models: Sequence[Vote]) -> str:
    """`correct`, `wrong`, `null` (one of them came to no verdict) or `split`."""
    label, reason = unanimous(models)
    return VERDICTS[label] or ("split" if reason == DISAGREEMENT else "null")


def _said(counts: Mapping[str, int]) -> dict[str, Any]:
    null = {reason: n for reason, n in sorted(counts.items()) if reason not in VERDICTS.values()}
    return {"correct": counts.get("correct", 0), "wrong": counts.get("wrong", 0), "null": null}


def _pair(names: tuple[str, str], counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {"between": list(names), "rows": sum(counts.values()), "agreement": agreement(counts),
            "kappa": cohen_kappa(counts)}  # fmt: skip


def _rate(disagreements: int, rows: int, paper: float) -> dict[str, Any]:
    interval = wilson_interval(disagreements, rows)
    return {"rows": rows, "disagreements": disagreements, "rate": disagreements / rows if rows else None,
            "wilson_95": interval, "paper": paper}  # fmt: skip


def table(figures: Mapping[str, Any]) -> str:
    """The report in words; empty where nobody was asked."""
    if not figures["annotators"]:
        return ""
    names = {"models disagree": "models", "rule against panel": "rule_against_panel"}
    rates = "".join(_shown_rate(shown, figures[name]) + "\n" for shown, name in names.items())
    parts = [_annotators(figures), _pairs(figures), rates, _confusion(figures["confusion"])]
    return "\n".join(part for part in parts if part)


def _annotators(figures: Mapping[str, Any]) -> str:
    lines = []
    for annotator in figures["annotators"]:
        null = annotator["null"]
        why = ", ".join(f"{reason} {n:,}" for reason, n in null.items())
        counts = (annotator["correct"], annotator["wrong"], sum(null.values()))
        lines.append([annotator["annotator"], *(f"{count:,}" for count in counts), why])
    return render_table(("annotator", "correct", "wrong", "null", "why null"), lines, texts=(0, 4))


def _pairs(figures: Mapping[str, Any]) -> str:
    lines = []
    for pair in figures["pairs"]:
        kappa = "-" if pair["kappa"] is None else f"{pair['kappa']:.3f}"
        lines.append([" and ".join(pair["between"]), f"{pair['rows']:,}", _percent(pair["agreement"]), kappa])
    return render_table(("between", "rows", "agreement", "kappa"), lines) if lines else ""


def _confusion(counts: Mapping[str, Mapping[str, int]]) -> str:
    if not any(sum(row.values()) for row in counts.values()):
        return ""
    lines = ([said, *(f"{row[panel]:,}" for panel in PANEL_SAID)] for said, row in counts.items())
    return render_table(("rule \\ panel", *PANEL_SAID), lines)


def _shown_rate(name: str, rate: Mapping[str, Any]) -> str:
    paper = f"paper: {_percent(rate['paper'])}"
    if not rate["rows"]:
        return f"{name}: there are no rows on which they could ({paper})"
    low, high = rate["wilson_95"]
    share = f"{rate['disagreements']:,} of {rate['rows']:,}"
    return f"{name}: {share}, {_percent(rate['rate'])} (95%: {_percent(low)} to {_percent(high)}; {paper})"


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"
