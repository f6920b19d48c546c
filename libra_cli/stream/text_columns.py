"""Columns of tables that hold texts: what a number and an empty cell are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from libra_cli.stream.common_names import COMMON_NAMES, CONTEXTS, QUESTION, RESPONSE, plain_name

_PAIRS = (("response_a", "response_b"), ("chosen", "rejected"))
_RESPONSES = frozenset((RESPONSE, "response_with_cot", *COMMON_NAMES[RESPONSE]))
TEXTS = frozenset((QUESTION, *COMMON_NAMES[QUESTION], *CONTEXTS, "text", *_RESPONSES, *sum(_PAIRS, ())))
"""Fields of texts, by their plain names."""
OWN_TEXTS = (QUESTION, RESPONSE, "response_with_cot", *_PAIRS[0])
"""Those of libra's own names, which hold text whatever else the row is."""


def as_text(value: Any) -> Any:
    """The text of a number; any other value as it is."""
    return str(value) if type(value) in (int, float) else value


class TextColumns:
    """Those of a table's columns that hold texts: by their names, or by the fields that options take them for."""

    def __init__(self, columns: Iterable[str], taken: Mapping[str, str] | None = None):
        """`taken`: column -> field."""
        fields = {column: plain_name((taken or {}).get(column, column)) for column in columns}
        self._texts = frozenset(column for column, field in fields.items() if field in TEXTS)
        groups = [_RESPONSES, *map(frozenset, _PAIRS)]
        self._groups = [[column for column, field in fields.items() if field in group] for group in groups]

    def __contains__(self, column: str) -> bool:
        return column in self._texts

    def fill(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with empty texts for the nulls of empty cells that say that a model wrote nothing.

        That is so of a response if no other column holds one (`response_with_cot` may, beside a response that ends
        inside its thinking), and of one of a pair if the other is there. Any other empty cell stays null.
        """
        responses, *pairs = self._groups
        if responses and all(row[column] is None for column in responses):
            row.update(dict.fromkeys(responses, ""))
        for pair in pairs:
            if any(row[column] is not None for column in pair):
                row.update((column, "") for column in pair if row[column] is None)
        return row
