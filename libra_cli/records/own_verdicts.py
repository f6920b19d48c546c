"""Labels, predictions and scores that rows spell otherwise become those of libra: their columns, and their values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import lru_cache

from libra_cli.records.own_names import in_words
from libra_cli.stream import rows
from libra_cli.stream.common_names import plain_name
from libra_cli.stream.rows import Row
from libra_cli.tasks.labels import LABEL, SCORE, VERDICTS, VerdictReader, is_verdict

Fields = Mapping[str, object]

_OTHERS = {LABEL: ("gold_label", "golden_label", "human_label"), SCORE: ("judge_score",)}
"""Columns that hold a verdict if their values are of its kind: a gold label may be a golden answer."""


@lru_cache(512)
def _spelled(columns: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The columns that may hold the field `name`, by their plain names; best first."""
    names = (name, *_OTHERS.get(name, ()))
    return tuple(own for wanted in names for own in columns if own != name and plain_name(own) == wanted)


def verdict_columns(fields: Fields, names: Collection[str] = VERDICTS) -> dict[str, str]:
    """Field that a row lacks -> the column that holds it in another spelling (`Label`, `gold-label`)."""
    found = {}
    for name in names:
        if name not in fields:
            for own in _spelled(tuple(fields), name):
                if plain_name(own) == name or is_verdict(name, fields[own]):
                    found[name] = own
                    break
    return found


class OwnVerdicts:
    """Gives rows the fields `names` that they spell otherwise, and verdicts as numbers.

    `note` is told once of each column, and of each word, what it is taken for.
    """

    def __init__(self, names: Collection[str], note: Callable[..., None]):
        self._names, self._note = names, note
        self._verdicts = [name for name in VERDICTS if name in names]
        self._reader, self._said = VerdictReader(), set[str]()

    def __call__(self, row: Row) -> Row:
        """The row with the numbers; the same row if it has them already, or if one cannot be read."""
        columns = verdict_columns(row.fields, self._names)
        new = {name: row.fields[own] for name, own in columns.items()}
        fields = {**row.fields, **new} if new else row.fields
        for name in self._verdicts:
            with suppress(ValueError):  # whoever needs it says what is wrong
                new |= self._reader.numbers(fields, (name,))
        for text in [*([in_words(columns)] if columns else []), *self._reader.notes]:
            if text not in self._said:
                self._said.add(text)
                self._note(text, event="form")
        return rows.extended(row, new) if new else row
