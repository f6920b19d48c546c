"""The most instructive wrong verdicts of each section, kept while rows stream by: the most confident ones."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush, heappushpop
from itertools import count
from typing import Any

from libra_cli.stream import rows

KEPT = 4
"""Of each pile."""

Fields = dict[str, Any]


class Examples:
    """A few rows of each pile, those of the highest rank; of equal ones the first."""

    def __init__(self) -> None:
        self._piles: dict[str, list[tuple[float, int, bytes, str, str]]] = {}
        self._order = count(0, -1)

    def add(self, section: str, rank: float, raw: bytes, why: str, pile: str = "") -> None:
        """Keeps the row `raw` for as long as it is among the first of its pile."""
        kept = self._piles.setdefault(f"{section}\0{pile}", [])
        entry = rank, next(self._order), raw, section, why
        if len(kept) < KEPT:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)

    def chosen(self, is_wrong: Callable[[Fields], bool] = lambda _: True) -> list[dict[str, Any]]:
        """The rows of which `is_wrong` says that they are, the highest rank first."""
        entries = sorted((entry for kept in self._piles.values() for entry in kept), reverse=True)
        parsed = [(rows.parse(raw), section, why) for _, _, raw, section, why in entries]
        return [_shown(fields, section, why) for fields, section, why in parsed if is_wrong(fields)]


def _shown(fields: Fields, section: str, why: str) -> dict[str, Any]:
    from libra_cli.records.forms import item_of

    try:
        item = item_of(fields, _text(fields.get("response")))
        question, responses = item.question, list(item.responses)
    except ValueError:  # a bare prediction: there is nothing to read but its verdict
        question, responses = _text(fields.get("question")) or "", []
    given = {"response": responses[0]} if len(responses) == 1 else {"responses": responses}
    return {
        "id": rows.record_id(fields), "section": section, "question": question, **given,
        "label": fields.get("label", fields.get("preference")), "prediction": fields.get("prediction"),
        "score": fields.get("score", fields.get("scores")), "judgment_text": _said(fields), "why": why,
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _said(fields: Fields) -> str | None:
    """What the judge wrote for the first vote that can be read."""
    judgments = fields.get("judgments")
    for judgment in judgments if isinstance(judgments, list) else ():
        if isinstance(judgment, dict) and isinstance(judgment.get("text"), str) and judgment.get("outcome") is not None:
            return str(judgment["text"])
    return None
