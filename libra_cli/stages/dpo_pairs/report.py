"""What the pairs are like: how many, their length bias, and how many of them a judge that errs has turned around."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libra_cli.stages.dpo_pairs.opinions import JudgedResponse
from libra_cli.stream.text_table import render_table


@dataclass
class PairReport:
    """Counts the pairs of a run."""

    responses: int = 0
    """With a value."""
    positive: int = 0
    """Of those, the ones that are called correct."""
    queries: int = 0
    with_pairs: int = 0
    pairs: int = 0
    in_tokens: bool = True
    """Every response says its number of tokens."""
    lengths: dict[str, list[int]] = field(default_factory=lambda: {"chosen": [0, 0], "rejected": [0, 0]})
    """Sums of tokens and of characters."""
    longer: list[int] = field(default_factory=lambda: [0, 0])
    """Pairs whose chosen response is longer, in tokens and in characters."""

    def add_query(self, responses: list[JudgedResponse], n_pairs: int) -> None:
        """Counts a query."""
        self.queries += 1
        self.with_pairs += n_pairs > 0
        self.responses += len(responses)
        self.positive += sum(response.value == 1 for response in responses)

    def add_pair(self, chosen: JudgedResponse, rejected: JudgedResponse) -> None:
        """Counts a pair."""
        self.pairs += 1
        self.in_tokens = self.in_tokens and min(chosen.n_tokens, rejected.n_tokens) >= 0
        for side, response in (("chosen", chosen), ("rejected", rejected)):
            self.lengths[side][0] += response.n_tokens
            self.lengths[side][1] += response.n_chars
        self.longer[0] += chosen.n_tokens > rejected.n_tokens
        self.longer[1] += chosen.n_chars > rejected.n_chars

    def figures(self, left_out: Mapping[str, int], confusion: Mapping[str, int] | None) -> dict[str, Any]:
        """All of it as JSON."""
        unit = 0 if self.in_tokens else 1
        mean = {side: sums[unit] / self.pairs if self.pairs else None for side, sums in self.lengths.items()}
        length = {
            "unit": "tokens" if self.in_tokens else "characters",
            **mean,
            "chosen_is_longer": self.longer[unit] / self.pairs if self.pairs else None,
        }
        figures: dict[str, Any] = {
            "pairs": self.pairs,
            "queries": self.queries,
            "queries_with_pairs": self.with_pairs,
            "responses": self.responses,
            "correct": self.positive,
            "left_out": dict(sorted(left_out.items())),
            "length": length,
        }
        if confusion is not None:
            figures["flips"] = flips_of(confusion, self.positive / self.responses if self.responses else 0.0)
        return figures


def flips_of(confusion: Mapping[str, int], positive: float) -> dict[str, float | None]:
    """`pair_flips` of a judge by its confusion matrix, where it calls the share `positive` of the responses correct.

    The share that is correct follows from both rates (Rogan and Gladen, American Journal of Epidemiology 107, 1978).
    """
    tpr = confusion["tp"] / (confusion["tp"] + confusion["fn"])
    fpr = confusion["fp"] / (confusion["fp"] + confusion["tn"])
    if tpr <= fpr:
        return {"tpr": tpr, "fpr": fpr, "base_rate": None}
    base_rate = min(1.0, max(0.0, (positive - fpr) / (tpr - fpr)))
    return {"tpr": tpr, "fpr": fpr, "base_rate": base_rate, **pair_flips(tpr, fpr, base_rate)}


def pair_flips(tpr: float, fpr: float, base_rate: float) -> dict[str, float | None]:
    """Shares of a judge's pairs that are right, flipped, or tied (both responses correct, or both incorrect).

    `ppv`, `npv`: how often a response that it calls correct, or incorrect, is. `label_smoothing`: the share of flipped
    pairs among those that are not tied. None where the judge calls nothing correct, or nothing incorrect.
    """
    called = tpr * base_rate + fpr * (1 - base_rate)
    if not 0 < called < 1:
        return dict.fromkeys(("ppv", "npv", "right", "flipped", "tied", "label_smoothing"))
    ppv, npv = tpr * base_rate / called, (1 - fpr) * (1 - base_rate) / (1 - called)
    right, flipped = ppv * npv, (1 - ppv) * (1 - npv)
    smoothing = flipped / (right + flipped) if right + flipped else None
    return {"ppv": ppv, "npv": npv, "right": right, "flipped": flipped, "tied": 1 - right - flipped,
            "label_smoothing": smoothing}  # fmt: skip


def read_confusion(path: str) -> dict[str, int]:
    """The confusion matrix in a report of `libra score --json`. Raises ValueError if there is none, OSError."""
    with open(path, "rb") as file:
        try:
            report = json.load(file)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"is not JSON ({str(error) or 'too deep'})") from None
    cells = report.get("confusion") if isinstance(report, dict) else None
    names = ("tp", "fn", "fp", "tn")
    if not isinstance(cells, dict) or not all(type(cells.get(name)) is int and cells[name] >= 0 for name in names):
        cure = "name the output of libra score --json on the responses that one judge judged"
        raise ValueError(f'has no "confusion" with tp, fn, fp and tn; {cure}')
    if not (cells["tp"] + cells["fn"] and cells["fp"] + cells["tn"]):
        raise ValueError("has responses of one label only; both are needed")
    return {name: cells[name] for name in names}


def table(figures: Mapping[str, Any]) -> str:
    """The figures in words."""
    length, lines = figures["length"], []
    lines.append(("pairs", f"{figures['pairs']:,}"))
    lines.append(("queries with pairs", f"{figures['queries_with_pairs']:,} of {figures['queries']:,}"))
    lines.append(("responses", f"{figures['responses']:,}"))
    if length["chosen"] is not None:
        for side in ("chosen", "rejected"):
            lines.append((f"{side}, {length['unit']}", f"{length[side]:,.1f}"))
        lines.append(("chosen is longer", f"{100 * length['chosen_is_longer']:.1f}%"))
    flips = figures.get("flips")
    if flips is not None and flips.get("flipped") is not None:
        lines.append(("expected to be flipped", f"{100 * flips['flipped']:.1f}%"))
        lines.append(("suggested label smoothing", f"{flips['label_smoothing']:.3f}"))
    elif flips is not None:
        lines.append(("expected to be flipped", "unknown: the judge tells nothing apart"))
    return render_table(("preference pairs", ""), lines)
