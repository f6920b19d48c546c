"""Report of verify: how far annotators agree, as numbers and in words."""

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
RULE_VERDICTS = ("correct", "wrong", "null")
PANEL_VERDICTS = (*RULE_VERDICTS, "split")


class AgreementReport:
    """Counts of labels and votes, row by row; its size does not grow with the rows."""

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        """Rows by `correct`, `wrong` and `undecided REASON`."""
        self._human = 0
        self._annotators: dict[str, Counter[str]] = {}
        """Per model, votes by verdict or by the reason for having none."""
        self._pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
        """Per two annotators, their verdicts on the same rows."""
        self._models_disagree: Counter[bool] = Counter()
        self._confusion: Counter[tuple[str, str]] = Counter()
        """Rows by the verdicts of rule and panel."""

    def add(self, fields: Fields) -> None:
        """Counts a row by its final `label` and `verification`."""
        self.labels[label_name(fields)] += 1
        votes = fields["verification"].get("votes", ())
        self._human += of_a_person(votes) is not None
        models = of_models(votes)
        if not models:
            return
        for vote in models:
            verdict = vote["verdict"] or str(vote.get("reason"))
            self._annotators.setdefault(vote["annotator"], Counter())[verdict] += 1
        verdicts = [vote["verdict"] for vote in models if vote["verdict"]]
        if len(verdicts) > 1:
            self._models_disagree[len(set(verdicts)) > 1] += 1
        rules = [vote for vote in votes if vote["annotator"] == RULE]
        for one, other in combinations([vote for vote in [*rules, *models] if vote["verdict"]], 2):
            pair = self._pairs.setdefault((one["annotator"], other["annotator"]), Counter())
            pair[one["verdict"], other["verdict"]] += 1
        for rule in rules:
            self._confusion[rule["verdict"] or "null", panel_verdict(models)] += 1

    @property
    def has_votes(self) -> bool:
        """Whether any model or person voted."""
        return bool(self._annotators or self._human)

    def figures(self) -> dict[str, Any]:
        """The report as JSON; rates are shares, with their 95% Wilson intervals."""
        why = {name: name.split(" ", 1)[1] for name in sorted(self.labels) if name.startswith("undecided")}
        undecided = {reason: self.labels[name] for name, reason in why.items()}
        annotators = []
        for name, counts in self._annotators.items():
            null = {reason: n for reason, n in sorted(counts.items()) if reason not in VERDICTS.values()}
            annotators.append({"annotator": name, "correct": counts["correct"], "wrong": counts["wrong"], "null": null})
        pairs = []
        for names, verdicts in self._pairs.items():
            kappa = cohen_kappa(verdicts)
            rows = sum(verdicts.values())
            pairs.append({"between": list(names), "rows": rows, "agreement": agreement(verdicts), "kappa": kappa})
        # Only rows count on which both the rule and a unanimous panel decided.
        both = {pair: self._confusion[pair] for pair in self._confusion if "null" not in pair and "split" not in pair}
        contradictions = sum(n for (rule, panel), n in both.items() if rule != panel)
        return {
            "rows": self.labels.total(),
            "labels": {"correct": self.labels["correct"], "wrong": self.labels["wrong"], "undecided": undecided},
            "human": self._human,
            "annotators": annotators,
            "pairs": pairs,
            "models": _rate(self._models_disagree[True], self._models_disagree.total(), PAPER["models"]),
            "rule_against_panel": _rate(contradictions, sum(both.values()), PAPER["rule_against_panel"]),
            "confusion": {
                rule: {panel: self._confusion[rule, panel] for panel in PANEL_VERDICTS} for rule in RULE_VERDICTS
            },
        }


def panel_verdict(models: Sequence[Vote]) -> str:
    """`correct`, `wrong`, `null` (one of the models has no verdict) or `split`."""
    label, reason = unanimous(models)
    return VERDICTS[label] or ("split" if reason == DISAGREEMENT else "null")


def _rate(disagreements: int, rows: int, paper: float) -> dict[str, Any]:
    return {
        "rows": rows,
        "disagreements": disagreements,
        "rate": disagreements / rows if rows else None,
        "wilson_95": wilson_interval(disagreements, rows),
        "paper": paper,
    }


def table(figures: Mapping[str, Any]) -> str:
    """The report in words; empty without a panel."""
    if not figures["annotators"]:
        return ""
    annotators = []
    for annotator in figures["annotators"]:
        null = annotator["null"]
        why = ", ".join(f"{reason} {n:,}" for reason, n in null.items())
        counts = (annotator["correct"], annotator["wrong"], sum(null.values()))
        annotators.append([annotator["annotator"], *(f"{count:,}" for count in counts), why])
    parts = [render_table(("annotator", "correct", "incorrect", "null", "why null"), annotators, texts=(0, 4))]

    pairs = []
    for pair in figures["pairs"]:
        kappa = "-" if pair["kappa"] is None else f"{pair['kappa']:.3f}"
        pairs.append([" and ".join(pair["between"]), f"{pair['rows']:,}", _percent(pair["agreement"]), kappa])
    if pairs:
        parts.append(render_table(("between", "rows", "agreement", "kappa"), pairs))

    names = {"models disagree": "models", "rule against panel": "rule_against_panel"}
    parts.append("".join(_rate_in_words(title, figures[name]) + "\n" for title, name in names.items()))

    confusion = figures["confusion"]
    if any(sum(row.values()) for row in confusion.values()):
        shown = {"wrong": "incorrect"}  # the verdicts of votes, in the word for responses
        lines = [
            [shown.get(rule, rule), *(f"{row[panel]:,}" for panel in PANEL_VERDICTS)] for rule, row in confusion.items()
        ]
        header = ("rule \\ panel", *(shown.get(panel, panel) for panel in PANEL_VERDICTS))
        parts.append(render_table(header, lines))
    return "\n".join(part for part in parts if part)


def _rate_in_words(title: str, rate: Mapping[str, Any]) -> str:
    paper = f"paper: {_percent(rate['paper'])}"
    if not rate["rows"]:
        return f"{title}: there are no rows on which they could ({paper})"
    low, high = rate["wilson_95"]
    share = f"{rate['disagreements']:,} of {rate['rows']:,}"
    return f"{title}: {share}, {_percent(rate['rate'])} (95%: {_percent(low)} to {_percent(high)}; {paper})"


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"
