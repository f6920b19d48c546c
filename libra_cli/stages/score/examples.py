"""The most confident wrong verdicts of each section, kept for the page while rows stream by."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush, heappushpop
from itertools import count
from typing import Any

from libra_cli.rm_benchmarks.judged_rows import choice, scores, signs
from libra_cli.stream import rows

MAX_PER_PILE = 4

Fields = dict[str, Any]


class Examples:
    """Keeps the rows of the highest rank of each pile; the earlier one of equals."""

    def __init__(self) -> None:
        self._piles: dict[str, list[tuple[float, int, bytes, str, str]]] = {}
        self._order = count(0, -1)

    def add(self, section: str, rank: float, raw: bytes, why: str, pile_name: str = "") -> None:
        """Adds the row `raw` if it ranks among the first of the pile named `pile_name` of the section."""
        pile = self._piles.setdefault(f"{section}\0{pile_name}", [])
        entry = rank, next(self._order), raw, section, why
        if len(pile) < MAX_PER_PILE:
            heappush(pile, entry)
        else:
            heappushpop(pile, entry)

    def chosen(self, is_wrong: Callable[[Fields], bool] = lambda _: True) -> list[dict[str, Any]]:
        """The kept rows for which `is_wrong` holds, the highest rank first; of rows with the same texts the first."""
        examples, seen = [], set()
        for _, _, raw, section, why in sorted((entry for pile in self._piles.values() for entry in pile), reverse=True):
            fields = rows.parse(raw)
            if is_wrong(fields):
                example = {**row_as_example(fields), "section": section, "why": why}
                texts = str([example.get(name) for name in ("question", "response", "responses", "label")])
                if texts not in seen:
                    examples.append(example)
                seen.add(texts)
        return examples


def row_as_example(fields: Fields) -> dict[str, Any]:
    """What the page shows of a judged row: its texts, thinking apart, and its verdict."""
    from libra_cli.records.forms import item_of
    from libra_cli.tasks.thinking import split_any

    thinking = None
    whole = _text(fields.get("response_with_cot"))
    try:
        item = item_of(fields, _text(fields.get("response")))
        question, responses = item.question, list(item.responses)
        thinking = split_any(whole).thinking if whole and len(responses) == 1 else None
    except ValueError:  # a bare prediction has nothing to show but its verdict
        question, responses = _text(fields.get("question")) or "", []
    return {
        "id": rows.record_id(fields),
        "model": fields.get("model"),
        "sample": fields.get("sample"),
        "question": question,
        "reference": _text(fields.get("reference")),
        "response_thinking": thinking,
        **({"response": responses[0]} if len(responses) == 1 else {"responses": responses}),
        "label": fields.get("label", fields.get("preference")),
        "prediction": fields.get("prediction"),
        "score": fields.get("score", fields.get("scores")),
        **judgment_of(fields),
    }


def judgment_of(fields: Fields) -> dict[str, Any]:
    """What the judge of a row wrote, thinking apart: the first of its votes that can be read."""
    from libra_cli.tasks.thinking import split_any

    judgments = fields.get("judgments")
    read = (
        judgment
        for judgment in (judgments if isinstance(judgments, list) else ())
        if isinstance(judgment, dict) and isinstance(judgment.get("text"), str) and judgment.get("outcome") is not None
    )
    vote = next(read, {})
    thought = split_any(whole).thinking if (whole := _text(vote.get("text_with_cot"))) else None
    return {"judgment_thinking": thought, "judgment_text": vote.get("text")}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def explain_preference(fields: Fields) -> str:
    """Says what is wrong with a verdict on several responses."""
    if choice(fields) is None and signs(fields, [(0, 1)]) == [0]:
        return "a tie, but one response is better"
    return "the other response was preferred" if len(scores(fields) or "ab") == 2 else "another response was preferred"


def confidence(fields: Fields) -> float:
    """The distance of the highest and the lowest score, or the size of a single score; 0 without scores."""
    of_responses = fields.get("scores")
    if isinstance(of_responses, list):
        known = [score for score in of_responses if isinstance(score, (int, float))]
        if len(known) > 1:
            return float(max(known) - min(known))
    score = fields.get("score")
    return abs(float(score)) if isinstance(score, (int, float)) else 0.0
